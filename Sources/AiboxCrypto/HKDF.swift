public import AiboxSystem

/// HKDF-SHA-256 (RFC 5869).
public enum HKDF {
    /// Derives `count` bytes (at most 8160) from a secret; `info` names what they are for.
    public static func derive(
        secret: [UInt8], salt: [UInt8] = [], info: [UInt8], count: Int
    ) throws(AiboxError) -> [UInt8] {
        guard count <= 255 * Digest256.count else {
            throw AiboxError(.failed, "cannot derive a key", why: "\(count) bytes are more than HKDF-SHA-256 gives")
        }
        let key = try HMACSHA256.authenticate(secret, key: salt).bytes
        var output: [UInt8] = []
        var previous: [UInt8] = []
        var counter: UInt8 = 1
        while output.count < count {
            previous = try HMACSHA256.authenticate(previous + info + [counter], key: key).bytes
            output += previous
            counter &+= 1
        }
        return Array(output.prefix(count))
    }
}
