import AiboxCrypto
import AiboxSystem

/// The MAC keys of the log: one a line, each made from the one before by a step that cannot be undone.
///
///     key of line n+1 = SHA-256("aibox-audit-ratchet-v1" || key of line n)
final class MACRatchet {
    /// The key of the next line.
    let key: SecretBytes
    private let hmac: HMACSHA256
    private let hash: SHA256
    /// The key after `key`, where it is computed.
    private var successor: SecretBytes?
    private var hasSuccessor = false
    private static let label = Array("aibox-audit-ratchet-v1".utf8)

    /// Takes the key as its own.
    init(_ key: SecretBytes) throws(AiboxError) {
        self.key = key
        hmac = try HMACSHA256()
        hash = try SHA256()
    }

    /// The leaf hash of a whole line and the MAC of its first bytes, computed together; nil where only one after the
    /// other is possible. `advance` costs nothing afterwards.
    func digests(
        of line: UnsafeRawBufferPointer, authenticating count: Int
    ) throws(AiboxError) -> (leaf: Digest256, mac: Digest256)? {
        guard LineDigests.isAvailable else { return nil }
        let successor: SecretBytes
        if let made = self.successor { successor = made } else { successor = try SecretBytes(count: Digest256.count) }
        self.successor = successor
        hasSuccessor = true
        return LineDigests.compute(
            line, authenticating: count, key: key, label: Self.label, successor: successor)
    }

    /// The MAC of a line under the current key.
    func authenticate(_ bytes: UnsafeRawBufferPointer) throws(AiboxError) -> Digest256 {
        try hmac.authenticate(bytes, key: key)
    }

    /// Replaces the key by its successor; the old one is gone from this object.
    func advance() throws(AiboxError) {
        if hasSuccessor, let successor {
            hasSuccessor = false
            key.replace(with: successor)
            return
        }
        try hash.start()
        try hash.update(Self.label)
        try hash.update(key)
        let next = try hash.finish()
        next.withUnsafeBytes { key.bytes.copyMemory(from: $0) }
    }

    func copy() throws(AiboxError) -> MACRatchet { try MACRatchet(SecretBytes(copying: key)) }
}

/// The one-time signing keys of the checkpoints: each exists until its checkpoint is written.
///
///     seed of the next = HMAC-SHA-256(seed, "next"), private key = HMAC-SHA-256(seed, "key")
final class OneTimeKeys {
    let seed: SecretBytes

    init(_ seed: SecretBytes) { self.seed = seed }

    /// The private key of the checkpoint to come.
    func current() throws(AiboxError) -> SecretBytes { try derive("key") }

    func publicKey() throws(AiboxError) -> [UInt8] { try Ed25519.publicKey(seed: current()) }

    /// The keys of the checkpoint after that.
    func successor() throws(AiboxError) -> OneTimeKeys { OneTimeKeys(try derive("next")) }

    private func derive(_ label: String) throws(AiboxError) -> SecretBytes {
        let message = Array(label.utf8)
        let hmac = try HMACSHA256()
        let result = message.withUnsafeBytes { bytes in
            Result { () throws(AiboxError) in try hmac.authenticate(bytes, key: seed) }
        }
        let secret = try SecretBytes(count: Digest256.count)
        try result.get().withUnsafeBytes { secret.bytes.copyMemory(from: $0) }
        return secret
    }
}
