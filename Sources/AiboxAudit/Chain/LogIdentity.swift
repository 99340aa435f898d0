import AiboxCrypto
import AiboxSystem

/// Who a log is: the content of `log.pub`, whose digest is the `prev` of the first event.
///
///     aibox-audit-log v1
///     origin aibox-audit/HOST/RANDOM
///     key ORIGIN+ID+BASE64        the log's key, which signs every checkpoint
///     once BASE64                 the one-time key that signs the first checkpoint
///     place HOST:FOLDER           where it was made
///     created TIME
struct LogIdentity: Sendable, Equatable {
    var key: NoteKey
    var once: [UInt8]
    var place: String
    var created: String

    var origin: String { key.name }
    private static let title = "aibox-audit-log v1"

    func text() throws(AiboxError) -> String {
        """
        \(Self.title)
        origin \(origin)
        key \(try key.text())
        once \(Base64.encode(once))
        place \(place)
        created \(created)

        """
    }

    /// The digest of the text: binds the chain to its keys.
    func anchor() throws(AiboxError) -> Digest256 { try SHA256.digest(text()) }

    /// - Throws: `integrity` if the text is not exactly one that `text` makes.
    init(_ text: String, from path: String) throws(AiboxError) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        func value(_ index: Int, _ name: String) -> Substring? {
            guard lines.count == 7, lines[index].hasPrefix(name + " ") else { return nil }
            return lines[index].dropFirst(name.count + 1)
        }
        guard lines.first.map(String.init) == Self.title, let origin = value(1, "origin"),
            let keyText = value(2, "key"),
            let key = try NoteKey(keyText), let onceText = value(3, "once"), let once = Base64.decode(onceText),
            once.count == Ed25519.keyCount, let place = value(4, "place"), let created = value(5, "created")
        else {
            throw AiboxError(.integrity, "cannot use the audit log's public key", why: "\(path) is damaged")
        }
        self.init(key: key, once: once, place: String(place), created: String(created))
        let again = try self.text()
        if self.origin != origin || again != text {
            throw AiboxError(.integrity, "cannot use the audit log's public key", why: "\(path) contradicts itself")
        }
    }

    init(key: NoteKey, once: [UInt8], place: String, created: String) {
        self.key = key
        self.once = once
        self.place = place
        self.created = created
    }

    /// A name for a log that nobody else has: the machine, where the log lies, and 128 random bits.
    static func newOrigin(host: String, place: String) throws(AiboxError) -> String {
        let plain = host.lowercased().map {
            $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") ? $0 : "-"
        }
        let machine = plain.isEmpty ? "unknown" : String(plain)
        return "aibox-audit/\(machine)/\(try mark(of: place))\(Hex.encode(try SecureRandom.bytes(16)))"
    }

    /// How the random part of every log's name begins that was made at one place: a second place finds those among
    /// many thousands without opening the others.
    static func mark(of place: String) throws(AiboxError) -> String { String(try SHA256.digest(place).hex.prefix(16)) }

    /// The name of the log's files in a second place: the origin's last part.
    var fileName: String { String(origin.split(separator: "/").last ?? "log") }
}

/// What the auditor keeps: the first MAC key, from which all others follow.
///
///     aibox-audit-auditor v1
///     origin ORIGIN
///     anchor HEX                  SHA-256 of log.pub
///     secret BASE64               the MAC key of the first event
struct AuditorKey {
    var origin: String
    var anchor: Digest256
    var secret: [UInt8]

    private static let title = "aibox-audit-auditor v1"

    var text: String {
        """
        \(Self.title)
        origin \(origin)
        anchor \(anchor.hex)
        secret \(Base64.encode(secret))

        """
    }

    init(origin: String, anchor: Digest256, secret: [UInt8]) {
        self.origin = origin
        self.anchor = anchor
        self.secret = secret
    }

    init(_ text: String, from path: String) throws(AiboxError) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 5, lines[0] == Self.title, lines[1].hasPrefix("origin "), lines[2].hasPrefix("anchor "),
            lines[3].hasPrefix("secret "), let anchor = Digest256(hex: String(lines[2].dropFirst(7))),
            let secret = Base64.decode(lines[3].dropFirst(7)), secret.count == Digest256.count
        else { throw AiboxError(.integrity, "cannot use the auditor's key", why: "\(path) is damaged") }
        self.init(origin: String(lines[1].dropFirst(7)), anchor: anchor, secret: secret)
    }

    static func isOne(_ text: String) -> Bool { text.hasPrefix(title) }
}
