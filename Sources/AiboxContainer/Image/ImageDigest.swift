import AiboxCrypto
public import AiboxSystem

/// A SHA-256 digest as the OCI image specification writes it: `sha256:` and 64 hexadecimal digits.
public struct ImageDigest: Sendable, Hashable, CustomStringConvertible {
    /// The 64 digits, lower case.
    public let hexadecimal: String

    /// Nil unless `text` is `sha256:` and 64 lower-case hexadecimal digits, or the digits alone.
    public init?(_ text: String) {
        let digits = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        guard digits.utf8.count == 64, digits.utf8.allSatisfy(Self.isHexadecimal) else { return nil }
        hexadecimal = digits
    }

    public var description: String { "sha256:" + hexadecimal }
    /// The first twelve digits, for people.
    public var short: String { String(hexadecimal.prefix(12)) }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}

extension ImageDigest {
    init(_ digest: Digest256) { hexadecimal = digest.hex }

    public static func of(_ bytes: [UInt8]) throws(AiboxError) -> ImageDigest {
        ImageDigest(try SHA256.digest(bytes))
    }
}
