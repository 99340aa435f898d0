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
        if try FileLock.lock(file, within: timeout, "cannot lock \(path)") { return }
        throw AiboxError(
            .failed, "cannot write the audit log", why: "another process has held \(path) for \(timeout)",
            remedy: "find it with: fuser \(ShellQuoting.quoted(path))")
    }

    func release() { FileLock.unlock(file) }
}
