/// What Squid asks of one request that it reads in an opened tunnel.
public struct ICAPQuestion: Sendable, Equatable {
    public let method: String
    /// As Squid normalised it: `https://HOST[:PORT]/PATH`.
    public let url: String
    /// A body follows the head. It stays with Squid: of it only an empty preview comes along.
    public let hasBody: Bool
    /// What follows the URL in the head: the version, the fields as Squid wrote them, the blank line.
    private let rest: [UInt8]

    public init(method: String, url: String, hasBody: Bool, rest: [UInt8]) {
        self.method = method
        self.url = url
        self.hasBody = hasBody
        self.rest = rest
    }

    /// The same head with another URL (RFC 3507 section 4.8.2).
    public func head(asking url: String) -> [UInt8] { Array("\(method) \(url)".utf8) + rest }
}
