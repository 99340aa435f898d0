import AiboxConfig
public import AiboxNetwork
public import AiboxPolicy
public import AiboxSystem
import AiboxWire

/// Why a logged decision was what it was: made again from what was kept of it.
public struct DecisionExplanation: Sendable {
    public let logged: LoggedDecision
    /// `file:line` of the rule that decided.
    public internal(set) var place: String?
    /// What is decided today about the same question under the same policy; nil where it cannot be asked again.
    public internal(set) var again: PolicyDecision?
    /// The rules that fired, and for the others the first condition that was not met.
    public internal(set) var findings: [PolicyFinding] = []
    /// What would change the answer, and who may.
    public internal(set) var changes: [String] = []
    public internal(set) var notes: [String] = []

    /// Whether the decision comes out as it was logged; nil where it cannot be made again.
    public var agrees: Bool? {
        guard let again else { return nil }
        if let would = logged.would { return again.outcome != .allow && again.rule == would.rule }
        return logged.verdict(again) == logged.verdict && again.rule == logged.rule
    }

    init(_ logged: LoggedDecision) {
        self.logged = logged
        let origin = logged.detail("origin")
        place = origin.isEmpty ? nil : origin
    }
}

extension SandboxContext {
    /// Explains a decision under the policy that it was made under.
    ///
    /// - Throws: `integrity` if what was kept is not what decided.
    public func explain(_ logged: LoggedDecision) throws(AiboxError) -> DecisionExplanation {
        var explanation = DecisionExplanation(logged)
        guard !logged.policy.isEmpty else {
            explanation.notes.append(
                logged.action == "start"
                    ? "the documents were refused before they were asked: aibox policy validate shows what is wrong"
                    : "the event does not say which policy was in force, so that nothing can be asked again")
            return explanation
        }
        let policy = try kept(logged.policy)
        if let would = logged.would {
            explanation.notes.append(
                "the sandbox learned: its own policy says \(would.decision) by \(would.rule), and the organisation alone decided"
            )
        }
        if logged.action == "network" {
            try explain(&explanation, network: policy)
        } else {
            try explain(&explanation, rego: policy)
        }
        return explanation
    }

    /// The effective policy of a digest, as it was kept.
    func kept(_ digest: String) throws(AiboxError) -> EffectivePolicy {
        let policy = try keptPolicy(digest: digest).effective()
        if try policy.digest() == digest { return policy }
        throw AiboxError(
            .integrity, "cannot use the policy \(digest.prefix(12))",
            why: "\(paths.policies)/\(digest).json was changed since it decided")
    }

    /// The policies in Rego of a digest, as they were kept.
    func keptModules(_ digest: String) throws(AiboxError) -> PolicyModules {
        guard digest.utf8.count == 64, digest.allSatisfy({ $0.isHexDigit }) else {
            throw AiboxError(.integrity, "the event names no policies in Rego")
        }
        let file = paths.policies + "/rego-\(digest).json"
        let modules: PolicyModules
        do {
            modules = try PolicyModules(json: try JSONParser.parse(try File.read(file, limit: 16 << 20)))
        } catch let error as AiboxError {
            throw error
        } catch {
            throw AiboxError(.integrity, "cannot use \(file)", why: "\(error)")
        }
        if try modules.digest() == digest { return modules }
        throw AiboxError(.integrity, "cannot use \(file)", why: "it was changed since it decided")
    }

    private func explain(_ explanation: inout DecisionExplanation, rego policy: EffectivePolicy) throws(AiboxError) {
        guard case .object(var input) = explanation.logged.question else {
            explanation.notes.append("the event does not have the question, so that it cannot be asked again")
            return
        }
        let modules = try keptModules(explanation.logged.detail("policies"))
        let engine = try PolicyEngine(modules, action: explanation.logged.action)
        input["policy"] = policy.decisionDocument
        let digest = try PolicyInput.digest(.object(input))
        if digest != explanation.logged.detail("input") {
            explanation.notes.append(
                "this version of aibox puts the question otherwise (input \(digest.prefix(12))), so that the answer may differ"
            )
        }
        do {
            let explained = try engine.explain(.object(input), of: policy)
            explanation.again = explained.decision
            explanation.findings = explained.findings
        } catch {
            throw AiboxError(.failed, "cannot explain the decision", why: "\(error)")
        }
        let authority = PolicyAuthority(
            policy, modules, action: explanation.logged.action,
            credential: input["credential"]?["type"]?.stringValue)
        explanation.place = explanation.place ?? authority.place(explanation.logged.rule)
        if explanation.logged.isAllowed { return }
        let violated = engine.violations(of: .object(input)).map(\.rule)
        for rule in violated.isEmpty ? [explanation.logged.rule] : violated {
            let ways = [authority.alternative(rule), authority.owner(rule)].compactMap(\.self)
            explanation.changes.append("\(rule): " + ways.joined(separator: "; "))
        }
    }

