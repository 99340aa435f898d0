#define _GNU_SOURCE
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

// From linux/mount.h, which cannot be included beside sys/mount.h on older glibc.
enum {
    OPEN_TREE_CLONE_FLAG = 1,
    MOVE_MOUNT_EMPTY_SOURCE = 4,
    ATTRIBUTE_NOSUID = 0x2,
    ATTRIBUTE_NODEV = 0x4,
    ATTRIBUTE_IDMAP = 0x100000,
};
struct attributes {
    uint64_t set, clear, propagation, user_namespace;
};

static int write_map(pid_t pid, const char *file, unsigned low, unsigned high) {
    char path[64], text[160];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    // Swaps `low` and `high`, leaves everybody else alone. Every id stays mapped: an unmapped
    // owner could neither be read nor created.
    int length = 0;
    if (low > 0) length += snprintf(text + length, sizeof text - (size_t)length, "0 0 %u\n", low);
    length += snprintf(text + length, sizeof text - (size_t)length, "%u %u 1\n", low, high);
    if (high - low > 1)
        length += snprintf(text + length, sizeof text - (size_t)length, "%u %u %u\n", low + 1, low + 1, high - low - 1);
    length += snprintf(text + length, sizeof text - (size_t)length, "%u %u 1\n", high, low);
    length += snprintf(text + length, sizeof text - (size_t)length, "%u %u %u\n", high + 1, high + 1, UINT32_MAX - high - 1);
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return -errno;
    ssize_t written = write(descriptor, text, (size_t)length);
    int error = written == length ? 0 : -errno;
    close(descriptor);
    return error;
}

static int mapping_namespace(unsigned owner, unsigned shown) {
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) < 0) return -errno;
    pid_t child = fork();
    if (child < 0) {
        int error = -errno;
        close(ready[0]);
        close(ready[1]);
        return error;
    }
    if (child == 0) {
        char answer = unshare(CLONE_NEWUSER) < 0 ? (char)errno : 0;
        if (write(ready[1], &answer, 1) != 1) _exit(1);
        for (;;) pause();
    }
    close(ready[1]);
    char answer = EIO;
    ssize_t length;
    do length = read(ready[0], &answer, 1);
    while (length < 0 && errno == EINTR);
    close(ready[0]);
    int result = length == 1 ? -answer : -EIO;
    unsigned low = owner < shown ? owner : shown, high = owner < shown ? shown : owner;
    if (result == 0) result = write_map(child, "uid_map", low, high);
    if (result == 0) result = write_map(child, "gid_map", low, high);
    if (result == 0) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/user", (int)child);
        result = open(path, O_RDONLY | O_CLOEXEC);
        if (result < 0) result = -errno;
    }
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    return result;
}

int aibox_mount_with_owner(const char *source, const char *target, unsigned owner, unsigned shown, const char **step) {
    *step = "make a user namespace";
    int mapping = mapping_namespace(owner, shown);
    if (mapping < 0) return mapping;
    int result = 0;
    *step = "open the folder";
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, source, OPEN_TREE_CLONE_FLAG | O_CLOEXEC);
    if (tree < 0) result = -errno;
    if (result == 0) {
        struct attributes wanted = {
            .set = ATTRIBUTE_IDMAP | ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV,
            .propagation = MS_PRIVATE,
            .user_namespace = (uint64_t)mapping,
        };
        *step = "change the owners shown (idmapped mount)";
        if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &wanted, sizeof wanted) < 0) result = -errno;
    }
    if (result == 0) {
        *step = "attach the mount";
        if (syscall(SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_EMPTY_SOURCE) < 0) result = -errno;
    }
    if (tree >= 0) close(tree);
    close(mapping);
    return result;
}

int aibox_unmount(const char *target) { return umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? -errno : 0; }
