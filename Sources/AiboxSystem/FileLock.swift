import Glibc

/// An exclusive lock on a file, held until released, or until the process ends however it ends.
public struct FileLock: Sendable {
    private let descriptor: Descriptor

    /// Takes the lock at once, or returns nil if somebody else has it.
    ///
    /// A holder may remove the file, or its whole folder, before it lets go: what was locked is then no longer what the
    /// path names, so the file is looked at again after locking.
    public static func take(_ path: String) throws(AiboxError) -> FileLock? {
        while true {
            let descriptor = Descriptor(
                try retrying("cannot open \(path)") { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600) })
            while flock(descriptor.number, LOCK_EX | LOCK_NB) != 0 {
                switch errno {
                case EINTR: continue
                case EWOULDBLOCK: return nil
                default: throw .system("cannot lock \(path)", errno: errno)
                }
            }
            var locked = stat()
            var named = stat()
            if fstat(descriptor.number, &locked) == 0, lstat(path, &named) == 0, locked.st_ino == named.st_ino,
                locked.st_dev == named.st_dev
            {
                return FileLock(descriptor: descriptor)
            }
        }
    }

    public func release() { descriptor.close() }

    /// Locks an open file, and waits for it where somebody else has the lock (flock(2)).
    ///
    /// - Returns: false if they kept it for all of the time.
    public static func lock(
        _ file: Descriptor, within patience: Duration, _ what: @autoclosure () -> String
    ) throws(AiboxError) -> Bool {
        let deadline = ContinuousClock.now + patience
        var pause: UInt32 = 50
        while flock(file.number, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw .system(what(), errno: errno) }
            if ContinuousClock.now >= deadline { return false }
            usleep(pause)
            pause = min(pause * 2, 2000)
        }
        return true
    }

    public static func unlock(_ file: Descriptor) { flock(file.number, LOCK_UN) }
}