    private func explain(_ explanation: inout DecisionExplanation, network policy: EffectivePolicy) throws(AiboxError) {
        let logged = explanation.logged
        let network = NetworkPolicy(policy)
        let list = try network.list()
        explanation.place =
            policy.origin(ofRule: logged.rule, field: "network.allow")?.description ?? explanation.place
        guard let request = logged.request else {
            explanation.notes.append("too little of the request could be read to ask the allow-list about it")
            explanation.changes.append("the request itself: \(logged.reason)")
            return
        }
        let decision = list.decide(request)
        explanation.again = PolicyDecision(decision, request)
        explanation.findings = policy.findings(request, list)
        if ["allowed-domains", "session-allow", "session-deny"].contains(logged.rule) {
            explanation.notes.append("\(logged.rule) is what a person at this machine added, not the policy")
        }
        let byRego = try explain(&explanation, policy, regoOf: request, isListed: decision.isAllowed)
        if logged.isAllowed { return }
        if let byRego {
            explanation.changes.append("\(logged.rule): \(byRego)")
        } else if explanation.agrees == true || logged.rule == "session-deny" {
            if logged.rule == "session-deny" || network.additions == .any {
                explanation.changes.append("aibox network allow \(request.host): the person at this machine")
            }
            if logged.rule != "session-deny" {
                explanation.changes.append("network.allow: who owns \(policy.source) (org) may add to it")
            }
        } else if logged.detail("code") == EgressDenial.Code.privateTarget.rawValue {
            explanation.changes.append("network.targets: who owns \(policy.source) (org) may open such addresses")
        } else {
            explanation.notes.append("the allow-list was not what refused it: \(logged.rule) is a rule of aibox's own")
            explanation.changes.append("the request itself: \(logged.reason)")
        }
    }
}

extension SandboxContext {
    /// What the policies in Rego said of a connection.
    ///
    /// - Returns: who may change it, where they refused; else nil.
    private func explain(
        _ explanation: inout DecisionExplanation, _ policy: EffectivePolicy, regoOf request: EgressRequest,
        isListed: Bool
    ) throws(AiboxError) -> String? {
        let logged = explanation.logged
        guard case .object(var input) = logged.question else { return nil }
        let modules = try keptModules(logged.detail("policies"))
        let engine = try PolicyEngine(modules, action: "network")
        input["policy"] = policy.decisionDocument
        do {
            let explained = try engine.explain(.object(input))
            // The allow-list has said already what the baseline says of its entries.
            explanation.findings += explained.findings.filter { engine.isOwn($0) }
            if isListed, explained.decision.outcome != .allow { explanation.again = explained.decision }
        } catch {
            throw AiboxError(.failed, "cannot explain the decision", why: "\(error)")
        }
        if logged.detail("code") != EgressDenial.Code.policyRefused.rawValue { return nil }
        return PolicyAuthority(policy, modules, action: "network").owner(logged.rule)
    }
}

extension PolicyDecision {
    /// A verdict of the allow-list in the form of the decision contract.
    public init(_ decision: EgressDecision, _ request: EgressRequest) {
        switch decision {
        case .allow(let grant):
            self.init(
                outcome: .allow, risk: "safe", rule: grant.rule, layer: grant.layer,
                reason: "\(request.host) is on the allow-list",
                obligations: grant.needsInspection ? ["inspected"] : [])
        case .deny(let denial):
            self.init(
                outcome: .deny, risk: "blocked-by-default", rule: denial.rule, layer: denial.layer,
                reason: denial.reason, obligations: [])
        }
    }
}
