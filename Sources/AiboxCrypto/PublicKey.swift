public import AiboxSystem
import COpenSSL

/// A public key of any kind that X.509 names, for checking other people's signatures: ECDSA, RSA, Ed25519.
public struct PublicKey: Sendable, Equatable {
    /// SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) in DER.
    public let encoded: [UInt8]

    /// - Throws: if the bytes are no key that the library can use.
    public init(encoded: [UInt8]) throws(AiboxError) {
        self.encoded = encoded
        let key = try Self.decode(encoded)
        EVP_PKEY_free(key)
    }

    /// Every `PUBLIC KEY` block of a PEM text (RFC 7468); none if it has no such block.
    public static func all(pem text: String) throws(AiboxError) -> [PublicKey] {
        var keys: [PublicKey] = []
        var block: String?
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.filter { !$0.isWhitespace || $0 == " " }
            if line == "-----BEGIN PUBLIC KEY-----" {
                block = ""
            } else if line == "-----END PUBLIC KEY-----" {
                guard let body = block, let bytes = Base64.decode(body) else {
                    throw AiboxError(.failed, "cannot read a public key", why: "its base64 is broken")
                }
                keys.append(try PublicKey(encoded: bytes))
                block = nil
            } else {
                block? += line.filter { !$0.isWhitespace }
            }
        }
        if block != nil { throw AiboxError(.failed, "cannot read a public key", why: "its END line is missing") }
        return keys
    }

    /// True if the signature is this key's for the message: over its SHA-256 digest (ECDSA in DER, RSA with PKCS #1
    /// padding), or over the message itself (Ed25519). A malformed signature is just not valid.
    public func isValid(_ signature: [UInt8], of message: [UInt8]) throws(AiboxError) -> Bool {
        let what = "cannot check a signature"
        let key = try Self.decode(encoded)
        defer { EVP_PKEY_free(key) }
        let context = try OpenSSL.require(EVP_MD_CTX_new(), what)
        defer { EVP_MD_CTX_free(context) }
        let hash = EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? nil : try OpenSSL.sha256()
        try OpenSSL.require(EVP_DigestVerifyInit(context, nil, hash, nil, key), what)
        let valid = EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        ERR_clear_error()
        return valid
    }

    /// The library's form of it. The caller frees it.
    func decoded() throws(AiboxError) -> OpaquePointer { try Self.decode(encoded) }

    private static func decode(_ bytes: [UInt8]) throws(AiboxError) -> OpaquePointer {
        let key = bytes.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var start = buffer.baseAddress
            return d2i_PUBKEY(nil, &start, buffer.count)
        }
        return try OpenSSL.require(key, "cannot read a public key")
    }
}
