import CLinux
import Glibc

/// What a daemon gives up for good before the first secret reaches it.
public enum ProcessLockDown {
    /// Memory that other processes of the same user could read (ptrace(2), `/proc/PID/mem`, core dumps), and more rights by way of
    /// set-uid programs.
    public static func closeMemory() throws(AiboxError) {
        try require(aibox_set_no_new_privileges(), "cannot give up new privileges")
        try require(aibox_set_dumpable(false), "cannot close the memory to others")
    }

    /// For a daemon that holds secrets and does nothing else: its memory closed, no core dumps whatever made it dumpable again, and
    /// none of root's capabilities.
    public static func holdSecrets() throws(AiboxError) {
        try closeMemory()
        try require(aibox_drop_capabilities(), "cannot give up capabilities")
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        try retrying("cannot forbid core dumps") { setrlimit(__rlimit_resource_t(UInt32(RLIMIT_CORE.rawValue)), &none) }
    }

    private static func require(_ result: Int32, _ what: String) throws(AiboxError) {
        if result < 0 { throw .system(what, errno: result) }
    }
}
