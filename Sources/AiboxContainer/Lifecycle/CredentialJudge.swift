import AiboxAudit
import AiboxPolicy
import AiboxSystem
import AiboxWire

/// Asks the policies in Rego about each credential that a start would lend.
struct CredentialJudge {
    private let decider: PolicyDecider
    private let policy: EffectivePolicy
    private let modules: PolicyModules
    /// SHA-256 of the policies in Rego.
    let policies: String

    init(
        _ policy: EffectivePolicy, _ modules: PolicyModules, user: String, sandbox: String
    ) throws(AiboxError) {
        decider = PolicyDecider(
            document: policy.decisionDocument, engine: try PolicyEngine(modules, action: "credential"), user: user,
            sandbox: sandbox)
        self.policy = policy
        self.modules = modules
        policies = try modules.digest()
    }

    func rule(_ question: PolicyQuestion, name: String) throws(AiboxError) -> CredentialRuling {
        let answer = decider.answer(question)
        let rule = answer.decision.rule
        let asked = decider.asked(question)
        let authority = PolicyAuthority(
            policy, modules, action: question.action, credential: asked["credential"]?["type"]?.stringValue)
        return CredentialRuling(
            name: name, answer: answer, question: asked, policies: policies,
            place: authority.place(rule), owner: authority.owner(rule))
    }
}

/// What the policies in Rego say of one credential.
struct CredentialRuling: Sendable, Equatable {
    /// The credential's.
    var name: String
    var answer: PolicyDecider.Answer
    /// As it is kept with the decision: the question without the policy.
    var question: JSONValue
    /// SHA-256 of the policies in Rego.
    var policies: String
    /// `file:line` of the rule that decided.
    var place: String?
    var owner: String

    /// Nobody reviews a credential: only `allow` lends it.
    var isLent: Bool { answer.decision.outcome == .allow }

    /// For the person; nil if it is lent.
    var note: String? {
        if isLent { return nil }
        let decision = answer.decision
        let at = place.map { ", \($0)" } ?? ""
        return SafeText.escaped(
            "\(name) is not lent: \(decision.reason) (rule \(decision.rule), \(decision.layer)\(at)); \(owner)")
    }

    /// The decision with everything that makes it again.
    var event: AuditEvent {
        let decision = answer.decision
        var details: JSONObject = ["action": "credential", "rule": .string(decision.rule)]
        details["layer"] = .string(decision.layer)
        details["origin"] = place.map { .string(AuditText.carried(Array($0.utf8))) }
        details["reason"] = .string(AuditText.carried(Array(decision.reason.utf8)))
        details["question"] = question
        details["input"] = answer.input.isEmpty ? nil : .string(answer.input)
        details["policies"] = .string(policies)
        return AuditEvent(
            isLent ? .policyAllow : .policyDeny, subject: AuditText.carried(Array(name.utf8)),
            outcome: isLent ? .allowed : .denied, details: details, risk: AuditRisk(rawValue: decision.risk))
    }
}
