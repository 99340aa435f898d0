public import AiboxWire
import Rego

/// Answers questions by the policies in Rego, on the effective policy of one sandbox.
///
/// No rule, an error and a time-out mean deny. Other answers are remembered by the question: policy and policies are this
/// value's own, so that the same question has the same answer; another policy is another value, which remembers nothing
/// of this one.
public final class PolicyDecider {
    /// An answer, and what it was given to.
    public struct Answer: Sendable, Equatable {
        public var decision: PolicyDecision
        /// SHA-256 of the input document, in hexadecimal; empty if it could not be computed.
        public var input: String
    }

    public let engine: PolicyEngine
    private let policy: JSONValue
    private let read: Value?
    private let policyBytes: [UInt8]
    private let user: String
    private let sandbox: String?
    private var answers: [[UInt8]: Answer] = [:]

    /// A sandbox chooses what it asks: what is remembered has an end, and so has each question of it.
    static let remembered = 4096
    static let rememberedBytes = 4096

    /// - Parameter user: the person on whose behalf is asked.
    public convenience init(_ policy: EffectivePolicy, engine: PolicyEngine, user: String = "") {
        self.init(document: policy.decisionDocument, engine: engine, user: user)
    }

    /// - Parameters:
    ///   - document: the policy as the policies in Rego read it.
    ///   - sandbox: the name of the one that asks; nil where there is none yet.
    public init(document: JSONValue, engine: PolicyEngine, user: String, sandbox: String? = nil) {
        policy = document
        read = engine.read(document)
        policyBytes = PolicyInput.sortedBytes(document)
        self.engine = engine
        self.user = user
        self.sandbox = sandbox
    }

    public func decide(_ question: PolicyQuestion) -> PolicyDecision { answer(question).decision }

    public func answer(_ question: PolicyQuestion) -> Answer {
        let asked = asked(question)
        let key = asked.bytes
        if let known = answers[key] { return known }
        guard case .object(var input) = asked else { return Answer(decision: .refusal("no question"), input: "") }
        let digest = try? PolicyInput.digest(input, policy: policyBytes)
        input["policy"] = .null
        let decision = engine.decide(.object(input), policy: read)
        let answer = Answer(decision: decision, input: digest ?? "")
        if key.count > Self.rememberedBytes || decision.isError { return answer }
        if answers.count >= Self.remembered { answers.removeAll() }
        answers[key] = answer
        return answer
    }

    /// The input document without the policy: what is kept with a decision.
    public func asked(_ question: PolicyQuestion) -> JSONValue {
        let (action, name, value) = question.input
        let box: JSONObject = sandbox.map { ["name": .string($0)] } ?? [:]
        var asked: JSONObject = [
            "action": .string(action), "subject": ["user": .string(user)], "sandbox": .object(box),
        ]
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
