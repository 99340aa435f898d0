public import AiboxSystem

/// The name of an image: `registry.example/aibox/base:24`, with or without `@sha256:...`.
public struct ImageReference: Sendable, Equatable {
    /// `registry.example/aibox/base`
    public var repository: String
    public var tag: String?
    public var digest: ImageDigest?

    /// The registry's host, with its port if it has one.
    public var registry: String { String(repository.prefix { $0 != "/" }) }
    /// True for an image that is built here and comes from no registry.
    public var isLocal: Bool { registry == "localhost" }

    /// Reads a name that says which registry it means: a short one would be looked for wherever podman is set up to.
    public init(_ text: String) throws(AiboxError) {
        try Self.check(text)
        var rest = text[...]
        if let at = rest.firstIndex(of: "@") {
            guard let digest = ImageDigest(String(rest[rest.index(after: at)...])), rest[at...].hasPrefix("@sha256:")
            else { throw Self.bad(text, "its digest is not sha256: and 64 hexadecimal digits") }
            self.digest = digest
            rest = rest[..<at]
        }
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            let tag = rest[rest.index(after: colon)...]
            if tag.isEmpty || tag.utf8.count > 128 { throw Self.bad(text, "its tag has no or too many characters") }
            self.tag = String(tag)
            rest = rest[..<colon]
        }
        let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 2, !parts.contains(""), let host = parts.first,
            Self.isRegistry(host)
        else { throw Self.bad(text, "it does not begin with a registry's name, such as registry.example/") }
        if parts.dropFirst().contains(where: { $0.contains { $0.isUppercase || $0 == ":" } }) {
            throw Self.bad(text, "a repository has lower-case letters only")
        }
        repository = String(rest)
    }

    /// `localhost`, or a host with a point in it or a port behind it: what podman, too, takes for a registry.
    private static func isRegistry(_ host: Substring) -> Bool {
        let parts = host.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2, !parts[0].isEmpty, let port = Int(parts[1]), (1...65535).contains(port) { return true }
        return parts.count == 1 && (host == "localhost" || host.contains("."))
    }

    /// Refuses what podman could take for something other than a name or an id.
    static func check(_ text: String) throws(AiboxError) {
        let isPlain = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                || "._-/:@".utf8.contains($0)
        }
        guard isPlain, let first = text.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "/"),
            text.utf8.count <= 512
        else { throw bad(text, "it has characters that no image name has") }
    }

    private static func bad(_ text: String, _ why: String) -> AiboxError {
        AiboxError(
            .usage, "\"\(SafeText.escaped(String(text.prefix(200))))\" is no image name", why: why,
            remedy: "aibox config set image registry.example/team/image:tag")
    }

    /// With the tag, or with this digest in its place.
    public func pinned(to digest: ImageDigest) -> String { "\(repository)@\(digest)" }
    /// `registry.example/aibox/base:24`
    public var named: String { repository + (tag.map { ":" + $0 } ?? (digest == nil ? ":latest" : "")) }
}
