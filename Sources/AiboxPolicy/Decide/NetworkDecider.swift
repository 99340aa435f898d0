public import AiboxNetwork
public import AiboxSystem
public import AiboxWire

/// What decides about the connections of one sandbox beside its allow-list: the policies in Rego, on its policy.
public struct NetworkRules: Sendable {
    public let engine: PolicyEngine
    /// SHA-256 of the policies in Rego.
    public let policies: String
    private let policy: JSONObject
    private let user: String
    private let sandbox: String?

    /// Somebody waits for each connection.
    private static let patience = Duration.seconds(1)

    /// - Throws: `policyInvalid` if the policies cannot be used, `usage` if the plan cannot be read.
    public init(_ plan: DecisionPlan, user: String, sandbox: String?) throws(AiboxError) {
        let modules: PolicyModules
        do { modules = try PolicyModules(json: plan.modules) } catch {
            throw AiboxError(.usage, "cannot read the policies in Rego", why: "\(error)")
        }
        guard case .object(let policy) = plan.policy else {
            throw AiboxError(.usage, "cannot read the policy", why: "it is no object")
        }
        engine = try PolicyEngine(modules, action: "network", patience: Self.patience)
        policies = try modules.digest()
        self.policy = policy
        self.user = user
        self.sandbox = sandbox
    }

    /// Decides with this list from now on, which stands in the place of the policy's own: a person may have added to it
    /// what the policy permits, and taken away.
    public func decider(_ list: AllowList) -> NetworkDecider { decider(list, policy) }

    /// Decides for a sandbox that learns.
    ///
    /// - Parameters:
    ///   - list: what the organisation alone permits.
    ///   - organisation: its policy as the policies in Rego read it.
    /// - Returns: nil if that is no policy.
    public func learning(_ list: AllowList, organisation: JSONValue) -> NetworkLearning? {
        guard case .object(let own) = organisation else { return nil }
        return NetworkLearning(list, [decider(list), decider(list, own)])
    }

    private func decider(_ list: AllowList, _ policy: JSONObject) -> NetworkDecider {
        var policy = policy
        var network: JSONObject = [:]
        if case .object(let known)? = policy["network"] { network = known }
        network["allow"] = list.decisionDocument
        policy["network"] = .object(network)
        return NetworkDecider(
            list, PolicyDecider(document: .object(policy), engine: engine, user: user, sandbox: sandbox),
            policies: policies)
    }
}

/// Decides about connections: the allow-list and the policies in Rego, the stricter of the two. One thread at a time.
///
/// What the list refuses is refused; the policies in Rego are asked about the rest. They know reviews and connections do
/// not: only their `allow` lets one pass.
public final class NetworkDecider {
    public let list: AllowList
    private let decider: PolicyDecider
    private let policies: String

    /// A verdict, and what the policies in Rego said, where they were asked.
    public struct Verdict: Sendable, Equatable {
        public var decision: EgressDecision
        public var rego: Rego?
        /// What learning has to do with it; nil where the sandbox does not learn, or its own policy allows.
        public var learned: Learned?

        init(decision: EgressDecision, rego: Rego?) {
            self.decision = decision
            self.rego = rego
        }

        /// Something else than the policies refuses.
        public func refused(_ denial: EgressDenial) -> Verdict { Verdict(decision: .deny(denial), rego: nil) }
    }

    /// What goes into the log of an answer by the policies in Rego.
    public struct Rego: Sendable, Equatable {
        public var answer: PolicyDecider.Answer
        /// As it is kept with the decision: the question without the policy.
        public var question: JSONValue
        /// SHA-256 of the policies in Rego.
        public var policies: String
        /// `file:row` of the rule that refuses; nil where none does.
        public var place: String?

        public var refuses: Bool { answer.decision.outcome != .allow }
    }

    init(_ list: AllowList, _ decider: PolicyDecider, policies: String) {
        self.list = list
        self.decider = decider
        self.policies = policies
    }

    public func decide(_ request: EgressRequest) -> Verdict {
        let decision = list.decide(request)
        guard decision.isAllowed else { return Verdict(decision: decision, rego: nil) }
        let question = PolicyQuestion.network(request)
        let answer = decider.answer(question)
        var rego = Rego(answer: answer, question: decider.asked(question), policies: policies, place: nil)
        if answer.decision.outcome == .allow { return Verdict(decision: decision, rego: rego) }
        rego.place = decider.engine.modules.place(ofRule: answer.decision.rule)
        return Verdict(decision: .deny(EgressDenial(answer.decision, request, place: rego.place)), rego: rego)
    }

    /// What the policies in Rego say, whatever the list does.
    func asked(_ request: EgressRequest) -> PolicyDecision { decider.decide(.network(request)) }

    /// Whether the broker may lead to a place.
    public func permits(_ grant: PlaceGrant) -> Bool {
        guard list.permits(grant), let host = try? HostName(grant.host) else { return false }
        return decide(EgressRequest(host: host, port: grant.port, content: .tunnel)).decision.isAllowed
    }
}

extension EgressDenial {
    /// A refusal by the policies in Rego.
    init(_ decision: PolicyDecision, _ request: EgressRequest, place: String?) {
        let isReview = decision.outcome == .review
        let why = SafeText.escaped(String(decision.reason.prefix(1000)))
        self.init(
            .policyRefused, rule: SafeText.escaped(String(decision.rule.prefix(200))), layer: decision.layer,
            reason: isReview ? "\(why), and connections cannot be reviewed" : why,
            nextSteps: [
                "Do without \(request.host):\(request.port), or without this request to it.",
                place.map { "The rule stands in \(SafeText.escaped($0)); who owns that file may change it." }
                    ?? "Ask who owns the organisation's policies.",
            ])
    }
}

extension AllowList {
    /// The entries as the policies in Rego read them: checked, with what documents leave out.
    public var decisionDocument: JSONValue {
        .array(
            rules.map { rule in
                func texts(_ values: [String]) -> JSONValue { .array(values.map { .string($0) }) }
                var entry: JSONObject = [
                    "id": .string(rule.id), "layer": .string(rule.layer),
                    "hosts": texts(rule.hosts.map(\.description)),
                    "ports": .array(rule.ports.map { .integer(Int64($0)) }),
                    "schemes": texts(rule.schemes.map(\.rawValue).sorted()),
                ]
                entry["methods"] = rule.methods.map(texts)
                entry["paths"] = rule.paths.map { texts($0.map(\.text)) }
                if rule.inspect { entry["inspect"] = true }
                return .object(entry)
            })
    }
}
