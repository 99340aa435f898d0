import AiboxCrypto
public import AiboxSystem

/// Who can read recordings: the public half of a key, and all that a recorder ever has of it.
public struct RecordingRecipient: Sendable, Equatable {
    let publicKey: [UInt8]

    private static let prefix = "aibox-recording:"

    init(publicKey: [UInt8]) { self.publicKey = publicKey }

    /// From `aibox-recording:BASE64`; nil for anything else.
    public init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), let bytes = Base64.decode(text.dropFirst(Self.prefix.count)),
            bytes.count == X25519.keyCount
        else { return nil }
        publicKey = bytes
    }

    public var text: String { Self.prefix + Base64.encode(publicKey) }

    /// 16 hexadecimal digits by which people tell keys apart.
    public var fingerprint: String {
        guard let digest = try? SHA256.digest(publicKey) else { return "" }
        return String(digest.hex.prefix(16))
    }
}

/// The key that reads recordings. Belongs to whoever reviews them, best on another machine.
///
///     aibox-recording-key v1
///     recipient aibox-recording:BASE64
///     secret BASE64
public struct RecordingKey {
    let secret: SecretBytes
    public let recipient: RecordingRecipient

    private static let title = "aibox-recording-key v1"

    /// A new one.
    public init() throws(AiboxError) {
        let secret = try SecretBytes(count: X25519.keyCount)
        try SecureRandom.fill(secret)
        self.secret = secret
        recipient = RecordingRecipient(publicKey: try X25519.publicKey(of: secret))
    }

    public init(_ text: String, from path: String) throws(AiboxError) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 4, lines[0] == Self.title, lines[1].hasPrefix("recipient "), lines[2].hasPrefix("secret "),
            let recipient = RecordingRecipient(String(lines[1].dropFirst(10))),
            let bytes = Base64.decode(lines[2].dropFirst(7)), bytes.count == X25519.keyCount
        else { throw AiboxError(.usage, "\(path) is no key for recordings") }
        secret = try SecretBytes(bytes)
        self.recipient = recipient
        if try X25519.publicKey(of: secret) != recipient.publicKey {
            throw AiboxError(.integrity, "cannot use the key in \(path)", why: "its two halves do not belong together")
        }
    }

    /// The file's content: a secret.
    public var text: String {
        "\(Self.title)\nrecipient \(recipient.text)\nsecret \(Base64.encode(Array(secret.readable)))\n"
    }
}
