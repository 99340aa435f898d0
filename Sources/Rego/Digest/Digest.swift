/// The hash functions of the `crypto.*` built-ins.
///
/// MD5 and SHA-1 are here because policies name them, not because they are safe (RFC 1321, FIPS 180-4).
enum Digest: Sendable {
    case md5, sha1, sha256, sha512

    func hash(_ message: [UInt8]) -> [UInt8] {
        switch self {
        case .md5: MD5.hash(message)
        case .sha1: SHA1.hash(message)
        case .sha256: SHA256.hash(message)
        case .sha512: SHA512.hash(message)
        }
    }

    /// HMAC (RFC 2104).
    func hmac(key: [UInt8], message: [UInt8]) -> [UInt8] {
        var key = key.count > blockSize ? hash(key) : key
        key += repeatElement(0, count: blockSize - key.count)
        let inner = hash(key.map { $0 ^ 0x36 } + message)
        return hash(key.map { $0 ^ 0x5C } + inner)
    }

    /// Lower-case hexadecimal digits of the hash.
    func hex(_ message: String) -> String { Hex.encode(hash(Array(message.utf8))) }

    func hmacHex(key: String, message: String) -> String {
        Hex.encode(hmac(key: Array(key.utf8), message: Array(message.utf8)))
    }

    /// Compares without stopping at the first difference.
    static func constantTimeEqual(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }

    private var blockSize: Int { self == .sha512 ? 128 : 64 }
}

/// The padding that all of these hashes share: 0x80, zeros, the length in bits.
enum DigestPadding {
    static func padded(_ message: [UInt8], block: Int, lengthBytes: Int, bigEndian: Bool) -> [UInt8] {
        var result = message
        result.append(0x80)
        while result.count % block != block - lengthBytes { result.append(0) }
        let bits = UInt64(message.count) << 3
        var length = (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(8 * $0)) }
        length += repeatElement(0, count: lengthBytes - 8)
        result += bigEndian ? length.reversed() : length
        return result
    }
}
