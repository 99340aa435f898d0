public import AiboxNetwork
public import AiboxSystem

/// Where a credential may go: one host over TLS, one port, and the paths below one.
///
/// Written `git.example.org`, `git.example.org:8443`, `git.example.org/team`.
public struct CredentialDestination: Sendable, Hashable, CustomStringConvertible {
    public let host: HostName
    public let port: UInt16
    /// Normalised; `/` is everything. `/team` is `/team` and what lies below it, not `/teams`.
    public let path: String

    public init(host: HostName, port: UInt16 = 443) {
        self.host = host
        self.port = port
        path = "/"
    }

    public init(_ text: String) throws(AiboxError) {
        func unfit(_ why: String) -> AiboxError {
            AiboxError(.usage, "this is no place for a credential", why: why, remedy: "HOST, HOST:PORT or HOST/PATH")
        }
        if text.contains("://") { throw unfit("it is a URL; credentials go over https only, so say the host alone") }
        if text.contains("@") { throw unfit("it has a user in it") }
        if text.contains("?") || text.contains("#") { throw unfit("it has a query or a fragment") }
        let authority = text.prefix { $0 != "/" }
        let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let port: UInt16? = parts.count < 2 ? 443 : Self.port(parts[1])
        guard let name = parts.first, let port else { throw unfit("a port is a number from 1 to 65535") }
        do throws(HostNameFailure) { host = try HostName(String(name)) } catch { throw unfit(Self.reason(error)) }
        self.port = port
        let rest = String(text.dropFirst(authority.count))
        do throws(RequestPathFailure) {
            path = Self.trimmed(try RequestPath(rest.isEmpty ? "/" : rest).path)
        } catch {
            throw unfit(error.reason)
        }
    }

    /// Without what was typed, which may be a secret in the wrong place.
    private static func reason(_ failure: HostNameFailure) -> String {
        switch failure {
        case .lookalike, .punycode: "a label of its name mixes scripts, looks like another one, or is no valid encoding"
        default: failure.reason
        }
    }

    private static func port(_ text: Substring) -> UInt16? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(text), port > 0 else {
            return nil
        }
        return port
    }

    private static func trimmed(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// The same place with a path.
    public func below(_ path: String) throws(AiboxError) -> CredentialDestination {
        try CredentialDestination(
            CredentialDestination(host: host, port: port).description + (path.hasPrefix("/") ? path : "/" + path))
    }

    /// Whether a request over TLS to `host:port` for `path` is for this place.
    ///
    /// - Parameter path: as a request's target has it. One that does not normalise is for no place.
    public func covers(host: HostName, port: UInt16, path: String) -> Bool {
        guard host == self.host, port == self.port else { return false }
        guard let normal = try? RequestPath(path.isEmpty ? "/" : path).path else { return false }
        return self.path == "/" || normal == self.path || normal.hasPrefix(self.path + "/")
    }

    public var description: String { host.text + (port == 443 ? "" : ":\(port)") + (path == "/" ? "" : path) }
}
