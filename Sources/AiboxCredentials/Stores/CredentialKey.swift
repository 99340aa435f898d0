import AiboxCrypto
import AiboxSystem

/// The key of the encrypted file, from which the two that are used are derived.
struct CredentialKey {
    private let master: SecretBytes
    /// Where it comes from, for messages.
    let words: String

    static let count = 32

    init(_ master: SecretBytes, words: String) {
        self.master = master
        self.words = words
    }

    func authenticate(_ message: [UInt8]) throws(AiboxError) -> Digest256 {
        var key = try derive("aibox credentials seal 1")
        defer { key.wipe() }
        return try HMACSHA256.authenticate(message, key: key)
    }

    /// For journals of leases, whose key is a file of its own.
    func authenticateLeases(_ message: [UInt8]) throws(AiboxError) -> Digest256 {
        var key = try derive("aibox leases seal 1")
        defer { key.wipe() }
        return try HMACSHA256.authenticate(message, key: key)
    }

    func entryKey() throws(AiboxError) -> [UInt8] { try derive("aibox credentials entry 1") }

    private func derive(_ purpose: String) throws(AiboxError) -> [UInt8] {
        var secret = Array(master.readable)
        defer { secret.wipe() }
        return try HKDF.derive(secret: secret, info: Array(purpose.utf8), count: AESGCM.keyCount)
    }

    // MARK: The key file

    private static let start = "aibox-credential-key:1:"

    /// - Returns: nil if there is no such file.
    static func read(_ path: String) throws(AiboxError) -> CredentialKey? {
        guard var bytes = try PrivateFile.read(path, limit: 1024) else { return nil }
        defer { bytes.wipe() }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix(start), text.hasSuffix("\n"),
            var key = Base64.decode(text.dropFirst(start.count).dropLast()), key.count == count
        else { throw AiboxError(.integrity, "\(path) cannot be used", why: "it is no credential key") }
        defer { key.wipe() }
        return CredentialKey(try SecretBytes(key), words: path)
    }

    /// Makes a new one, which must not be there yet.
    static func make(_ path: String) throws(AiboxError) -> CredentialKey {
        let secret = try SecretBytes(count: count)
        try SecureRandom.fill(secret)
        var bytes = Array((start + Base64.encode(Array(secret.readable)) + "\n").utf8)
        defer { bytes.wipe() }
        try Folder.make(Path.parent(path), mode: 0o700)
        try File.replace(path, with: bytes, mode: 0o600)
        return CredentialKey(secret, words: path)
    }

    // MARK: The passphrase

    static func derive(_ passphrase: Secret, _ scrypt: Scrypt, salt: [UInt8]) throws(AiboxError) -> CredentialKey {
        let result = passphrase.withBytes { bytes in
            Result { () throws(AiboxError) in try scrypt.derive(bytes, salt: salt, count: count) }
        }
        return CredentialKey(try result.get(), words: "the passphrase")
    }
}
