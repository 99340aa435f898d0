public import AiboxSystem
import Glibc

/// The folder that a sandbox works on, found fit for it.
public struct Workspace: Sendable, Equatable {
    /// Absolute, without symbolic links.
    public let path: String
    /// Who owns the folder on the host.
    public let owner: UInt32

    /// Checks that `given` can be a workspace of `user`'s.
    ///
    /// - Parameter state: folders of aibox's own; a workspace that holds one would put policy, audit
    ///   log and keys within the agent's reach (P8).
    public static func check(
        _ given: String, user: UserIdentity, state: [String], mounts: MountTable
    ) throws(AiboxError) -> Workspace {
        func refuse(_ why: String, _ remedy: String? = nil) -> AiboxError {
            AiboxError(
                .failed, "\(SafeText.escaped(given)) cannot be a workspace", why: why,
                remedy: remedy ?? "aibox start -w DIR, where DIR is the folder of one project")
        }
        guard let path = Path.real(given) else {
            throw refuse(describe(errno: errno).lowercased())
        }
        guard path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw refuse("its name has control characters", "rename the folder")
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw refuse(describe(errno: errno).lowercased()) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw refuse("it is not a folder") }
        guard access(path, R_OK | X_OK) == 0 else { throw refuse("this user cannot read it") }

        if let home = Path.real(user.home), Path.isInside(home, path) {
            throw refuse(
                path == home
                    ? "it is your home folder: keys, history and settings would be in the agent's reach"
                    : "it holds your home folder, and with it your keys and settings")
        }
        if let broad = forbidden.first(where: { Path.isInside($0, path) }) {
            throw refuse(path == broad ? "it belongs to the system" : "it holds \(broad), which belongs to the system")
        }
        for folder in state {
            let real = Path.real(folder) ?? folder
            if Path.isInside(real, path) {
                throw refuse("it holds \(real), where aibox keeps what the agent must not change")
            }
            if Path.isInside(path, real) { throw refuse("it lies in \(real), aibox's own folder") }
        }
        if let kind = mounts.fileSystem(of: path), let why = unfit[kind] {
            throw refuse(
                "its file system is \(kind), which \(why)", "move the project to a Linux file system (ext4, xfs, btrfs)"
            )
        }
        return Workspace(path: path, owner: status.st_uid)
    }

    /// A workspace may lie below some of these (`/tmp/project`, `/srv/project`), never be or hold one.
    private static let forbidden = [
        "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/mnt", "/opt", "/proc", "/root", "/run", "/sbin", "/srv",
        "/sys", "/tmp", "/usr", "/var",
    ]

    private static let unfit = [
        "9p": "has no Linux permissions and is slow", "drvfs": "has no Linux permissions and is slow",
        "v9fs": "has no Linux permissions and is slow", "ntfs": "has no Linux permissions",
        "ntfs3": "has no Linux permissions", "fuseblk": "has no Linux permissions",
        "vfat": "has no Linux permissions", "exfat": "has no Linux permissions", "msdos": "has no Linux permissions",
        "proc": "is not for projects", "sysfs": "is not for projects",
    ]
}
