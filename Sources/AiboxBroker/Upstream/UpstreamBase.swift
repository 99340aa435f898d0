import AiboxNetwork

/// Where the requests of a grant go: scheme, host, port, and what stands before the API's own paths.
struct UpstreamBase: Sendable, Hashable {
    var isTLS: Bool
    /// A name, or an address that the configuration spells out.
    var host: String
    var port: UInt16
    /// Without a slash at its end.
    var prefix: String

    /// From `http[s]://host[:port][/path]`; nil for anything else: user information, query, fragment.
    init?(_ text: String) {
        let rest: Substring
        if text.hasPrefix("https://") {
            (isTLS, rest) = (true, text.dropFirst(8))
        } else if text.hasPrefix("http://") {
            (isTLS, rest) = (false, text.dropFirst(7))
        } else {
            return nil
        }
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        guard let authority = HTTPAuthority(rest[..<end]) else { return nil }
        var path = rest[end...]
        while path.hasSuffix("/") { path = path.dropLast() }
        // The bases that SDKs are given for OpenAI end in the version, and so do the paths here.
        if path.hasSuffix("/v1") { path = path.dropLast(3) }
        guard path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"?#\\%\"".utf8.contains($0) }),
            !path.contains("/.")
        else { return nil }
        host = authority.host.lowercased()
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if IPAddress(host) == nil {
            guard let name = try? HostName(host) else { return nil }
            host = name.text
        }
        port = authority.port ?? (isTLS ? 443 : 80)
        prefix = String(path)
    }

    /// For the Host field.
    var authority: String {
        let shown = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? shown : "\(shown):\(port)"
    }
}
