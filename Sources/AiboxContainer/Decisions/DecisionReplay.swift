import AiboxNetwork
public import AiboxPolicy
public import AiboxSystem
import AiboxWire

/// Decides logged questions again with other documents in the place of those of then; the other layers' stay.
public struct DecisionReplay {
    private let context: SandboxContext
    private let candidates: [PolicySet.Source]
    private var policies: [String: Policies] = [:]
    private var engines: [String: PolicyEngine] = [:]

    /// What a digest stood for, and what stands in its place.
    private struct Policies {
        var before: AllowList
        /// Nil where the candidates do not go with the other layers' documents.
        var after: (policy: EffectivePolicy, network: NetworkPolicy, list: AllowList)?
        var refusal: String
    }

    /// - Parameter candidates: at most one for each layer.
    public init(_ context: SandboxContext, candidates: [PolicySet.Source]) {
        self.context = context
        self.candidates = candidates
    }

    /// The answer with the candidates; nil for what cannot be asked again.
    public mutating func decide(_ logged: LoggedDecision) throws(AiboxError) -> PolicyDecision? {
        if logged.policy.isEmpty { return nil }
        let policies = try loaded(logged.policy)
        guard let after = policies.after else {
            return PolicyDecision(
                outcome: .deny, risk: "blocked-by-default", rule: "policy", layer: "org", reason: policies.refusal,
                obligations: [])
        }
        // By the organisation alone, and not by the policy.
        if logged.would != nil { return Self.same(logged) }
        if logged.action == "network" {
            guard let decision = network(logged, policies.before, after.network, after.list) else { return nil }
            guard decision.outcome == .allow, case .object(var input) = logged.question else { return decision }
            input["policy"] = after.policy.decisionDocument
            let rego = try compiled(logged.detail("policies")).decide(.object(input))
            // What a person added is not in the policy.
            return rego.outcome == .allow || ["user", "session"].contains(decision.layer) ? decision : rego
        }
        guard case .object(var input) = logged.question else { return nil }
        if let command = input["command"],
            case .tool(let argv, let called, let directory)? = PolicyQuestion(command: command)
        {
            // Gates are called by a path, and tools of an agent's own by a name.
            let isAgents = argv.first?.hasPrefix("/") == false
            let question = PolicyQuestion.tool(
                argv, called: after.policy.named(argv, called: called), directory: directory)
            if let unasked = after.policy.unasked(question, isAgents: isAgents) { return unasked }
            input["command"] = question.input.value
        } else if logged.action == "mcp", let unasked = after.policy.unasked(.server(id: "", tool: "")) {
            return unasked
        }
        input["policy"] = after.policy.decisionDocument
        return try compiled(logged.detail("policies")).decide(.object(input))
    }

    private func network(
        _ logged: LoggedDecision, _ before: AllowList, _ network: NetworkPolicy, _ list: AllowList
    ) -> PolicyDecision? {
        guard let request = logged.request else { return nil }
        let decision = PolicyDecision(list.decide(request), request)
        if logged.isAllowed, ["user", "session"].contains(logged.layer), decision.outcome != .allow {
            // A person added it, and may still do so.
            return network.additions == .any ? Self.same(logged) : decision
        }
        let then = PolicyDecision(before.decide(request), request)
        // What no list refused then (the identity, a limit, a person), no list permits now.
        if !logged.isAllowed, then.outcome == .allow || logged.layer == "session" { return Self.same(logged) }
        return decision
    }

    private static func same(_ logged: LoggedDecision) -> PolicyDecision {
        let verdict = logged.verdict
        return PolicyDecision(
            outcome: PolicyDecision.Outcome(rawValue: verdict) ?? .review, risk: logged.risk, rule: logged.rule,
            layer: logged.layer, reason: logged.reason, obligations: verdict == "review-async" ? [verdict] : [])
    }

    private mutating func loaded(_ digest: String) throws(AiboxError) -> Policies {
        if let known = policies[digest] { return known }
        let set = try context.keptPolicy(digest: digest).replacing(candidates)
        let before = try NetworkPolicy(context.kept(digest)).list()
        var policies = Policies(before: before, after: nil, refusal: "")
        do throws(AiboxError) {
            let policy = try set.effective()
            let network = NetworkPolicy(policy)
            policies.after = (policy, network, try network.list())
        } catch {
            policies.refusal = error.reason
        }
        self.policies[digest] = policies
        return policies
    }

    private mutating func compiled(_ digest: String) throws(AiboxError) -> PolicyEngine {
        if let known = engines[digest] { return known }
        let engine = try PolicyEngine(try context.keptModules(digest))
        engines[digest] = engine
        return engine
    }
}

extension NetworkPolicy {
    /// The policy's own list, checked.
    func list() throws(AiboxError) -> AllowList {
        do { return try AllowList(allow) } catch { throw error.asError }
    }
}
