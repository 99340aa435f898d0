import Glibc

/// Decides what of a freshly installed file system goes into an image, and how: pure, one entry at a time.
///
/// What every image leaves out: what differs from build to build (logs, caches, keys made during installation), what
/// describes the machine that built it (package sources, host name, machine id), what only a booted system has
/// (devices, run-time folders), and documentation, licences excepted. What every image takes away: setuid and setgid
/// bits and extended attributes, so that no program in it can ever gain a right.
struct RootfsRules: Sendable {
    /// Part of the recipe's digest: raise it when the rules change.
    static let revision = 1

    /// No file is younger than this, in seconds since 1970.
    let epoch: Int
    /// The recipe's own patterns.
    let omitted: [String]

    enum Verdict: Sendable, Equatable {
        case leaveOut
        case keep(TarEntry)
    }

    func verdict(_ entry: TarEntry) -> Verdict {
        if case .special = entry.kind { return .leaveOut }
        if leavesOut(entry.path) { return .leaveOut }
        var entry = entry
        entry.mode &= entry.kind == .folder ? 0o1777 : 0o777
        entry.hasAttributes = false
        entry.modified = min(entry.modified, epoch)
        return .keep(entry)
    }

    func leavesOut(_ path: String) -> Bool {
        for folder in Self.emptied where path.hasPrefix(folder + "/") { return true }
        if path.hasPrefix("usr/share/doc/"), Self.isDocumentation(path) { return true }
        return (Self.patterns + omitted).contains { Self.matches(path, $0) }
    }

    /// Folders that stay and lose their content.
    private static let emptied = [
        "boot", "dev", "proc", "run", "sys", "tmp", "usr/share/bug", "usr/share/info", "usr/share/lintian",
        "usr/share/man", "var/cache", "var/lib/apt", "var/log", "var/tmp",
    ]

    private static let patterns = [
        ".dockerenv",
        "etc/.pwd.lock",
        "etc/apt/apt.conf.d/99mmdebstrap",
        "etc/apt/auth.conf.d/*",
        "etc/apt/sources.list",
        "etc/apt/sources.list.d/*",
        "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
        "etc/group-", "etc/gshadow-", "etc/passwd-", "etc/shadow-", "etc/subgid-", "etc/subuid-",
        "etc/hostname", "etc/hosts", "etc/machine-id", "etc/resolv.conf",
        "etc/ssh/ssh_host_*",
        "usr/share/locale/*/LC_*", "usr/share/locale/*/LC_*/*",
        "var/lib/dbus/machine-id",
        "var/lib/dpkg/*-old", "var/lib/dpkg/lock*",
        "var/lib/systemd/random-seed",
    ]

    /// Folders stay, copyright files stay: who passes an image on has to pass them on.
    private static func isDocumentation(_ path: String) -> Bool {
        // usr share doc PACKAGE FILE
        let parts = path.split(separator: "/")
        return parts.count > 5 || (parts.count == 5 && parts.last != "copyright")
    }

    /// fnmatch(3) with FNM_PATHNAME: a star crosses no slash.
    static func matches(_ path: String, _ pattern: String) -> Bool { fnmatch(pattern, path, FNM_PATHNAME) == 0 }
}
