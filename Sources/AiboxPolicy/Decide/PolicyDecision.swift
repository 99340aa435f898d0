public import AiboxWire

/// An answer of the decision contract.
public struct PolicyDecision: Sendable, Equatable {
    public enum Outcome: String, Sendable, CaseIterable { case allow, review, deny }

    public var outcome: Outcome
    /// `safe`, `review-required` or `blocked-by-default`.
    public var risk: String
    public var rule: String
    /// `org`, `team` or `project`.
    public var layer: String
    public var reason: String
    /// What goes with an answer that is not a denial, such as `review-async`.
    public var obligations: [String]

    public init(
        outcome: Outcome, risk: String, rule: String, layer: String, reason: String, obligations: [String]
    ) {
        self.outcome = outcome
        self.risk = risk
        self.rule = rule
        self.layer = layer
        self.reason = reason
        self.obligations = obligations
    }

    /// The answer in a word: `allow`, `review-async`, `review` or `deny`.
    public var verdict: String { outcome == .review && isAfterwards ? Self.afterwards : outcome.rawValue }

    /// It goes on, and is looked at later.
    public var isAfterwards: Bool { obligations.contains(Self.afterwards) }

    private static let afterwards = "review-async"

    /// One of the reasons for a denial.
    public struct Violation: Sendable, Equatable {
        public var rule: String
        public var reason: String

        public init(rule: String, reason: String) {
            self.rule = rule
            self.reason = reason
        }
    }

    /// What stands for every failure to decide.
    private static let errorRule = "error"

    /// No rule says so: it could not be decided, this time.
    public var isError: Bool { rule == Self.errorRule && outcome == .deny }

    static func refusal(_ why: String) -> PolicyDecision {
        PolicyDecision(
            outcome: .deny, risk: "blocked-by-default", rule: errorRule, layer: "org", reason: why, obligations: [])
    }
}

extension PolicyDecision {
    /// In the form of the decision contract.
    public var json: JSONValue {
        [
            "decision": .string(outcome.rawValue), "risk": .string(risk), "rule": .string(rule),
            "layer": .string(layer), "reason": .string(reason),
            "obligations": .array(obligations.map { .string($0) }),
        ]
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "decision")
        guard let outcome = Outcome(rawValue: try fields.string("decision")) else {
            throw fields.error("decision is neither allow, review nor deny")
        }
        self.init(
            outcome: outcome, risk: try fields.string("risk"), rule: try fields.string("rule"),
            layer: try fields.string("layer"), reason: try fields.string("reason"),
            obligations: try fields.texts("obligations"))
        try fields.finish()
    }
}
