import AiboxSystem
import Glibc

/// The private folder of one build, below `$TMPDIR` or `/var/tmp`.
///
/// A build holds a lock in it as long as one of its processes lives. What a killed build left behind is therefore told
/// from what a running one needs, and removed by the next.
struct BuildFolder: Sendable {
    let path: String
    /// An open file with the lock; a process that is given it holds the lock, too.
    let lock: Descriptor

    /// The folder that builds are made in: `/tmp` is often in memory and too small.
    static var base: String { Environment.value("TMPDIR") ?? "/var/tmp" }

    init(base: String, user: UserIdentity = .current, _ runner: any CommandRunner) throws(AiboxError) {
        Self.removeLeftovers(base: base, user: user, runner)
        let name = Self.prefix(user) + String(UInt64.random(in: .min ... .max), radix: 36)
        path = "\(base)/\(name)"
        // Others may pass through but not look: the user namespace that installs the packages sees this user as other.
        if mkdir(path, 0o711) != 0 { throw .system("cannot make the folder \(path)", errno: errno) }
        guard let lock = Self.take(path) else { throw AiboxError(.failed, "cannot lock \(path)") }
        self.lock = lock
    }

    /// Removes the folder and gives up the lock.
    func remove(_ runner: any CommandRunner) {
        Self.remove(path, runner)
        lock.close()
    }

    private static func prefix(_ user: UserIdentity) -> String { "aibox-image-\(user.uid)." }

    /// The lock of a build's folder, or nil if a process of that build lives.
    private static func take(_ folder: String) -> Descriptor? {
        let file = Descriptor(open(folder + "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600))
        return file.isOpen && flock(file.number, LOCK_EX | LOCK_NB) == 0 ? file : nil
    }

    private static func removeLeftovers(base: String, user: UserIdentity, _ runner: any CommandRunner) {
        for name in (try? Folder.names(base)) ?? [] where name.hasPrefix(prefix(user)) {
            let path = "\(base)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == user.uid,
                let lock = take(path)
            else { continue }
            remove(path, runner)
            lock.close()
        }
    }

    private static func remove(_ path: String, _ runner: any CommandRunner) {
        // Should something be mounted in it (the installer mounts in a namespace of its own), hands off.
        guard let mounts = try? File.text("/proc/self/mountinfo"), !mounts.contains(" \(path)/") else { return }
        if (try? Folder.removeTree(path)) != nil { return }
        // Files of the user namespace's own ids: inside podman's, which has the same ids, they can be removed.
        _ = try? runner.run(Command("podman", ["unshare", "rm", "-rf", "--", path]), timeout: .seconds(120))
    }
}
