import AiboxCrypto
import AiboxSystem

/// A public key that may sign bundles. Its kind decides the one algorithm that it is used with.
struct BundleKey: Sendable, Equatable {
    let key: PublicKey
    let algorithm: Algorithm
    /// SHA-256 of the key in DER (SubjectPublicKeyInfo), in hexadecimal.
    let fingerprint: String

    /// As in the header of a signature (RFC 7518, section 3.1; RFC 8037, section 3.1).
    enum Algorithm: String, Sendable {
        case ed25519 = "EdDSA"
        case p256 = "ES256"
    }

    /// What SubjectPublicKeyInfo begins with (RFC 8410, section 4; RFC 5480, section 2, uncompressed).
    static let ed25519: [UInt8] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]
    private static let p256: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ]

    /// nil for a key of another kind.
    init?(_ key: PublicKey) throws(AiboxError) {
        self.key = key
        fingerprint = try SHA256.digest(key.encoded).hex
        if key.encoded.starts(with: Self.ed25519), key.encoded.count == Self.ed25519.count + 32 {
            algorithm = .ed25519
        } else if key.encoded.starts(with: Self.p256), key.encoded.count == Self.p256.count + 64 {
            algorithm = .p256
        } else {
            return nil
        }
    }

    /// The keys in PEM files. A file that holds none that can be used is an error, for it was meant to count.
    static func read(_ files: [String]) throws(AiboxError) -> [BundleKey] {
        var keys: [BundleKey] = []
        for file in files {
            let text = try File.text(file, limit: 1 << 20)
            if text.contains("PRIVATE KEY") {
                throw AiboxError(
                    .policyInvalid, "cannot use the key \(file)", why: "it is a private key",
                    remedy: "name the public half, and keep this file away from here")
            }
            let found = try PublicKey.all(pem: text)
            for key in found {
                guard let key = try BundleKey(key) else {
                    throw AiboxError(
                        .policyInvalid, "cannot use the key \(file)", why: "it is neither an Ed25519 nor a P-256 key")
                }
                keys.append(key)
            }
            if found.isEmpty {
                throw AiboxError(.policyInvalid, "cannot use the key \(file)", why: "it holds no PUBLIC KEY in PEM")
            }
        }
        return keys
    }

    /// Whether a signature as a JSON Web Signature has it is this key's.
    func hasSigned(_ message: [UInt8], jose signature: [UInt8]) throws(AiboxError) -> Bool {
        switch algorithm {
        case .ed25519: return try key.isValid(signature, of: message)
        case .p256:
            guard signature.count == 64 else { return false }
            return try key.isValid(Self.der(signature), of: message)
        }
    }

    /// Two numbers of 32 bytes as an ASN.1 sequence (RFC 3279, section 2.2.3).
    private static func der(_ signature: [UInt8]) -> [UInt8] {
        func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            var digits = Array(bytes.drop { $0 == 0 })
            if digits.first ?? 0x80 >= 0x80 { digits.insert(0, at: 0) }
            return [0x02, UInt8(digits.count)] + digits
        }
        let body = integer(signature[..<32]) + integer(signature[32...])
        return [0x30, UInt8(body.count)] + body
    }
}
