import AiboxSystem
import COpenSSL
import Glibc

/// The one way that return codes of the library become errors.
enum OpenSSL {
    /// Succeeds only for 1, as nearly every EVP function has it: 0 and negative numbers are failures.
    static func require(_ result: Int32, _ what: @autoclosure () -> String) throws(AiboxError) {
        if result != 1 { throw failure(what()) }
    }

    static func require<Pointer>(_ pointer: Pointer?, _ what: @autoclosure () -> String) throws(AiboxError) -> Pointer {
        guard let pointer else { throw failure(what()) }
        return pointer
    }

    /// The failure with the library's newest words; empties its queue.
    static func failure(_ what: String) -> AiboxError {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0, let reason = ERR_reason_error_string(code) else { return AiboxError(.failed, what) }
        return AiboxError(.failed, what, why: "OpenSSL: " + String(cString: reason))
    }

    /// SHA-256 of the configured provider, fetched once: a fetch a message costs more than the message.
    static func sha256() throws(AiboxError) -> OpaquePointer {
        try require(Fetched.sha256.pointer, "cannot load SHA-256")
    }

    /// Whether SHA-256 comes from the library's own default provider.
    static let hashesItself: Bool = {
        guard let digest = Fetched.sha256.pointer, let provider = EVP_MD_get0_provider(digest),
            let name = OSSL_PROVIDER_get0_name(provider)
        else { return false }
        return strcmp(name, "default") == 0
    }()

    /// Immutable and reference-counted by the library with atomics, so any thread may use it.
    private struct Fetched: @unchecked Sendable {
        let pointer: OpaquePointer?
        static let sha256 = Fetched(pointer: EVP_MD_fetch(nil, "SHA256", nil))
    }
}
