// System calls of others that a seccomp filter reports (seccomp_unotify(2)). Reason: the ioctls are macros, and
// process_vm_readv(2), openat2(2) and their structures do not reach Swift.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// A call that waits for an answer.
struct aibox_call {
    uint64_t id;
    /// Of the calling thread, as this process sees it; 0 where it does not.
    pid_t thread;
    int32_t number;
    uint64_t arguments[6];
};

/// Whether the descriptor is a filter's listener whose notifications this program can hold; asks the kernel, once, to wake the
/// two sides on one processor, where it can.
bool aibox_notify_prepare(int listener);

/// Takes the next call, and waits for one where there is none. 0, or -errno; -ENOENT: its caller is gone.
int aibox_notify_receive(int listener, struct aibox_call *call);

/// Whether the caller still waits in that very call: what was read of it meanwhile was its own.
bool aibox_notify_is_valid(int listener, uint64_t id);

/// Lets the call go on (`error` 0) or fail with `error`. 0, or -errno; -ENOENT: the caller waits no more.
int aibox_notify_answer(int listener, uint64_t id, int error);

/// The numbers of execve(2) and execveat(2) here.
extern const int32_t AIBOX_CALL_EXECVE;
extern const int32_t AIBOX_CALL_EXECVEAT;

/// process_vm_readv(2) of one piece, which must not cross the end of a page. How many bytes, or -errno.
ssize_t aibox_read_memory(pid_t thread, uint64_t address, void *bytes, size_t length);

/// Opens `path` as it is called below the folder `root`, which nothing leads out of, for nothing but knowing it
/// (O_PATH; openat2(2), RESOLVE_IN_ROOT). >= 0, or -errno.
int aibox_open_inside(int root, const char *path, bool follow);

/// Whether the file lies in a proc file system, which looks different to each process.
bool aibox_is_process_file(int descriptor);

/// The requests to ioctl(2) that the functions above make: how many, and each.
int aibox_notify_requests(void);
uint64_t aibox_notify_request(int index);
