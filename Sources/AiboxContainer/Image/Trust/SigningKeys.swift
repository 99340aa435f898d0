public import AiboxConfig
import AiboxCrypto
public import AiboxSystem

/// The public keys that may sign images (`registry.keys`), sorted by kind. One valid signature of any of them is enough.
public struct SigningKeys: Sendable, Equatable {
    /// Keys in PEM, as `cosign generate-key-pair` writes them.
    var sigstore: [PublicKey] = []
    /// OpenPGP keys, as `gpg --export` writes them, each file's bytes.
    var openPGP: [[UInt8]] = []

    var isEmpty: Bool { sigstore.isEmpty && openPGP.isEmpty }

    init() {}

    /// Reads the files; one that holds no public key is an error, for it was meant to count.
    public init(files: [String], paths: Paths) throws(AiboxError) {
        for file in files {
            let path = paths.absolute(file, base: paths.home)
            let bytes = try File.read(path, limit: 1 << 20)
            let text = String(decoding: bytes, as: UTF8.self)
            if text.contains("PRIVATE KEY") {
                throw AiboxError(
                    .usage, "cannot use the key \(path)", why: "it is a private key",
                    remedy: "name the public half in registry.keys, and keep this file away from here")
            }
            // A binary OpenPGP packet begins with its highest bit set (RFC 9580, section 4.2).
            if text.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----") || (bytes.first ?? 0) & 0x80 != 0 {
                openPGP.append(bytes)
                continue
            }
            let keys = try PublicKey.all(pem: text)
            if keys.isEmpty {
                throw AiboxError(
                    .usage, "cannot use the key \(path)", why: "it is neither a PEM nor an OpenPGP public key",
                    remedy: "name the .pub file of cosign, or the output of gpg --export")
            }
            sigstore += keys
        }
    }

    /// What a record of a check names the key by: the digest of its bytes.
    static func fingerprint(_ key: [UInt8]) throws(AiboxError) -> String { try ImageDigest.of(key).hexadecimal }

    /// The fingerprints of all keys.
    func fingerprints() throws(AiboxError) -> Set<String> {
        var result: Set<String> = []
        for key in sigstore { result.insert(try Self.fingerprint(key.encoded)) }
        if !openPGP.isEmpty { result.insert(try Self.fingerprint(Array(openPGP.joined()))) }
        return result
    }
}
