import AiboxWire

/// What a type of event means and carries: the source of docs/audit-events.md and of the JSON schema.
public struct AuditEventDefinition: Sendable {
    /// One sentence.
    public var summary: String
    /// What `subject` holds.
    public var subject: String
    public var severity: AuditSeverity
    public var retention: AuditRetention
    public var fields: [Field]

    /// A field of `details`.
    public struct Field: Sendable {
        public var name: String
        public var kind: Kind
        public var required: Bool
        public var summary: String
    }

    public enum Kind: String, Sendable {
        case text
        case integer
        case boolean
        /// A list of texts.
        case texts
        /// Any JSON object.
        case object

        func accepts(_ value: JSONValue) -> Bool {
            switch (self, value) {
            case (.text, .string), (.integer, .integer), (.boolean, .bool), (.object, .object): true
            case (.texts, .array(let elements)): elements.allSatisfy { $0.stringValue != nil }
            default: false
            }
        }
    }

    init(
        _ summary: String, subject: String, severity: AuditSeverity = .info, retention: AuditRetention = .tier1,
        _ fields: Field...
    ) {
        self.summary = summary
        self.subject = subject
        self.severity = severity
        self.retention = retention
        self.fields = fields
    }
}

extension AuditEventDefinition.Field {
    static func required(_ name: String, _ kind: AuditEventDefinition.Kind, _ summary: String) -> Self {
        Self(name: name, kind: kind, required: true, summary: summary)
    }

    static func optional(_ name: String, _ kind: AuditEventDefinition.Kind, _ summary: String) -> Self {
        Self(name: name, kind: kind, required: false, summary: summary)
    }
}
