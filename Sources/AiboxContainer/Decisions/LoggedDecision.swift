public import AiboxAudit
public import AiboxNetwork
public import AiboxPolicy
public import AiboxWire

/// A decision as the audit log has it: an event of `policy.allow`, `policy.deny`, `network.allow` or `network.deny`.
public struct LoggedDecision: Sendable {
    public let record: AuditRecord
    public let isAllowed: Bool
    /// `start`, `network`, ...
    public let action: String

    /// The types of event that are decisions.
    public static let types: [AuditEventType] = [.policyAllow, .policyDeny, .networkAllow, .networkDeny]

    /// - Returns: nil for an event that is no decision.
    public init?(_ record: AuditRecord) {
        guard let type = AuditEventType(rawValue: record.type), Self.types.contains(type) else { return nil }
        self.record = record
        isAllowed = type == .policyAllow || type == .networkAllow
        let isNetwork = type == .networkAllow || type == .networkDeny
        action = isNetwork ? "network" : record.json["details"]?["action"]?.stringValue ?? ""
    }

    /// A text of the event's details; empty where there is none.
    public func detail(_ name: String) -> String { record.json["details"]?[name]?.stringValue ?? "" }

    public var decision: String { isAllowed ? "allow" : "deny" }

    /// What the policy said, whatever became of it: `allow`, `review-async`, `review` or `deny`. A review to which a person
    /// agreed was allowed, and one to which nobody did was denied; it is a review all the same.
    public var verdict: String {
        if action == "network" { return decision }
        if detail("review") == "afterwards" { return "review-async" }
        return risk == "review-required" || !approval.isEmpty ? "review" : decision
    }

    /// What another answer to the same question is as such a verdict: connections cannot be reviewed.
    public func verdict(_ decision: PolicyDecision) -> String {
        action == "network" && decision.outcome != .allow ? "deny" : decision.verdict
    }

    public var rule: String { detail("rule") }
    public var layer: String { detail("layer") }
    public var reason: String { detail("reason") }
    /// The id of the question that a person was asked; empty where nobody was.
    public var approval: String { detail("approval") }
    /// Who answered it; empty where nobody did in time.
    public var approver: String { detail("approver") }
    /// The digest of the policy in force; empty where none was.
    public var policy: String { record.json["policy"]?.stringValue ?? "" }
    public var risk: String {
        record.json["risk"]?.stringValue ?? (isAllowed ? "safe" : "blocked-by-default")
    }

    /// What the sandbox's own policy said, where learning let through what it refuses; else nil.
    public var would: (decision: String, rule: String)? {
        let decision = detail("would")
        return decision.isEmpty ? nil : (decision, detail("would_rule"))
    }

    /// How long the decision took, in microseconds.
    public var microseconds: Int64? { record.json["details"]?["duration_us"]?.wholeNumber }

    /// The question of a decision by the policies in Rego, without the policy.
    public var question: JSONValue? { record.json["details"]?["question"] }

    /// The request of a decision about a connection; nil where so little of it could be read that there is none.
    public var request: EgressRequest? {
        let details = record.json["details"]
        let host = detail("host")
        guard let port = details?["port"]?.wholeNumber.flatMap({ UInt16(exactly: $0) }), !host.isEmpty else {
            // Squid's refusals name a URL.
            return record.subject.isEmpty ? nil : try? EgressRequest(record.subject, method: method)
        }
        let scheme = detail("protocol")
        if scheme == "http" || scheme == "https", !detail("path").isEmpty {
            return try? EgressRequest("\(scheme)://\(host):\(port)\(detail("path"))", method: method)
        }
        return try? EgressRequest("\(host):\(port)")
    }

    private var method: String { detail("method").isEmpty ? "GET" : detail("method") }
}
