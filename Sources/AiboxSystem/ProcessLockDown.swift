import CLinux
import Glibc

/// What a process gives up for good before the first secret reaches it.
public enum ProcessLockDown {
    /// For whatever opens secrets: memory that other processes of the same user could read (ptrace(2), `/proc/PID/mem`,
    /// `/proc/PID/environ`), core dumps, whatever makes it dumpable again, and reports of crashes. Programs that it starts get their own memory
    /// back, the limit of core dumps stays theirs.
    public static func closeMemory() throws(AiboxError) {
        try require(aibox_set_dumpable(false), "cannot close the memory to others")
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        try retrying("cannot forbid core dumps") { setrlimit(__rlimit_resource_t(UInt32(RLIMIT_CORE.rawValue)), &none) }
        // Swift's own report of a crash, where the toolchain is installed, prints the memory that registers point to:
        // github.com/swiftlang/swift, docs/Backtracing.rst. It dies without a word.
        for number in [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] { signal(number, SIG_DFL) }
    }

    /// For a daemon: its memory closed, and no more rights by way of set-uid programs.
    public static func closeDaemon() throws(AiboxError) {
        try closeMemory()
        try require(aibox_set_no_new_privileges(), "cannot give up new privileges")
    }

    /// For a daemon that holds secrets and does nothing else: none of root's capabilities either.
    public static func holdSecrets() throws(AiboxError) {
        try closeDaemon()
        try require(aibox_drop_capabilities(), "cannot give up capabilities")
    }

    private static func require(_ result: Int32, _ what: String) throws(AiboxError) {
        if result < 0 { throw .system(what, errno: result) }
    }
}
