import AiboxSystem
import Glibc

/// The private folder of one build, below `$TMPDIR` or `/var/tmp`.
///
/// A build holds a lock in it as long as its process lives. What a killed build left behind is therefore told from
/// what a running one needs, and removed by the next.
struct BuildFolder: Sendable {
    let path: String
    private let lock: FileLock

    /// The folder that builds are made in: `/tmp` is often in memory and too small.
    static var base: String { Environment.value("TMPDIR") ?? "/var/tmp" }

    init(base: String, user: UserIdentity = .current, _ runner: any CommandRunner) throws(AiboxError) {
        Self.removeLeftovers(base: base, user: user, runner)
        let name = Self.prefix(user) + String(UInt64.random(in: .min ... .max), radix: 36)
        path = "\(base)/\(name)"
        // Others may pass through but not look: the user namespace that installs the packages sees this user as other.
        if mkdir(path, 0o711) != 0 { throw .system("cannot make the folder \(path)", errno: errno) }
        guard let lock = try FileLock.take(path + "/lock") else {
            throw AiboxError(.failed, "cannot lock \(path)")
        }
        self.lock = lock
    }

    /// Removes the folder and gives up the lock.
    func remove(_ runner: any CommandRunner) {
        Self.remove(path, runner)
        lock.release()
    }

    private static func prefix(_ user: UserIdentity) -> String { "aibox-image-\(user.uid)." }

    private static func removeLeftovers(base: String, user: UserIdentity, _ runner: any CommandRunner) {
        for name in (try? Folder.names(base)) ?? [] where name.hasPrefix(prefix(user)) {
            let path = "\(base)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == user.uid,
                let lock = try? FileLock.take(path + "/lock")
            else { continue }
            remove(path, runner)
            lock.release()
        }
    }

    private static func remove(_ path: String, _ runner: any CommandRunner) {
        if (try? Folder.removeTree(path)) != nil { return }
        // Files of the user namespace's own ids: inside podman's, which has the same ids, they can be removed.
        _ = try? runner.run(Command("podman", ["unshare", "rm", "-rf", "--", path]), timeout: .seconds(120))
    }
}
