import AiboxCrypto
public import AiboxSystem

/// A random value that stands in for a secret inside a sandbox: worth nothing anywhere but at the sandbox's own broker.
///
/// `aibox_sur_KIND_` + 64 hexadecimal digits of randomness (256 bits) + 8 of a check sum (the first four bytes of the SHA-256 of all
/// before), so that a scanner can tell one, and a mistyped one, without knowing it. Letters, digits and `_` only: it fits
/// into every header, URL, variable and file.
public struct Surrogate: Sendable, Equatable {
    public let secret: Secret
    public let digest: SurrogateDigest

    /// A new one.
    public init(for type: CredentialType) throws(AiboxError) {
        let body = Self.start + type.kind + "_" + Hex.encode(try SecureRandom.bytes(Self.randomCount))
        try self.init(checked: body + (try Self.checkSum(body)))
    }

    private init(checked text: String) throws(AiboxError) {
        secret = try Secret(text)
        digest = try SurrogateDigest(Array(text.utf8))
    }

    /// What every surrogate begins with.
    public static let start = "aibox_sur_"
    private static let randomCount = 32
    private static let checkCount = 8

    private static func checkSum(_ body: String) throws(AiboxError) -> String {
        String(Hex.encode(try SHA256.digest(Array(body.utf8)).bytes).prefix(checkCount))
    }

    /// Whether a text has the form of a surrogate, its check sum included; not whether one was ever lent.
    public static func isWellFormed(_ text: String) -> Bool {
        guard text.hasPrefix(start) else { return false }
        let rest = text.dropFirst(start.count)
        let kind = rest.prefix { $0 != "_" }
        guard CredentialType.allCases.contains(where: { $0.kind == kind }) else { return false }
        let digits = rest.dropFirst(kind.count + 1)
        guard digits.utf8.count == 2 * randomCount + checkCount, Hex.decode(String(digits)) != nil else { return false }
        return (try? checkSum(String(text.dropLast(checkCount)))) == String(text.suffix(checkCount))
    }
}

/// What is kept of a surrogate: nobody who reads it can present the surrogate.
public struct SurrogateDigest: Sendable, Hashable {
    let bytes: [UInt8]

    init(_ presented: [UInt8]) throws(AiboxError) { bytes = try SHA256.digest(presented).bytes }

    /// The first eight hexadecimal digits, for the audit log.
    public var short: String { Hex.encode(bytes.prefix(4)) }
}

extension Secret {
    /// - Throws: `usage` for a stand-in of aibox's own making, whatever became of it: it opens nothing.
    func requireReal() throws(AiboxError) {
        let start = Array(Surrogate.start.utf8)
        if withBytes({ $0.prefix(start.count).elementsEqual(start) }) {
            throw AiboxError(
                .usage, "this is a stand-in that aibox made for a sandbox, not a real secret",
                remedy: "take the one that its issuer gave you")
        }
    }
}
