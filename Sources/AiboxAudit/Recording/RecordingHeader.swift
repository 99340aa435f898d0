import AiboxCrypto
import AiboxSystem
import AiboxWire

/// What anybody can read of a recording: whose it is and for whom. One line of JSON at its beginning.
///
/// Every chunk is bound to these bytes, so that a changed header opens no chunk.
public struct RecordingHeader: Sendable, Equatable {
    public var id: String
    public var session: String
    public var sandbox: String
    public var user: String
    public var host: String
    /// UTC, RFC 3339.
    public var started: String
    /// shell, command or ssh.
    public var kind: String
    /// The fingerprint of the recipient.
    public var recipient: String
    /// The public half of a key pair that was used for this recording and thrown away.
    var ephemeral: [UInt8] = []
    /// The first chunk key, encrypted for the recipient.
    var wrapped: [UInt8] = []

    static let format = "aibox-recording-v1"
    static let largest = 65_536

    /// - Parameter id: names the recording; a new one has a ULID.
    public init(
        id: String, session: String, sandbox: String, user: String, host: String, started: String, kind: String,
        recipient: RecordingRecipient
    ) {
        self.id = id
        self.session = session
        self.sandbox = sandbox
        self.user = user
        self.host = host
        self.started = started
        self.kind = kind
        self.recipient = recipient.fingerprint
    }

    /// The line without its newline.
    var line: [UInt8] {
        let object: JSONObject = [
            "format": .string(Self.format), "id": .string(id), "session": .string(session),
            "sandbox": .string(sandbox), "user": .string(user), "host": .string(host), "started": .string(started),
            "kind": .string(kind), "recipient": .string(recipient), "ephemeral": .string(Base64.encode(ephemeral)),
            "wrapped": .string(Base64.encode(wrapped)),
        ]
        return JSONValue.object(object).bytes
    }

    init?(line: [UInt8]) {
        guard let json = try? JSONParser.parse(line), json["format"]?.stringValue == Self.format,
            let id = json["id"]?.stringValue, let session = json["session"]?.stringValue,
            let sandbox = json["sandbox"]?.stringValue, let user = json["user"]?.stringValue,
            let host = json["host"]?.stringValue, let started = json["started"]?.stringValue,
            let kind = json["kind"]?.stringValue, let recipient = json["recipient"]?.stringValue,
            let ephemeral = json["ephemeral"]?.stringValue.flatMap({ Base64.decode($0) }),
            let wrapped = json["wrapped"]?.stringValue.flatMap({ Base64.decode($0) })
        else { return nil }
        self.id = id
        self.session = session
        self.sandbox = sandbox
        self.user = user
        self.host = host
        self.started = started
        self.kind = kind
        self.recipient = recipient
        self.ephemeral = ephemeral
        self.wrapped = wrapped
    }
}
