/// The system calls of a gateway, a holder, and the servers that a gateway runs (Squid, unbound or CoreDNS).
///
/// Everything else answers ENOSYS, as on a kernel that lacks it: programs that only try something newer fall back. Not
/// here, among others: mount, pivot_root, chroot, setns, unshare, ptrace, process_vm_*, bpf, perf_event_open, keyctl,
/// init_module, kexec_load, io_uring, userfaultfd, memfd_create, execveat, personality, open_by_handle_at, swapon, reboot.
enum SystemCalls {
    static let allowed: [String] = [memory, files, events, processes, identity, sockets, time].flatMap(\.self)

    private static let memory = [
        "brk", "madvise", "membarrier", "mincore", "mlock", "mmap", "mprotect", "mremap", "msync", "munlock", "munmap",
    ]
    private static let files = [
        "access", "chdir", "chmod", "chown", "close", "close_range", "copy_file_range", "creat", "dup", "dup2", "dup3",
        "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod", "fchmodat", "fchown", "fchownat",
        "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate", "getcwd", "getdents", "getdents64",
        "getxattr", "ioctl", "lchown", "link", "linkat", "lseek", "lstat", "mkdir", "mkdirat", "newfstatat", "open",
        "openat", "pipe", "pipe2", "pread64", "preadv", "pwrite64", "pwritev", "read", "readahead", "readlink",
        "readlinkat", "readv", "rename", "renameat", "renameat2", "rmdir", "sendfile", "splice", "stat", "statfs",
        "statx", "symlink", "symlinkat", "sync_file_range", "tee", "truncate", "umask", "unlink", "unlinkat", "utime",
        "utimensat", "utimes", "vmsplice", "write", "writev",
    ]
    private static let events = [
        "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd",
        "eventfd2",
        "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch", "poll", "ppoll", "pselect6", "select",
        "signalfd", "signalfd4", "timerfd_create", "timerfd_gettime", "timerfd_settime",
    ]
    private static let processes = [
        "arch_prctl", "execve", "exit", "exit_group", "fork", "futex", "futex_waitv", "get_robust_list", "getcpu",
        "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrlimit", "getrusage", "getsid", "gettid", "kill",
        "pidfd_open", "pidfd_send_signal", "prctl", "prlimit64", "restart_syscall", "rseq", "rt_sigaction",
        "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
        "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getparam",
        "sched_getscheduler", "sched_setaffinity", "sched_setscheduler", "sched_yield", "set_robust_list",
        "set_tid_address", "setpgid", "setpriority", "setrlimit", "setsid", "sigaltstack", "sysinfo", "tgkill", "times",
        "tkill", "uname", "vfork", "wait4", "waitid",
    ]
    private static let identity = [
        "capget", "capset", "getegid", "geteuid", "getgid", "getgroups", "getrandom", "getresgid", "getresuid",
        "getuid", "setgid", "setgroups", "setregid", "setresgid", "setresuid", "setreuid", "setuid", "setfsgid",
        "setfsuid",
        // Landlock only takes away: what a gateway runs may confine itself further, as may the filter below.
        "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "seccomp",
    ]
    private static let sockets = [
        "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recvfrom",
        "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "socketpair",
    ]
    private static let time = [
        "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "getitimer", "gettimeofday", "nanosleep", "pause",
        "setitimer", "time", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime",
    ]

    /// Address families that socket(2) may ask for: AF_UNIX, AF_INET, AF_INET6 (sys/socket.h).
    static let families: [UInt64] = [1, 2, 10]
    /// Types of their sockets: SOCK_STREAM, SOCK_DGRAM; no raw ones. SOCK_SEQPACKET (5) for the holder's.
    static let types: [UInt64] = [1, 2, 5]
    /// AF_NETLINK.
    static let netlink: UInt64 = 16
    /// The flags of clone(2) that make namespaces (sched.h, CLONE_NEW*): none may be set.
    static let namespaces: UInt64 = 0x7E02_0000
}
