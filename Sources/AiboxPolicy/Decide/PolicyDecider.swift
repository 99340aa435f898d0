public import AiboxWire

/// Answers questions by the policies in Rego, on the effective policy of one sandbox.
///
/// No rule, an error and a time-out mean deny. Answers are remembered by the question: policy and policies are this
/// value's own, and the same question has the same answer.
public final class PolicyDecider {
    public let engine: PolicyEngine
    private let policy: JSONValue
    private let user: String
    private var answers: [[UInt8]: PolicyDecision] = [:]

    /// - Parameter user: the person on whose behalf is asked.
    public convenience init(_ policy: EffectivePolicy, engine: PolicyEngine, user: String = "") {
        self.init(document: policy.decisionDocument, engine: engine, user: user)
    }

    /// - Parameter document: the policy as the policies in Rego read it.
    public init(document: JSONValue, engine: PolicyEngine, user: String) {
        policy = document
        self.engine = engine
        self.user = user
    }

    public func decide(_ question: PolicyQuestion) -> PolicyDecision {
        let key = asked(question).bytes
        if let known = answers[key] { return known }
        let answer = engine.decide(input(question))
        if key.count > 4096 { return answer }
        // A sandbox chooses what it asks: what is remembered has an end.
        if answers.count >= 4096 { answers.removeAll() }
        answers[key] = answer
        return answer
    }

    /// The input document without the policy: what is kept with a decision.
    public func asked(_ question: PolicyQuestion) -> JSONValue {
        let (action, name, value) = question.input
        var asked: JSONObject = ["action": .string(action), "subject": ["user": .string(user)], "sandbox": [:]]
        asked[name] = value
        return .object(asked)
    }

    /// The input document.
    public func input(_ question: PolicyQuestion) -> JSONValue {
        guard case .object(var input) = asked(question) else { return .null }
        input["policy"] = policy
        return .object(input)
    }

    /// Why something is refused; see `PolicyEngine`.
    public func violations(of question: PolicyQuestion) -> [PolicyDecision.Violation] {
        engine.violations(of: input(question))
    }
}
