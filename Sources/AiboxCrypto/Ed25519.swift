public import AiboxSystem
import COpenSSL

/// Ed25519 signatures (RFC 8032).
public enum Ed25519 {
    public static let keyCount = 32
    public static let signatureCount = 64

    /// The public key of a 32-byte seed.
    public static func publicKey(seed: SecretBytes) throws(AiboxError) -> [UInt8] {
        let key = try privateKey(seed)
        defer { EVP_PKEY_free(key) }
        var bytes = [UInt8](repeating: 0, count: keyCount)
        var count = keyCount
        try OpenSSL.require(EVP_PKEY_get_raw_public_key(key, &bytes, &count), "cannot derive a public key")
        return bytes
    }

    /// The signature of a message under the key of a 32-byte seed.
    public static func sign(_ message: [UInt8], seed: SecretBytes) throws(AiboxError) -> [UInt8] {
        let what = "cannot sign"
        let key = try privateKey(seed)
        defer { EVP_PKEY_free(key) }
        let context = try OpenSSL.require(EVP_MD_CTX_new(), what)
        defer { EVP_MD_CTX_free(context) }
        try OpenSSL.require(EVP_DigestSignInit(context, nil, nil, nil, key), what)
        var signature = [UInt8](repeating: 0, count: signatureCount)
        var count = signatureCount
        try OpenSSL.require(EVP_DigestSign(context, &signature, &count, message, message.count), what)
        guard count == signatureCount else { throw AiboxError(.failed, what, why: "the signature is too short") }
        return signature
    }

    /// True if the signature is the key's for this message. A malformed key or signature is just not valid.
    public static func isValid(
        _ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]
    ) throws(AiboxError) -> Bool {
        guard signature.count == signatureCount, publicKey.count == keyCount else { return false }
        guard let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, publicKey, publicKey.count) else {
            ERR_clear_error()
            return false
        }
        defer { EVP_PKEY_free(key) }
        let what = "cannot check a signature"
        let context = try OpenSSL.require(EVP_MD_CTX_new(), what)
        defer { EVP_MD_CTX_free(context) }
        try OpenSSL.require(EVP_DigestVerifyInit(context, nil, nil, nil, key), what)
        let valid = EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        ERR_clear_error()
        return valid
    }

    private static func privateKey(_ secret: SecretBytes) throws(AiboxError) -> OpaquePointer {
        let seed = secret.readable
        return try OpenSSL.require(
            EVP_PKEY_new_raw_private_key(
                EVP_PKEY_ED25519, nil, seed.baseAddress?.assumingMemoryBound(to: UInt8.self), seed.count),
            "cannot use a signing key")
    }
}
