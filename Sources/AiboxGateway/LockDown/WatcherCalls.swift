import AiboxSystem
import CLinux
import CSeccomp

extension SystemCallFilter {
    /// The filter of `CallWatcher`, which may look at other processes and must be able to do nothing with that: it opens
    /// files to read, and there is no way to write into one, map one for writing or execution, connect, start or signal a process.
    ///
    /// What `openat2` is called with no filter sees: a watcher that was taken over could empty files by it.
    /// Landlock would keep it from looking at anybody (landlock(7), ptrace restrictions).
    static func loadForWatcher() throws(AiboxError) {
        try load { context throws(AiboxError) in
            for name in watching { try allow(context, name) }
            for number in 0..<aibox_notify_requests() {
                try allow(context, "ioctl", condition(1, SCMP_CMP_EQ, aibox_notify_request(number)))
            }
            // SECCOMP_GET_NOTIF_SIZES.
            try allow(context, "seccomp", condition(0, SCMP_CMP_EQ, 3))
            // Not O_WRONLY (1), O_RDWR (2), O_CREAT (0o100), O_TRUNC (0o1000).
            try allow(context, "openat", condition(2, SCMP_CMP_MASKED_EQ, 0o1103, 0))
            // Not PROT_EXEC (4), not MAP_SHARED (1).
            try allow(
                context, "mmap", condition(2, SCMP_CMP_MASKED_EQ, 4, 0), condition(3, SCMP_CMP_MASKED_EQ, 1, 0))
            try allow(context, "mprotect", condition(2, SCMP_CMP_MASKED_EQ, 4, 0))
        }
    }

    private static let watching = [
        "accept4", "brk", "clock_gettime", "close", "exit", "exit_group", "fstat", "fstatfs", "futex", "getegid",
        "geteuid", "getpid", "getrandom", "getsockopt", "gettid", "lseek", "madvise", "mremap", "munmap", "newfstatat",
        "openat2", "poll", "ppoll", "process_vm_readv", "read", "readlink", "readlinkat", "recvfrom", "recvmsg",
        "restart_syscall", "rt_sigreturn", "sendto", "statx",
    ]
}
