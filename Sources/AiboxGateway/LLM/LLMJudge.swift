import AiboxAudit
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import AiboxWire

/// Decides requests to language models by the policies in Rego. One thread uses it.
final class LLMJudge {
    private var plan: DecisionPlan
    private let user: String
    private let sandbox: String
    /// Made at the first need; one that cannot be made refuses.
    private var made: Result<Made, AiboxError>?

    private struct Made {
        var decider: PolicyDecider
        /// SHA-256 of the policies in Rego.
        var policies: String
    }

    /// Somebody waits for each request.
    private static let patience = Duration.seconds(1)

    init(_ plan: DecisionPlan, user: String, sandbox: String) {
        self.plan = plan
        self.user = user
        self.sandbox = sandbox
    }

    /// The ruling, and the event that has to be on the disk before it is given.
    func judge(_ request: LLMRequest) -> (ruling: LLMRuling, event: AuditEvent) {
        let begun = ContinuousClock.now
        let question = PolicyQuestion.model(
            request.model, provider: request.provider, endpoint: request.endpoint, isStream: request.isStream,
            hasTools: request.hasTools)
        var details: JSONObject = ["action": "llm"]
        let decision: PolicyDecision
        let isAllowed: Bool
        switch decider() {
        case .success(let made):
            let answer = made.decider.answer(question)
            decision = answer.decision
            // A request cannot wait for a review.
            isAllowed = decision.outcome == .allow
            details["question"] = made.decider.asked(question)
            details["input"] = answer.input.isEmpty ? nil : .string(answer.input)
            details["policies"] = .string(made.policies)
            if !isAllowed {
                details["origin"] = made.decider.engine.modules.place(ofRule: decision.rule).map {
                    .string(Self.carried($0))
                }
            }
        case .failure(let error):
            decision = PolicyDecision(
                outcome: .deny, risk: "blocked-by-default", rule: "error", layer: "org", reason: error.reason,
                obligations: [])
            isAllowed = false
        }
        let reason =
            Self.words(decision.reason) + (decision.outcome == .review ? ", and requests cannot be reviewed" : "")
        details["rule"] = .string(Self.carried(decision.rule))
        details["layer"] = .string(decision.layer)
        details["reason"] = .string(reason)
        details["duration_us"] = .integer(Int64(begun.duration(to: .now) / .microseconds(1)))
        let event = AuditEvent(
            isAllowed ? .policyAllow : .policyDeny, subject: Self.carried(request.model),
            outcome: isAllowed ? .allowed : .denied, details: details, risk: AuditRisk(rawValue: decision.risk))
        if isAllowed { return (.allowed, event) }
        return (
            LLMRuling(
                isAllowed: false, rule: Self.ascii(decision.rule), layer: Self.ascii(decision.layer), reason: reason),
            event
        )
    }

    /// The policy has lost what rested on exceptions.
    func end(_ ending: ExceptionEnding) {
        plan.policy = ending.applied(to: plan.policy)
        made = nil
    }

    /// Compiles the policies before the first question comes.
    func prepare() { _ = decider() }

    private func decider() -> Result<Made, AiboxError> {
        if let made { return made }
        let result: Result<Made, AiboxError>
        do throws(AiboxError) { result = .success(try make()) } catch { result = .failure(error) }
        made = result
        return result
    }

    private func make() throws(AiboxError) -> Made {
        let modules: PolicyModules
        do { modules = try PolicyModules(json: plan.modules) } catch {
            throw AiboxError(.usage, "cannot read the policies in Rego", why: "\(error)")
        }
        let engine = try PolicyEngine(modules, action: "llm", patience: Self.patience)
        return Made(
            decider: PolicyDecider(document: plan.policy, engine: engine, user: user, sandbox: sandbox),
            policies: try modules.digest())
    }

    private static func words(_ text: String) -> String { SafeText.escaped(String(text.prefix(1000))) }

    /// As a field of HTTP carries it.
    private static func ascii(_ text: String) -> String {
        String(
            decoding: text.utf8.prefix(200).map { (0x21...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    private static func carried(_ text: String) -> String { AuditText.carried(Array(text.utf8.prefix(2048))) }
}
