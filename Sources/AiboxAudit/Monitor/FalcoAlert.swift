import AiboxSystem
import AiboxWire

/// An alert of Falco as it prints it with `json_output: true` (falco.org/docs/concepts/outputs/formatting), a line each.
public struct FalcoAlert: Sendable, Equatable {
    /// Bytes of a line at most.
    public static let limit = 131_072
    /// What podman calls the containers of sandboxes.
    private static let containerPrefix = "aibox-"

    /// `falco.alert`, said of the sandbox in whose container Falco saw it; of none where it names no container of aibox.
    public let event: AuditEvent

    /// nil unless the line is an object with a rule and an output.
    public init?(_ line: some Collection<UInt8>) {
        guard line.count <= Self.limit, let json = try? JSONParser.parse(Array(line)),
            let rule = json["rule"]?.stringValue, let output = json["output"]?.stringValue
        else { return nil }
        var details: JSONObject = ["output": .string(Self.carried(output))]
        let priority = json["priority"]?.stringValue
        details["priority"] = priority.map { .string(Self.carried($0)) }
        var sandbox = ""
        if case .object(let fields)? = json["output_fields"] {
            details["fields"] = .object(fields)
            if let name = fields["container.name"]?.stringValue, name.hasPrefix(Self.containerPrefix) {
                sandbox = String(name.dropFirst(Self.containerPrefix.count))
            }
        }
        event = AuditEvent(
            .falcoAlert, subject: Self.carried(rule), outcome: .unknown, details: details,
            severity: Self.severity(priority), context: AuditContext(source: .falco, sandbox: sandbox))
    }

    /// Falco's priorities are those of syslog.
    private static func severity(_ priority: String?) -> AuditSeverity {
        switch priority?.lowercased() {
        case "emergency", "alert", "critical": .critical
        case "warning", "notice": .warning
        case "informational", "info", "debug": .info
        default: .high
        }
    }

    private static func carried(_ text: String) -> String { AuditText.carried(Array(text.utf8)) }
}
