import Glibc

/// An exclusive lock on a file, held until released, or until the process ends however it ends.
public struct FileLock: Sendable {
    private let descriptor: Descriptor

    /// Takes the lock at once, or returns nil if somebody else has it.
    public static func take(_ path: String) throws(AiboxError) -> FileLock? {
        let descriptor = Descriptor(
            try retrying("cannot open \(path)") { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600) })
        while flock(descriptor.number, LOCK_EX | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return nil
            default: throw .system("cannot lock \(path)", errno: errno)
            }
        }
        return FileLock(descriptor: descriptor)
    }

    public func release() { descriptor.close() }
}
