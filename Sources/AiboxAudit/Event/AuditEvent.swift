public import AiboxWire

/// Something that happened or was decided, before it is in the log.
///
/// Text from outside (names, URLs, arguments, output) comes in through `AuditText.carried`, which loses no byte.
/// Never put a secret into an event: a log cannot forget.
public struct AuditEvent: Sendable, Equatable {
    public var type: AuditEventType
    /// What it happened to: a host, a path, a command, a credential's name. Its meaning is the type's.
    public var subject: String
    public var outcome: AuditOutcome
    /// The fields of the type (docs/audit-events.md).
    public var details: JSONObject
    /// nil: the type's own.
    public var severity: AuditSeverity?
    /// nil: not classified.
    public var risk: AuditRisk?
    /// nil: the context that the log was opened with.
    public var context: AuditContext?

    public init(
        _ type: AuditEventType, subject: String = "", outcome: AuditOutcome = .success, details: JSONObject = [:],
        severity: AuditSeverity? = nil, risk: AuditRisk? = nil, context: AuditContext? = nil
    ) {
        self.type = type
        self.subject = subject
        self.outcome = outcome
        self.details = details
        self.severity = severity
        self.risk = risk
        self.context = context
    }

    /// What in the details does not fit the type: a missing field, an unknown one, one of another kind.
    ///
    /// Such an event is logged all the same, with these words in its `problems`: an emitter's slip is no reason to
    /// lose evidence. Tests of emitters ask for an empty list.
    public var problems: [String] {
        let fields = type.definition.fields
        var problems: [String] = []
        for field in fields where field.required && details[field.name] == nil {
            problems.append("details.\(field.name) is missing")
        }
        for member in details.members {
            guard let field = fields.first(where: { $0.name == member.name }) else {
                problems.append("details.\(member.name) is no field of \(type.rawValue)")
                continue
            }
            if !field.kind.accepts(member.value) {
                problems.append("details.\(member.name) is not of kind \(field.kind.rawValue)")
            }
        }
        return problems
    }
}
