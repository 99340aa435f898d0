import AiboxPolicy
import AiboxSystem
import AiboxWire

/// Asks the policies in Rego whether a sandbox may start, before anything is made, and holds the start to the answer.
struct SandboxAdmission {
    /// The answer, and what it was given to.
    let document: AdmissionDocument
    let decision: PolicyDecision
    /// As it is kept with the decision: the question without the policy.
    let question: JSONValue
    /// The input document as it was asked.
    let input: JSONValue
    let duration: Duration
    private let violations: [PolicyDecision.Violation]
    private let authority: PolicyAuthority
    let modules: PolicyModules

    init(_ document: AdmissionDocument, policy: EffectivePolicy, engine: PolicyEngine, user: String) {
        let begun = ContinuousClock.now
        let decider = PolicyDecider(policy, engine: engine, user: user)
        let question = PolicyQuestion.start(document.json)
        self.document = document
        modules = engine.modules
        authority = PolicyAuthority(policy, modules)
        decision = decider.decide(question)
        self.question = decider.asked(question)
        input = decider.input(question)
        violations = decision.outcome == .allow ? [] : decider.violations(of: question)
        duration = begun.duration(to: .now)
    }

    /// `file:line` of the rule that decided.
    var place: String? { authority.place(decision.rule) }

    /// Who says so: the layer whose document sets the value, else the organisation.
    var layer: String { authority.layer(decision.rule) ?? decision.layer }

    /// The refusal, with every rule that is broken, where it stands and who may change it.
    var refusal: AiboxError? {
        if decision.outcome == .allow { return nil }
        let broken =
            violations.isEmpty
            ? [PolicyDecision.Violation(rule: decision.rule, reason: decision.reason)] : violations
        let lines = broken.map { violation in
            let place = authority.place(violation.rule).map { ", " + $0 } ?? ""
            return
                "\(violation.rule) (\(authority.layer(violation.rule) ?? decision.layer)\(place)): \(violation.reason)"
        }
        var remedies: [String] = []
        for rule in broken.map(\.rule) {
            for remedy in [authority.alternative(rule), authority.owner(rule)].compactMap(\.self)
            where !remedies.contains(remedy) { remedies.append(remedy) }
        }
        return AiboxError(
            .denied, "the policy does not admit this sandbox",
            why: SafeText.escaped((lines.count == 1 ? "" : "\n") + lines.joined(separator: "\n"), keepingLines: true),
            remedy: SafeText.escaped(remedies.joined(separator: "; ")))
    }

    /// Refuses to run anything else than what was admitted.
    func hold(_ asked: AdmissionDocument) throws(AiboxError) {
        if asked == document { return }
        throw AiboxError(
            .denied, "the container is not the one that was admitted",
            why: "admitted \(document.json.text), about to run \(asked.json.text)",
            remedy: "start again; if it stays so, report it")
    }
}
