import Glibc

/// Finds programs the way a shell does, plus the administration folders that an ordinary user's
/// `PATH` lacks on Debian (`/usr/sbin`, `/sbin`), where nft, squid and unbound live.
public enum ExecutableSearch {
    private static let administration = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"]

    /// The absolute path of `name`, or nil. A name with a slash is taken as it is.
    public static func find(_ name: String, path: String? = nil) -> String? {
        if name.utf8.contains(UInt8(ascii: "/")) { return isExecutable(name) ? name : nil }
        if name.isEmpty { return nil }
        for folder in folders(path) {
            let candidate = folder + "/" + name
            if isExecutable(candidate) { return candidate }
        }
        return nil
    }

    private static func folders(_ path: String?) -> [String] {
        let listed = path ?? Environment.value("PATH") ?? ""
        // A relative entry would let the current folder (a workspace, say) choose what we run.
        return listed.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") } + administration
    }

    private static func isExecutable(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        return access(path, X_OK) == 0
    }
}
