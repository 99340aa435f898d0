public import AiboxSystem
import COpenSSL

/// Who a client of TLS says it is: certificates, the client's own first, and the private key that fits it. The key is kept as
/// `SecretBytes`, and never written anywhere.
public final class TLSClientIdentity: Sendable {
    public let chain: CertificateChain
    private let key: Key

    /// Only read after it was made.
    private struct Key: @unchecked Sendable { let bytes: SecretBytes }

    /// - Parameter key: PKCS #8 in DER, unencrypted (RFC 5208).
    /// - Throws: if it is no such key, or not that of the first certificate.
    public init(chain: CertificateChain, key: SecretBytes) throws(AiboxError) {
        self.chain = chain
        self.key = Key(bytes: key)
        let certificate = try CertificateChain.decode(chain.certificates[0])
        defer { X509_free(certificate) }
        let decoded = try decodedKey()
        defer { EVP_PKEY_free(decoded) }
        guard X509_check_private_key(certificate, decoded) == 1 else {
            ERR_clear_error()
            throw AiboxError(.failed, "a private key does not fit its certificate")
        }
    }

    /// Certificates and their key in one PEM text.
    public convenience init(pem text: [UInt8]) throws(AiboxError) {
        let what = "cannot read a private key"
        let chain = try CertificateChain(pem: text)
        let memory = try OpenSSL.require(BIO_new_mem_buf(text, Int32(clamping: text.count)), what)
        defer { BIO_free(memory) }
        // Nobody is asked for a password.
        guard let key = PEM_read_bio_PrivateKey(memory, nil, { _, _, _, _ in -1 }, nil) else {
            ERR_clear_error()
            throw AiboxError(.failed, what, why: "there is none, or it is encrypted")
        }
        defer { EVP_PKEY_free(key) }
        let plain = try OpenSSL.require(EVP_PKEY2PKCS8(key), what)
        defer { PKCS8_PRIV_KEY_INFO_free(plain) }
        let bytes = try SecretBytes(count: Int(max(0, i2d_PKCS8_PRIV_KEY_INFO(plain, nil))))
        var next: UnsafeMutablePointer<UInt8>? = bytes.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard i2d_PKCS8_PRIV_KEY_INFO(plain, &next) == bytes.bytes.count else { throw OpenSSL.failure(what) }
        try self.init(chain: chain, key: bytes)
    }

    /// Puts it into what connections are made from.
    func use(in context: OpaquePointer) throws(AiboxError) {
        let what = "cannot use a client's certificate"
        for (index, bytes) in chain.certificates.enumerated() {
            let certificate = try CertificateChain.decode(bytes)
            defer { X509_free(certificate) }
            try OpenSSL.require(
                index == 0
                    ? SSL_CTX_use_certificate(context, certificate)
                    : Int32(clamping: aibox_tls_add_chain(context, certificate)), what)
        }
        let key = try decodedKey()
        defer { EVP_PKEY_free(key) }
        try OpenSSL.require(SSL_CTX_use_PrivateKey(context, key), what)
    }

    /// The caller frees it, which overwrites it.
    private func decodedKey() throws(AiboxError) -> OpaquePointer {
        let storage = key.bytes
        return try withExtendedLifetime(storage) { () throws(AiboxError) in
            let all = storage.readable.bindMemory(to: UInt8.self)
            var next = all.baseAddress
            let plain = try OpenSSL.require(
                d2i_PKCS8_PRIV_KEY_INFO(nil, &next, all.count), "cannot read a private key")
            defer { PKCS8_PRIV_KEY_INFO_free(plain) }
            guard let start = all.baseAddress, next == start + all.count else {
                throw AiboxError(.failed, "cannot read a private key", why: "something follows it")
            }
            return try OpenSSL.require(EVP_PKCS82PKEY(plain), "cannot read a private key")
        }
    }
}
