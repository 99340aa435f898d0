public import AiboxSystem
import COpenSSL

/// SHA-256 (FIPS 180-4), used again and again with one context. One thread at a time.
public final class SHA256 {
    private let context: OpaquePointer

    public init() throws(AiboxError) {
        context = try OpenSSL.require(EVP_MD_CTX_new(), "cannot prepare SHA-256")
        guard EVP_DigestInit_ex2(context, try OpenSSL.sha256(), nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw OpenSSL.failure("cannot prepare SHA-256")
        }
    }

    // The free clears the state, which may come from a key.
    deinit { EVP_MD_CTX_free(context) }

    /// Begins a message, dropping what came before.
    public func start() throws(AiboxError) {
        try OpenSSL.require(EVP_DigestInit_ex2(context, nil, nil), "cannot compute SHA-256")
    }

    public func update(_ bytes: UnsafeRawBufferPointer) throws(AiboxError) {
        try OpenSSL.require(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count), "cannot compute SHA-256")
    }

    public func update(_ bytes: [UInt8]) throws(AiboxError) {
        let result = bytes.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        try OpenSSL.require(result, "cannot compute SHA-256")
    }

    /// Adds a secret to the message.
    public func update(_ secret: SecretBytes) throws(AiboxError) { try update(secret.readable) }

    public func finish() throws(AiboxError) -> Digest256 {
        var digest = Digest256()
        let result = digest.withUnsafeMutableBytes {
            EVP_DigestFinal_ex(context, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), nil)
        }
        try OpenSSL.require(result, "cannot compute SHA-256")
        return digest
    }

    /// The digest of one message.
    public static func digest(_ bytes: [UInt8]) throws(AiboxError) -> Digest256 {
        let hasher = try SHA256()
        try hasher.update(bytes)
        return try hasher.finish()
    }

    public static func digest(_ text: String) throws(AiboxError) -> Digest256 { try digest(Array(text.utf8)) }
}
