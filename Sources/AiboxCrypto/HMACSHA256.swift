public import AiboxSystem
import Glibc

/// HMAC-SHA-256 (RFC 2104, FIPS 198-1) with keys of up to 64 bytes. One thread at a time.
///
/// Built on two SHA-256 messages: EVP_MAC spends longer on setting a new key than on a whole log line, and the
/// audit log has a key a line.
public final class HMACSHA256 {
    private static let block = 64
    private let hash: SHA256
    private let pad: SecretBytes

    public init() throws(AiboxError) {
        hash = try SHA256()
        pad = try SecretBytes(count: Self.block)
    }

    /// The MAC of one message.
    public func authenticate(
        _ message: UnsafeRawBufferPointer, key: SecretBytes
    ) throws(AiboxError) -> Digest256 {
        try fill(key, 0x36)
        try hash.start()
        try hash.update(UnsafeRawBufferPointer(pad.bytes))
        try hash.update(message)
        let inner = try hash.finish()
        try fill(key, 0x5c)
        try hash.start()
        try hash.update(UnsafeRawBufferPointer(pad.bytes))
        try hash.update(inner)
        return try hash.finish()
    }

    public static func authenticate(_ message: [UInt8], key: [UInt8]) throws(AiboxError) -> Digest256 {
        let mac = try HMACSHA256()
        // RFC 2104: a key longer than a block is hashed first.
        let key = try SecretBytes(key.count > block ? try SHA256.digest(key).bytes : key)
        let result = message.withUnsafeBytes { message in
            Result { () throws(AiboxError) in try mac.authenticate(message, key: key) }
        }
        return try result.get()
    }

    private func fill(_ secret: SecretBytes, _ value: UInt8) throws(AiboxError) {
        let key = secret.readable
        guard key.count <= Self.block else {
            throw AiboxError(.failed, "cannot compute a MAC", why: "the key is longer than a block")
        }
        let target = pad.bytes
        for index in 0..<key.count { target[index] = key[index] ^ value }
        for index in key.count..<Self.block { target[index] = value }
    }
}

extension SHA256 {
    /// Adds a digest to the message.
    public func update(_ digest: Digest256) throws(AiboxError) {
        let result = digest.withUnsafeBytes { bytes in Result { () throws(AiboxError) in try update(bytes) } }
        try result.get()
    }
}
