import AiboxSystem
import Glibc

/// The lock that the writing process holds: flock(2), gone with the process however it ends.
final class LogLock {
    private let file: Descriptor
    private let path: String
    private let timeout: Duration

    init(_ path: String, timeout: Duration) throws(AiboxError) {
        self.path = path
        self.timeout = timeout
        file = try LogWriter.open(path, O_RDWR | O_CREAT)
    }

    /// Waits for it, at most as long as the time-out.
    func take() throws(AiboxError) {
        let deadline = ContinuousClock.now + timeout
        var pause: UInt32 = 50
        while flock(file.number, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw .system("cannot lock \(path)", errno: errno) }
            if ContinuousClock.now >= deadline {
                throw AiboxError(
                    .failed, "cannot write the audit log", why: "another process has held \(path) for \(timeout)",
                    remedy: "find it with: fuser \(ShellQuoting.quoted(path))")
            }
            usleep(pause)
            pause = min(pause * 2, 2000)
        }
    }

    func release() { flock(file.number, LOCK_UN) }
}
