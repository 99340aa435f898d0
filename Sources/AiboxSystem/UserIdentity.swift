import Glibc

/// The person who runs aibox.
public struct UserIdentity: Sendable, Equatable {
    public var uid: UInt32
    public var gid: UInt32
    public var name: String
    public var home: String

    public init(uid: UInt32, gid: UInt32, name: String, home: String) {
        self.uid = uid
        self.gid = gid
        self.name = name
        self.home = home
    }

    public var isRoot: Bool { uid == 0 }

    /// From the account database; `$HOME` wins for the home folder, as it does for every other tool.
    public static var current: UserIdentity {
        let uid = geteuid()
        var name = Environment.value("USER") ?? "uid\(uid)"
        var home = Environment.value("HOME") ?? ""
        if let entry = getpwuid(uid) {
            name = String(cString: entry.pointee.pw_name)
            if home.isEmpty { home = String(cString: entry.pointee.pw_dir) }
        }
        return UserIdentity(uid: uid, gid: getegid(), name: name, home: home.isEmpty ? "/" : home)
    }
}
