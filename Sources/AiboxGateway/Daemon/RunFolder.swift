import AiboxSystem
import AiboxWire
import Glibc

/// The private folder of a running gateway. Who holds its lock owns everything in it.
struct RunFolder: Sendable {
    let path: String
    private let lock: FileLock

    /// Makes the folder, or takes over what a dead gateway left there.
    ///
    /// - Throws: a living gateway has it.
    static func claim(_ path: String, patience: Duration = .seconds(1)) throws(AiboxError) -> RunFolder {
        let deadline = ContinuousClock.now + patience
        // A predecessor may be on its way out, or a look at its state may hold the lock for a moment.
        while ContinuousClock.now < deadline {
            try Folder.makePrivate(path)
            do throws(AiboxError) {
                if let lock = try FileLock.take(path + "/" + Wire.lockFile) {
                    let folder = RunFolder(path: path, lock: lock)
                    try folder.clear()
                    return folder
                }
            } catch  where !File.exists(path) {
                // The predecessor removed the folder between the two steps.
                continue
            }
            usleep(5000)
        }
        throw AiboxError(
            .failed, "cannot start the gateway", why: "one is running in \(path)",
            remedy: "aibox stop ends it, aibox status shows it")
    }

    /// Removes everything but the lock.
    private func clear() throws(AiboxError) {
        for name in try Folder.names(path) where name != Wire.lockFile { try Folder.removeTree(path + "/" + name) }
    }

    /// Removes the folder; the lock is held until the process ends.
    func remove(_ log: GatewayLog) {
        do throws(AiboxError) { try Folder.removeTree(path) } catch {
            log.error("run folder left", ["reason": "\(error)"])
        }
    }
}
