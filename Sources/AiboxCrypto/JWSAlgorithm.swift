public import AiboxSystem
import COpenSSL

/// The algorithms of RFC 7518, sections 3.3 to 3.5: signatures with a public key, by a curve or RSA. No `none`, no secrets that both
/// sides share.
public enum JWSAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"

    fileprivate var hash: OpaquePointer? {
        switch self {
        case .rs256, .es256, .ps256: EVP_sha256()
        case .rs384, .es384, .ps384: EVP_sha384()
        case .rs512, .es512, .ps512: EVP_sha512()
        }
    }

    fileprivate var isSaltedRSA: Bool { [.ps256, .ps384, .ps512].contains(self) }

    /// The library's name of the curve, and the bytes of each of the signature's numbers; nil for RSA.
    fileprivate var curve: (name: String, width: Int)? {
        switch self {
        case .es256: ("prime256v1", 32)
        case .es384: ("secp384r1", 48)
        case .es512: ("secp521r1", 66)
        default: nil
        }
    }
}

extension PublicKey {
    /// True if the signature, in the form of RFC 7518, is this key's for the message. False for a key of another kind, curve, or less
    /// than 2048 bits of RSA, and for a malformed signature.
    public func isValid(
        _ signature: [UInt8], of message: [UInt8], algorithm: JWSAlgorithm
    ) throws(AiboxError) -> Bool {
        let what = "cannot check a signature"
        let key = try decoded()
        defer { EVP_PKEY_free(key) }
        var encoded = signature
        if let (name, width) = algorithm.curve {
            guard EVP_PKEY_get_base_id(key) == EVP_PKEY_EC, Self.curve(key) == name, signature.count == 2 * width else {
                return false
            }
            encoded = DER.sequence([DER.integer(signature.prefix(width)), DER.integer(signature.suffix(width))])
        } else {
            guard EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA, EVP_PKEY_get_bits(key) >= 2048 else { return false }
        }
        let context = try OpenSSL.require(EVP_MD_CTX_new(), what)
        defer { EVP_MD_CTX_free(context) }
        var settings: OpaquePointer?
        try OpenSSL.require(EVP_DigestVerifyInit(context, &settings, algorithm.hash, nil, key), what)
        if algorithm.isSaltedRSA {
            try OpenSSL.require(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING), what)
            // The salt is as long as the digest (RFC 7518, section 3.5).
            try OpenSSL.require(EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST), what)
        }
        let isValid = EVP_DigestVerify(context, encoded, encoded.count, message, message.count) == 1
        ERR_clear_error()
        return isValid
    }

    private static func curve(_ key: OpaquePointer) -> String? {
        var name = [CChar](repeating: 0, count: 80)
        var count = 0
        guard EVP_PKEY_get_group_name(key, &name, name.count, &count) == 1 else { return nil }
        return String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// An RSA key of its numbers, big-endian (RFC 7518, section 6.3.1).
    public init(rsaModulus modulus: [UInt8], exponent: [UInt8]) throws(AiboxError) {
        // More would only cost time.
        guard modulus.count <= 1024, exponent.count <= 8 else {
            throw AiboxError(.failed, "cannot read a public key", why: "its numbers are too long")
        }
        try self.init(
            encoded: DER.sequence([
                DER.sequence([DER.object(DER.rsa), DER.null]),
                DER.bits(DER.sequence([DER.integer(modulus[...]), DER.integer(exponent[...])])),
            ]))
    }

    /// A point on a curve (RFC 7518, section 6.2.1).
    ///
    /// - Parameter curve: `P-256`, `P-384` or `P-521`.
    public init(curve: String, x: [UInt8], y: [UInt8]) throws(AiboxError) {
        guard let (name, width) = DER.curves[curve], x.count == width, y.count == width else {
            throw AiboxError(.failed, "cannot read a public key", why: "its curve is unknown, or its point too short")
        }
        try self.init(
            encoded: DER.sequence([
                DER.sequence([DER.object(DER.ellipticKey), DER.object(name)]), DER.bits([4] + x + y),
            ]))
    }
}
