import AiboxAudit
import AiboxNetwork
import AiboxWire
import NIOCore

/// One request of git and its answer: what is known of them so far.
struct GitExchange {
    let id: String
    let head: HTTPRequestHead
    /// As it was when the request began.
    let configuration: BrokerConfiguration
    var route: GitRoute?
    var access: GitAccess?
    var reader: ContentReader
    /// Its end is with the server too.
    var isSent = false
    /// The head of the answer is out.
    var isAnswering = false
    var answer: AnswerStream

    init(_ head: HTTPRequestHead, _ configuration: BrokerConfiguration, id: String) {
        self.id = id
        self.head = head
        self.configuration = configuration
        reader = ContentReader(head.body, isLenient: false)
        answer = AnswerStream(configuration.forms)
    }

    func asked() -> AuditEvent { event(.allowed, reason: nil) }

    func refused(_ refusal: BrokerRefusal) -> AuditEvent {
        var event = event(refusal.isDenial ? .denied : .failure, reason: "\(refusal.rule): \(refusal.reason)")
        if refusal.isDenial { event.severity = .warning }
        return event
    }

    func redacted() -> AuditEvent {
        var event = event(
            .failure, reason: "the server sent the credential back \(answer.redactions) times; it was masked")
        event.severity = .high
        return event
    }

    private func event(_ outcome: AuditOutcome, reason: String?) -> AuditEvent {
        var details: JSONObject = ["kind": "git", "request": .string(id)]
        if let route {
            details["host"] = .string(Self.carried(route.host.text + (route.port == 443 ? "" : ":\(route.port)")))
            details["path"] = .string(Self.carried(route.repository))
            details["operation"] = .string(route.service.operation)
        }
        details["reason"] = reason.map { .string(Self.carried($0)) }
        return AuditEvent(
            .credentialUse, subject: access?.grant.name ?? "git", outcome: outcome, details: details)
    }

    private static func carried(_ text: String) -> String { AuditText.carried(Array(text.utf8.prefix(512))) }
}
