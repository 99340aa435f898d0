/// Where a package manager finds its packages: an entry of `network.mirrors`.
public struct PackageMirror: Sendable, Equatable {
    public enum Manager: String, Sendable, CaseIterable { case pip, npm, go, cargo, maven, gradle, nuget }

    public var manager: Manager
    /// `host` or `host:port`, as written.
    public var authority: String
    /// Empty, or from the first slash on.
    public var path: String

    /// - Parameter entry: `pip=https://pypi.example.org/simple`
    public init?(_ entry: String) {
        let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let manager = Manager(rawValue: String(parts[0])), parts[1].hasPrefix("https://"),
            TextForm.isURL(String(parts[1])), entry.utf8.count <= 1000
        else { return nil }
        let rest = parts[1].dropFirst("https://".count)
        self.manager = manager
        authority = String(rest.prefix { $0 != "/" })
        path = String(rest.dropFirst(authority.count))
    }

    public var url: String { "https://" + authority + path }
}
