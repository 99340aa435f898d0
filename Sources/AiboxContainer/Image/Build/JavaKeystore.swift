import AiboxCrypto
import AiboxSystem

/// The list of certificates that Java trusts, `cacerts`, in Java's own JKS format (OpenJDK, JavaKeyStore.java).
///
/// Debian makes it during installation, and every entry says when: the one file of an image with Java that would
/// differ from build to build.
enum JavaKeystore {
    static let path = "etc/ssl/certs/java/cacerts"

    /// The same certificates in alphabetical order, all of one moment. A file of another format, or with something
    /// other than certificates in it, comes back as it is.
    static func normalised(_ bytes: [UInt8], seconds: Int) throws(AiboxError) -> [UInt8] {
        guard var entries = entries(bytes) else { return bytes }
        entries.sort { $0.alias.lexicographicallyPrecedes($1.alias) }
        return try file(entries, seconds: seconds)
    }

    /// A list of the certificates of a PEM file.
    static func of(pem: String) throws(AiboxError) -> [UInt8] {
        let type = Array("X.509".utf8)
        let blocks = pem.split(separator: "-----BEGIN CERTIFICATE-----").dropFirst(pem.hasPrefix("-----BEGIN") ? 0 : 1)
        var entries: [Entry] = []
        for block in blocks {
            guard let body = block.firstRange(of: "-----END CERTIFICATE-----").map({ block[..<$0.lowerBound] }),
                let content = Base64.decode(body.filter { !$0.isWhitespace })
            else { throw AiboxError(.failed, "cannot read the image's authorities", why: "a certificate is not whole") }
            entries.append(
                Entry(
                    alias: Array("\(entries.count)".utf8),
                    certificate: number(type.count, 2) + type + number(content.count, 4) + content))
        }
        return try file(entries, seconds: 0)
    }

    private static func file(_ entries: [Entry], seconds: Int) throws(AiboxError) -> [UInt8] {
        var result = number(magic, 4) + number(version, 4) + number(entries.count, 4)
        for entry in entries {
            result += number(certificateTag, 4) + number(entry.alias.count, 2) + entry.alias
            result += number(seconds * 1000, 8) + entry.certificate
        }
        return result + (try checksum(result))
    }

    private static let magic = 0xfeed_feed
    private static let version = 2
    private static let certificateTag = 2

    private struct Entry {
        var alias: [UInt8]
        /// Type and content, each with its length.
        var certificate: [UInt8]
    }

    private static func entries(_ bytes: [UInt8]) -> [Entry]? {
        var rest = bytes.dropLast(20)
        func take(_ count: Int) -> [UInt8]? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        func integer(_ count: Int) -> Int? { take(count)?.reduce(0) { $0 << 8 | Int($1) } }
        guard integer(4) == magic, integer(4) == version, let count = integer(4) else { return nil }
        var entries: [Entry] = []
        for _ in 0..<min(count, 10_000) {
            guard integer(4) == certificateTag, let aliasLength = integer(2), let alias = take(aliasLength),
                take(8) != nil, let typeLength = integer(2), let type = take(typeLength), let length = integer(4),
                let content = take(length)
            else { return nil }
            entries.append(
                Entry(alias: alias, certificate: number(typeLength, 2) + type + number(length, 4) + content))
        }
        guard rest.isEmpty, entries.count == count else { return nil }
        // A file that was not whole, or has a password of its own, is left alone.
        return (try? checksum(Array(bytes.dropLast(20)))) == Array(bytes.suffix(20)) ? entries : nil
    }

    /// SHA-1 over the password that everybody knows, a phrase, and the content.
    private static func checksum(_ bytes: [UInt8]) throws(AiboxError) -> [UInt8] {
        try SHA1.checksum("changeit".utf16.flatMap { number(Int($0), 2) } + Array("Mighty Aphrodite".utf8) + bytes)
    }

    private static func number(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
