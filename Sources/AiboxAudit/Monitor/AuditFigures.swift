import AiboxSystem
import AiboxWire

/// What Prometheus is told of events: how many of which type, outcome and severity, and what models took.
public struct AuditFigures: Sendable, Equatable {
    /// By type and outcome. All there can be are here from the start: of a counter that appears with its first event,
    /// Prometheus sees no increase, and no alert fires.
    private var events: [String: Int64] = [:]
    private var severities: [String: Int64] = [:]
    private var inputTokens: Int64 = 0
    private var outputTokens: Int64 = 0
    private var microdollars: Int64 = 0
    /// Of the newest event, in seconds since 1970.
    private(set) var newest: Int64?

    init() {
        for type in AuditEventType.allCases {
            for outcome in AuditOutcome.allCases { events[Self.labels(type.rawValue, outcome.rawValue)] = 0 }
        }
        for severity in AuditSeverity.allCases { severities["severity=\"\(severity.rawValue)\""] = 0 }
    }

    mutating func count(type: String, outcome: String, by number: Int64 = 1) {
        events[Self.labels(type, outcome), default: 0] += number
    }

    mutating func count(severity: String, by number: Int64 = 1) {
        severities["severity=\"\(Self.label(severity))\"", default: 0] += number
    }

    /// - Parameter details: those of an `llm.response`.
    mutating func spend(_ details: JSONValue?) {
        inputTokens += details?["input_tokens"]?.wholeNumber ?? 0
        outputTokens += details?["output_tokens"]?.wholeNumber ?? 0
        microdollars += details?["cost_microdollars"]?.wholeNumber ?? 0
    }

    mutating func saw(_ time: String) { newest = AuditTime.parse(time, now: .now)?.seconds ?? newest }

    /// The lines of each family that tells of events.
    var samples: [String: [String]] {
        var samples: [String: [String]] = [:]
        samples["aibox_audit_events_total"] = events.sorted { $0.key < $1.key }.map { "{\($0.key)} \($0.value)" }
        samples["aibox_audit_severe_events_total"] = severities.sorted { $0.key < $1.key }
            .map { "{\($0.key)} \($0.value)" }
        samples["aibox_llm_tokens_total"] = [
            "{direction=\"input\"} \(inputTokens)", "{direction=\"output\"} \(outputTokens)",
        ]
        samples["aibox_llm_cost_dollars_total"] = [" \(Double(microdollars) / 1_000_000)"]
        if let newest { samples["aibox_audit_last_event_timestamp_seconds"] = [" \(newest)"] }
        return samples
    }

    private static func labels(_ type: String, _ outcome: String) -> String {
        "outcome=\"\(label(outcome))\",type=\"\(label(type))\""
    }

    private static func label(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
