public import AiboxSystem

/// A workload's name: `spiffe://TRUST-DOMAIN/PATH` (github.com/spiffe/spiffe, standards/SPIFFE-ID.md, section 2).
public struct SpiffeID: Sendable, Hashable, CustomStringConvertible {
    public let trustDomain: String
    /// With the slash that it begins with; empty for that of a trust domain.
    public let path: String

    /// - Throws: if it is none, down to the letters that a trust domain and a path may have.
    public init(_ text: String) throws(AiboxError) {
        func unfit(_ why: String) -> AiboxError {
            AiboxError(.failed, "\(SafeText.escaped(String(text.prefix(100)))) is no SPIFFE ID", why: why)
        }
        let start = "spiffe://"
        guard text.utf8.count <= 2048 else { throw unfit("it is longer than 2048 bytes") }
        guard text.hasPrefix(start) else { throw unfit("it does not begin with \(start)") }
        let rest = text.dropFirst(start.count)
        let domain = rest.prefix { $0 != "/" }
        guard (1...255).contains(domain.utf8.count), domain.utf8.allSatisfy(Self.isOfDomain) else {
            throw unfit("a trust domain has 1 to 255 of a-z, 0-9, - . and _")
        }
        let path = rest.dropFirst(domain.count)
        for segment in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            if segment.isEmpty { throw unfit("its path has an empty part") }
            if segment == "." || segment == ".." { throw unfit("its path has a part that means another") }
            guard segment.utf8.allSatisfy({ Self.isOfDomain($0) || (0x41...0x5a).contains($0) }) else {
                throw unfit("a path has letters, digits, - . and _ between its slashes")
            }
        }
        trustDomain = String(domain)
        self.path = String(path)
    }

    /// That of a workload: with a path.
    init(workload text: String) throws(AiboxError) {
        try self.init(text)
        if path.isEmpty { throw AiboxError(.failed, "\(text) is no workload's SPIFFE ID", why: "it has no path") }
    }

    public var description: String { "spiffe://" + trustDomain + path }

    private static func isOfDomain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7a, 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }
}
