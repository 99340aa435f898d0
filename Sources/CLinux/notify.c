#define _GNU_SOURCE
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

// Newer kernels may have longer structures (seccomp_unotify(2), SECCOMP_GET_NOTIF_SIZES).
enum { ROOM = 1024 };

const int32_t AIBOX_CALL_EXECVE = SYS_execve;
const int32_t AIBOX_CALL_EXECVEAT = SYS_execveat;

bool aibox_notify_prepare(int listener) {
    struct seccomp_notif_sizes sizes;
    uint64_t nobody = 0;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0) return false;
    if (sizes.seccomp_notif > ROOM || sizes.seccomp_notif_resp > ROOM) return false;
    // No other kind of file knows the request; a listener has no such call.
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &nobody) == 0 || errno != ENOENT) return false;
#ifdef SECCOMP_IOCTL_NOTIF_SET_FLAGS
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
#endif
    return true;
}

int aibox_notify_receive(int listener, struct aibox_call *call) {
    union {
        struct seccomp_notif notice;
        char room[ROOM];
    } next;
    memset(&next, 0, sizeof next); // or the kernel refuses it
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &next) < 0) return -errno;
    call->id = next.notice.id;
    call->thread = (pid_t)next.notice.pid;
    call->number = next.notice.data.nr;
    memcpy(call->arguments, next.notice.data.args, sizeof call->arguments);
    return 0;
}

bool aibox_notify_is_valid(int listener, uint64_t id) {
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

int aibox_notify_answer(int listener, uint64_t id, int error) {
    union {
        struct seccomp_notif_resp answer;
        char room[ROOM];
    } next;
    memset(&next, 0, sizeof next);
    next.answer.id = id;
    next.answer.error = -error;
    next.answer.flags = error == 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &next) < 0 ? -errno : 0;
}

ssize_t aibox_read_memory(pid_t thread, uint64_t address, void *bytes, size_t length) {
    struct iovec here = {.iov_base = bytes, .iov_len = length};
    struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = length};
    ssize_t count = process_vm_readv(thread, &here, 1, &there, 1, 0);
    return count < 0 ? -errno : count;
}

int aibox_open_inside(int root, const char *path, bool follow) {
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    int descriptor = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    return descriptor < 0 ? -errno : descriptor;
}

bool aibox_is_process_file(int descriptor) {
    struct statfs facts;
    return fstatfs(descriptor, &facts) == 0 && facts.f_type == PROC_SUPER_MAGIC;
}

static const uint64_t requests[] = {
    SECCOMP_IOCTL_NOTIF_RECV,
    SECCOMP_IOCTL_NOTIF_SEND,
    SECCOMP_IOCTL_NOTIF_ID_VALID,
#ifdef SECCOMP_IOCTL_NOTIF_SET_FLAGS
    SECCOMP_IOCTL_NOTIF_SET_FLAGS,
#endif
};

int aibox_notify_requests(void) { return sizeof requests / sizeof *requests; }

uint64_t aibox_notify_request(int index) { return requests[index]; }
