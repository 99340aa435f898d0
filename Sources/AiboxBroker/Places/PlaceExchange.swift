import AiboxAudit
import AiboxNetwork
import AiboxWire
import NIOCore

/// One request to a place and its answer: what is known of them so far.
struct PlaceExchange {
    let id: String
    let kind: PlaceGrant.Kind
    let head: HTTPRequestHead
    /// As it was when the request began.
    let configuration: BrokerConfiguration
    var route: (any PlaceRoute)?
    var access: PlaceAccess?
    /// A stand-in that the request brings.
    var misuse: Surrogate?
    var reader: ContentReader
    /// Bytes of the body that went on.
    var sent = 0
    /// Its end is with the server too.
    var isSent = false
    /// What went on of it, while there is little of it: it may have to be sent again.
    private(set) var kept: ByteBuffer? = ByteBuffer()
    /// It was sent a second time.
    var isRepeated = false
    /// The head of the answer is out.
    var isAnswering = false
    private var rewriting: LinkRewriting?
    private var answer: AnswerStream

    init(_ head: HTTPRequestHead, _ kind: PlaceGrant.Kind, _ configuration: BrokerConfiguration, id: String) {
        self.id = id
        self.kind = kind
        self.head = head
        self.configuration = configuration
        reader = ContentReader(head.body, isLenient: false)
        answer = AnswerStream(configuration.forms)
    }

    private static let keptLimit = 64 << 10

    mutating func passed(_ piece: ByteBuffer) {
        sent += piece.readableBytes
        if sent > Self.keptLimit { kept = nil }
        kept?.writeImmutableBuffer(piece)
    }

    // MARK: The answer

    /// How often a secret was in it.
    var redactions: Int { answer.redactions }
    var endsWithConnection: Bool { answer.endsWithConnection }

    /// - Returns: the head as the sandbox gets it.
    mutating func begin(_ head: UpstreamHead) -> [UInt8] {
        var head = head
        isAnswering = true
        kept = nil
        if kind != .git {
            // What is asked for is always the whole.
            head.fields.removeAll { $0.name == "accept-ranges" }
            let links = links(head.value("content-type"))
            for index in head.fields.indices where head.fields[index].name == "link" {
                head.fields[index].value = links?.rewritten(head.fields[index].value) ?? []
            }
            if kind == .mirror, (200..<300).contains(head.status), LinkRewriting.isIndex(head.value("content-type")) {
                // Sums of what the client does not get.
                let sums = ["content-digest", "content-md5", "digest", "repr-digest"]
                head.fields.removeAll { sums.contains($0.name) }
                if head.body != HTTPRequestHead.Body.none {
                    rewriting = links
                    // Its length changes.
                    if links != nil { head.body = nil }
                }
            }
        }
        return answer.begin(head, for: self.head)
    }

    /// nil where the client says of no host that it asks it.
    private func links(_ contentType: String?) -> LinkRewriting? {
        guard let route, let host = head.host else { return nil }
        return LinkRewriting(
            configuration.places.filter { route.isFor($0.grant) }, broker: "\(host.host):\(host.port ?? 80)",
            root: kind == .mirror ? (kind.prefix + route.authority, contentType) : nil)
    }

    mutating func pass(_ content: ByteBuffer, _ write: (ByteBuffer) -> Void) {
        let content = rewriting?.feed(content) ?? content
        if content.readableBytes > 0 { answer.pass(content, write) }
    }

    mutating func finish(_ write: (ByteBuffer) -> Void) {
        if let rest = rewriting?.finish(), rest.readableBytes > 0 { answer.pass(rest, write) }
        answer.finish(write)
    }

    // MARK: The audit log

    func asked() -> AuditEvent { event(.allowed, reason: nil) }

    func refused(_ refusal: BrokerRefusal) -> AuditEvent {
        var event = event(refusal.isDenial ? .denied : .failure, reason: "\(refusal.rule): \(refusal.reason)")
        if refusal.isDenial { event.severity = .warning }
        if let misuse {
            event.severity = .high
            event.subject = misuse.credential ?? event.subject
            event.details["surrogate"] = misuse.digest.map { .string($0) }
        }
        return event
    }

    func redacted() -> AuditEvent {
        var event = event(
            .failure, reason: "the server sent the credential back \(answer.redactions) times; it was masked")
        event.severity = .high
        return event
    }

    private func event(_ outcome: AuditOutcome, reason: String?) -> AuditEvent {
        var details: JSONObject = ["kind": .string(kind.rawValue), "request": .string(id)]
        if let route {
            details["host"] = .string(Self.carried(route.authority))
            details["path"] = .string(Self.carried(route.path))
            details["operation"] = .string(route.operation)
        }
        details["reason"] = reason.map { .string(Self.carried($0)) }
        return AuditEvent(
            .credentialUse, subject: access?.grant.name ?? kind.rawValue, outcome: outcome, details: details)
    }

    private static func carried(_ text: String) -> String { AuditText.carried(Array(text.utf8.prefix(512))) }
}
