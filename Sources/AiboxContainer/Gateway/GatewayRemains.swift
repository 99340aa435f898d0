import AiboxNetwork
public import AiboxSystem
import AiboxWire
import Glibc

/// What a gateway daemon left in its run folder, and whether one still lives there.
///
/// A living daemon holds the lock file; the kernel frees it however the daemon ends. So a free lock is a dead
/// daemon, and no process id has to be trusted. Its namespaces and sockets end with it: only files can remain.
public enum GatewayRemains {
    public enum State: Sendable, Equatable {
        /// No run folder.
        case absent
        /// A daemon holds the lock.
        case running
        /// Files of a daemon that is gone.
        case dead
    }

    /// Looks without changing anything.
    public static func state(of runFolder: String) -> State {
        guard isOwn(runFolder) else { return .absent }
        let lock = open(runFolder + "/" + Wire.lockFile, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if lock < 0 { return .dead }
        defer { close(lock) }
        if flock(lock, LOCK_EX | LOCK_NB) == 0 { return .dead }
        return errno == EWOULDBLOCK ? .running : .dead
    }

    /// Removes the run folder of a dead daemon. Returns what is there afterwards: `.absent`, or `.running`.
    @discardableResult
    public static func clear(_ runFolder: String) throws(AiboxError) -> State {
        guard isOwn(runFolder) else { return .absent }
        let lock: FileLock
        do throws(AiboxError) {
            guard let free = try FileLock.take(runFolder + "/" + Wire.lockFile) else { return .running }
            lock = free
        } catch {
            // A daemon that ended just now removed the folder itself.
            if isOwn(runFolder) { throw error }
            return .absent
        }
        defer { lock.release() }
        SquidPlace.clearSharedMemory(runFolder: runFolder)
        if geteuid() == 0 { try Folder.removeTree(SquidPlace.rootful(runFolder: runFolder)) }
        try Folder.removeTree(runFolder)
        return .absent
    }

    /// No daemon ever lived behind a link or in somebody else's folder.
    private static func isOwn(_ runFolder: String) -> Bool {
        var status = stat()
        return lstat(runFolder, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR && status.st_uid == geteuid()
    }
}
