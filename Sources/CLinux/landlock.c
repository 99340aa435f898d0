#define _GNU_SOURCE
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The same numbers on every architecture.
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
enum { VERSION_FLAG = 1, PATH_BENEATH = 1 };

// linux/landlock.h, LANDLOCK_ACCESS_FS_: bit by bit, in the order in which the versions brought them.
enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_DIR = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_ALL = 0x7F << 6,  // character device, folder, file, socket, FIFO, block device, symbolic link
    MAKE_DEVICES = 1 << 6 | 1 << 11,
    REFER = 1 << 13,     // version 2: rename and link between folders
    TRUNCATE = 1 << 14,  // version 3
    IOCTL_DEV = 1 << 15, // version 5
    FOR_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV,
};
enum { SCOPE_ABSTRACT_SOCKETS = 1 }; // version 6

struct ruleset {
    uint64_t fs, net, scoped;
};
struct path_beneath {
    uint64_t access;
    int32_t parent;
} __attribute__((packed));

int aibox_landlock_version(void) {
    long version = syscall(CREATE_RULESET, NULL, (size_t)0, VERSION_FLAG);
    return version < 0 ? 0 : (int)version;
}

static uint64_t handled(int version) {
    uint64_t rights = EXECUTE | WRITE_FILE | READ_FILE | READ_DIR | REMOVE_DIR | REMOVE_FILE | MAKE_ALL;
    if (version >= 2) rights |= REFER;
    if (version >= 3) rights |= TRUNCATE;
    if (version >= 5) rights |= IOCTL_DEV;
    return rights;
}

static uint64_t rights(int access) {
    uint64_t rights = 0;
    if (access & AIBOX_FILES_READ) rights |= READ_FILE | READ_DIR;
    if (access & AIBOX_FILES_WRITE)
        rights |= WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | REFER | (MAKE_ALL & ~MAKE_DEVICES);
    if (access & AIBOX_FILES_EXECUTE) rights |= EXECUTE;
    if (access & AIBOX_FILES_REMOVE_EMPTY) rights |= REMOVE_DIR;
    return rights;
}

static int allow(int ruleset, const struct aibox_files *files, uint64_t known) {
    int place = open(files->path, O_PATH | O_CLOEXEC);
    if (place < 0) return errno == ENOENT ? 0 : -errno;
    struct stat facts;
    struct path_beneath rule = {.access = rights(files->access) & known, .parent = place};
    if (fstat(place, &facts) == 0 && !S_ISDIR(facts.st_mode)) rule.access &= FOR_FILES;
    int result = syscall(ADD_RULE, ruleset, PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
    close(place);
    return result;
}

int aibox_landlock_confine(const struct aibox_files *files, int count) {
    int version = aibox_landlock_version();
    if (version == 0) return -EOPNOTSUPP;
    struct ruleset wanted = {.fs = handled(version), .scoped = version >= 6 ? SCOPE_ABSTRACT_SOCKETS : 0};
    size_t size = version >= 6 ? sizeof wanted : version >= 4 ? 16 : 8;
    int ruleset = (int)syscall(CREATE_RULESET, &wanted, size, 0);
    if (ruleset < 0) return -errno;
    int result = 0;
    for (int i = 0; i < count && result == 0; i++) result = allow(ruleset, &files[i], wanted.fs);
    if (result == 0 && syscall(RESTRICT_SELF, ruleset, 0) < 0) result = -errno;
    close(ruleset);
    return result;
}
