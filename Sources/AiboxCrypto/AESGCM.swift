public import AiboxSystem
import COpenSSL

/// AES-256-GCM (NIST SP 800-38D) with a 96-bit nonce and a 128-bit tag.
public enum AESGCM {
    public static let keyCount = 32
    public static let nonceCount = 12
    public static let tagCount = 16

    /// The ciphertext followed by its tag. A nonce serves one message under one key, ever.
    public static func seal(
        _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], authenticating header: [UInt8] = []
    ) throws(AiboxError) -> [UInt8] {
        let what = "cannot encrypt"
        let cipher = try Context(key: key, nonce: nonce, encrypting: true, what)
        try cipher.authenticate(header, what)
        var output = try cipher.transform(plaintext[...], what)
        try OpenSSL.require(cipher.finish(), what)
        var tag = [UInt8](repeating: 0, count: tagCount)
        try OpenSSL.require(
            EVP_CIPHER_CTX_ctrl(cipher.handle, EVP_CTRL_AEAD_GET_TAG, Int32(tagCount), &tag), what)
        output += tag
        return output
    }

    /// The plaintext of what `seal` made.
    ///
    /// - Throws: `integrity` if key, nonce, header, ciphertext or tag are not those of the sealing. No plaintext is
    ///   handed out before the tag was checked.
    public static func open(
        _ sealed: [UInt8], key: [UInt8], nonce: [UInt8], authenticating header: [UInt8] = []
    ) throws(AiboxError) -> [UInt8] {
        let what = "cannot decrypt"
        guard sealed.count >= tagCount else {
            throw AiboxError(.integrity, what, why: "the data is shorter than a tag")
        }
        let cipher = try Context(key: key, nonce: nonce, encrypting: false, what)
        try cipher.authenticate(header, what)
        let output = try cipher.transform(sealed.dropLast(tagCount), what)
        var tag = Array(sealed.suffix(tagCount))
        try OpenSSL.require(
            EVP_CIPHER_CTX_ctrl(cipher.handle, EVP_CTRL_AEAD_SET_TAG, Int32(tagCount), &tag), what)
        if cipher.finish() != 1 {
            ERR_clear_error()
            throw AiboxError(.integrity, what, why: "the data was changed, or the key is another one")
        }
        return output
    }

    private final class Context {
        let handle: OpaquePointer

        init(key: [UInt8], nonce: [UInt8], encrypting: Bool, _ what: String) throws(AiboxError) {
            guard key.count == keyCount, nonce.count == nonceCount else {
                throw AiboxError(.failed, what, why: "AES-256-GCM takes a key of 32 bytes and a nonce of 12")
            }
            handle = try OpenSSL.require(EVP_CIPHER_CTX_new(), what)
            guard EVP_CipherInit_ex2(handle, EVP_aes_256_gcm(), key, nonce, encrypting ? 1 : 0, nil) == 1 else {
                EVP_CIPHER_CTX_free(handle)
                throw OpenSSL.failure(what)
            }
        }

        deinit { EVP_CIPHER_CTX_free(handle) }

        func authenticate(_ header: [UInt8], _ what: String) throws(AiboxError) {
            if header.isEmpty { return }
            var count: Int32 = 0
            try OpenSSL.require(EVP_CipherUpdate(handle, nil, &count, header, Int32(header.count)), what)
        }

        func transform(_ input: ArraySlice<UInt8>, _ what: String) throws(AiboxError) -> [UInt8] {
            guard let length = Int32(exactly: input.count) else {
                throw AiboxError(.failed, what, why: "the message is larger than 2 GiB")
            }
            if length == 0 { return [] }
            var output = [UInt8](repeating: 0, count: input.count)
            var count: Int32 = 0
            let result = input.withUnsafeBytes {
                EVP_CipherUpdate(handle, &output, &count, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), length)
            }
            try OpenSSL.require(result, what)
            guard count == length else { throw AiboxError(.failed, what, why: "the cipher stopped early") }
            return output
        }

        /// 1 if all went well and, when decrypting, the tag fits.
        func finish() -> Int32 {
            var rest = [UInt8](repeating: 0, count: 16)
            var count: Int32 = 0
            return EVP_CipherFinal_ex(handle, &rest, &count)
        }
    }
}
