import AiboxCrypto
import AiboxSystem

/// The keys of a recording's chunks: one each, every one made from the one before, which is gone then.
///
/// The first is random and wrapped for the recipient: an X25519 key pair is made for this recording, the key that it
/// shares with the recipient encrypts the first chunk key, and its private half is thrown away. From then on the
/// recorder itself cannot open what it wrote: not the wrapped key, and not the chunks, whose keys are gone.
///
///     wrapping key = HKDF-SHA-256(X25519(ephemeral, recipient), salt: ephemeral || recipient, info: "aibox-recording-wrap-v1")
///     key of chunk n = HMAC-SHA-256(K_n, "chunk"), K_{n+1} = HMAC-SHA-256(K_n, "next")
final class RecordingCipher {
    private let key: SecretBytes
    private var index: UInt64 = 0
    private let binding: [UInt8]

    private static let info = Array("aibox-recording-wrap-v1".utf8)
    private static let zeroNonce = [UInt8](repeating: 0, count: AESGCM.nonceCount)

    /// For a new recording: completes its header.
    init(_ header: inout RecordingHeader, for recipient: RecordingRecipient) throws(AiboxError) {
        let ephemeral = try SecretBytes(count: X25519.keyCount)
        try SecureRandom.fill(ephemeral)
        key = try SecretBytes(count: AESGCM.keyCount)
        try SecureRandom.fill(key)
        header.ephemeral = try X25519.publicKey(of: ephemeral)
        let shared = try X25519.sharedSecret(ephemeral, with: recipient.publicKey)
        header.wrapped = try AESGCM.seal(
            Array(key.readable), key: try Self.wrapping(shared, header.ephemeral, recipient.publicKey),
            nonce: Self.zeroNonce)
        binding = try SHA256.digest(header.line).bytes
    }

    /// For reading.
    ///
    /// - Parameter line: the header's line as it stands in the file.
    init(_ header: RecordingHeader, line: [UInt8], _ key: RecordingKey) throws(AiboxError) {
        if header.recipient != key.recipient.fingerprint {
            throw AiboxError(
                .failed, "cannot read recording \(header.id)",
                why: "it is for the key \(header.recipient), and this one is \(key.recipient.fingerprint)")
        }
        let shared = try X25519.sharedSecret(key.secret, with: header.ephemeral)
        self.key = try SecretBytes(
            try AESGCM.open(
                header.wrapped, key: try Self.wrapping(shared, header.ephemeral, key.recipient.publicKey),
                nonce: Self.zeroNonce))
        binding = try SHA256.digest(line).bytes
    }

    private static func wrapping(
        _ shared: [UInt8], _ ephemeral: [UInt8], _ recipient: [UInt8]
    ) throws(AiboxError) -> [UInt8] {
        try HKDF.derive(secret: shared, salt: ephemeral + recipient, info: info, count: AESGCM.keyCount)
    }

    /// Encrypts the next chunk and forgets its key.
    func seal(_ chunk: [UInt8], isLast: Bool) throws(AiboxError) -> [UInt8] {
        let context = context(isLast)
        let sealed = try AESGCM.seal(chunk, key: try chunkKey(), nonce: nonce, authenticating: context)
        try advance()
        return sealed
    }

    func open(_ sealed: [UInt8], isLast: Bool) throws(AiboxError) -> [UInt8] {
        let context = context(isLast)
        let chunk = try AESGCM.open(sealed, key: try chunkKey(), nonce: nonce, authenticating: context)
        try advance()
        return chunk
    }

    /// What a chunk is bound to: its recording, its place, and whether it is the last.
    private func context(_ isLast: Bool) -> [UInt8] { binding + indexBytes + [isLast ? 1 : 0] }
    private var nonce: [UInt8] { [0, 0, 0, 0] + indexBytes }
    private var indexBytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: index >> (56 - 8 * UInt64($0))) } }

    private func chunkKey() throws(AiboxError) -> [UInt8] { try derive("chunk").bytes }

    private func advance() throws(AiboxError) {
        let next = try derive("next")
        next.withUnsafeBytes { key.bytes.copyMemory(from: $0) }
        index += 1
    }

    private func derive(_ label: String) throws(AiboxError) -> Digest256 {
        let hmac = try HMACSHA256()
        return try Array(label.utf8).borrowed { (bytes) throws(AiboxError) in try hmac.authenticate(bytes, key: key) }
    }
}
