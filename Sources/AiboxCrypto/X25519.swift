public import AiboxSystem
import COpenSSL

/// Diffie-Hellman on Curve25519 (RFC 7748).
public enum X25519 {
    public static let keyCount = 32

    /// The public key of a 32-byte private key.
    public static func publicKey(of secret: SecretBytes) throws(AiboxError) -> [UInt8] {
        let key = try privateKey(secret)
        defer { EVP_PKEY_free(key) }
        var bytes = [UInt8](repeating: 0, count: keyCount)
        var count = keyCount
        try OpenSSL.require(EVP_PKEY_get_raw_public_key(key, &bytes, &count), "cannot derive a public key")
        return bytes
    }

    /// The secret that two key pairs share. Never a key by itself: derive one from it.
    ///
    /// - Throws: also for a public key of small order, with which every secret would be the same.
    public static func sharedSecret(_ secret: SecretBytes, with publicKey: [UInt8]) throws(AiboxError) -> [UInt8] {
        let what = "cannot agree on a key"
        guard publicKey.count == keyCount else { throw AiboxError(.failed, what, why: "a public key has 32 bytes") }
        let own = try privateKey(secret)
        defer { EVP_PKEY_free(own) }
        let other = try OpenSSL.require(
            EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nil, publicKey, publicKey.count), what)
        defer { EVP_PKEY_free(other) }
        let context = try OpenSSL.require(EVP_PKEY_CTX_new(own, nil), what)
        defer { EVP_PKEY_CTX_free(context) }
        try OpenSSL.require(EVP_PKEY_derive_init(context), what)
        try OpenSSL.require(EVP_PKEY_derive_set_peer(context, other), what)
        var shared = [UInt8](repeating: 0, count: keyCount)
        var count = keyCount
        try OpenSSL.require(EVP_PKEY_derive(context, &shared, &count), what)
        return shared
    }

    private static func privateKey(_ secret: SecretBytes) throws(AiboxError) -> OpaquePointer {
        let bytes = secret.readable
        return try OpenSSL.require(
            EVP_PKEY_new_raw_private_key(
                EVP_PKEY_X25519, nil, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count),
            "cannot use a private key")
    }
}
