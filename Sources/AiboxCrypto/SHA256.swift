public import AiboxSystem
import COpenSSL

/// SHA-256 (FIPS 180-4), used again and again with one context. One thread at a time.
///
/// Where the machine's configuration names another provider than OpenSSL's default one, the FIPS module say, that one
/// computes; else the same code of the library is called directly. To begin and end a message through the providers
/// takes as long as hashing 300 bytes, and verifying the audit log hashes five short messages a line.
public final class SHA256 {
    /// nil where a provider computes.
    private let direct: UnsafeMutablePointer<SHA256_CTX>?
    private let context: OpaquePointer?

    public convenience init() throws(AiboxError) { try self.init(throughProvider: !OpenSSL.hashesItself) }

    init(throughProvider: Bool) throws(AiboxError) {
        if throughProvider {
            direct = nil
            let made = try OpenSSL.require(EVP_MD_CTX_new(), "cannot prepare SHA-256")
            context = made
            guard EVP_DigestInit_ex2(made, try OpenSSL.sha256(), nil) == 1 else {
                throw OpenSSL.failure("cannot prepare SHA-256")
            }
        } else {
            direct = .allocate(capacity: 1)
            context = nil
            try start()
        }
    }

    deinit {
        // The free clears the state, which may come from a key.
        if let context { EVP_MD_CTX_free(context) }
        if let direct {
            OPENSSL_cleanse(direct, MemoryLayout<SHA256_CTX>.size)
            direct.deallocate()
        }
    }

    /// Begins a message, dropping what came before.
    public func start() throws(AiboxError) {
        let result = direct.map { aibox_sha256_start($0) } ?? EVP_DigestInit_ex2(context, nil, nil)
        try OpenSSL.require(result, Self.failure)
    }

    public func update(_ bytes: UnsafeRawBufferPointer) throws(AiboxError) {
        try OpenSSL.require(add(bytes), Self.failure)
    }

    public func update(_ bytes: [UInt8]) throws(AiboxError) {
        try OpenSSL.require(bytes.withUnsafeBytes { add($0) }, Self.failure)
    }

    private func add(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        direct.map { aibox_sha256_update($0, bytes.baseAddress, bytes.count) }
            ?? EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// Adds a secret to the message.
    public func update(_ secret: SecretBytes) throws(AiboxError) { try update(secret.readable) }

    public func finish() throws(AiboxError) -> Digest256 {
        var digest = Digest256()
        let result = digest.withUnsafeMutableBytes { bytes in
            let target = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return direct.map { aibox_sha256_finish($0, target) } ?? EVP_DigestFinal_ex(context, target, nil)
        }
        try OpenSSL.require(result, Self.failure)
        return digest
    }

    private static let failure = "cannot compute SHA-256"

    /// The digest of one message.
    public static func digest(_ bytes: [UInt8]) throws(AiboxError) -> Digest256 {
        let hasher = try SHA256()
        try hasher.update(bytes)
        return try hasher.finish()
    }

    public static func digest(_ text: String) throws(AiboxError) -> Digest256 { try digest(Array(text.utf8)) }
}
