import AiboxNetwork
public import AiboxSystem

/// The least that team and project have to change so that what a sandbox wanted passes: never more than the organisation
/// alone permits, and nothing that was not seen.
///
/// What is added for a host are exact names, the ports and schemes that were used, and methods and paths where the
/// organisation's own entry limits them. Rules about tools only ever tighten, so that none can be added that lets
/// something run: what has to go is named.
public struct LearnedPolicy {
    /// Entries for one document's `network.allow` and names for its `llm.models`.
    public struct Addition: Sendable {
        public var layer: PolicyLayer
        public var file: String
        public var entries: [LearnedEntry]
        public var models: [(name: String, seen: Int)] = []

        /// The fields that get something.
        public var fields: [String] {
            (entries.isEmpty ? [] : ["network.allow"]) + (models.isEmpty ? [] : ["llm.models"])
        }
    }

    /// A rule of the team's or the project's that holds what the organisation lets run.
    public struct Removal: Sendable {
        /// `tools.rules` or `mcp.servers`.
        public var field: String
        public var rule: String
        public var words: [String]
        public var origin: PolicyOrigin
        public var seen: Int
        /// One of the calls.
        public var example: [String]
        /// Whether it only lets commands of its own run: beside it another one may let the call run.
        public var isNarrowing: Bool
    }

    /// A tool of an MCP server that a list of the team's or the project's does not name, where the organisation has no list.
    public struct Lacking: Sendable {
        public var server: String
        public var tool: String
        public var origin: PolicyOrigin
        public var seen: Int
    }

    /// What stays refused.
    public struct Refused: Sendable {
        public var what: String
        public var seen: Int
        public var rule: String
        public var reason: String
        /// Whose word would change it, as a clause; nil where an entry can be added and was not found.
        public var owner: String?
        /// A person is asked each time, or looks at it afterwards: it is not refused.
        public var isReviewed = false
    }

    public internal(set) var additions: [Addition] = []
    public internal(set) var removals: [Removal] = []
    public internal(set) var lacking: [Lacking] = []
    /// What the organisation itself refuses, or has reviewed.
    public internal(set) var beyond: [Refused] = []
    /// What it permits, and no addition that can be checked lets through.
    public internal(set) var left: [Refused] = []
    /// How many of the wants pass already.
    public internal(set) var passing = 0

    let documents: [PolicyDocument]
    private let day: String
    private let decider: (EffectivePolicy) throws(AiboxError) -> NetworkDecider
    /// Whether the person at this machine may add hosts, by what holds without additions.
    private let permitsAdditions: Bool

    /// - Parameters:
    ///   - decider: decides about connections under a policy, by its list and the policies in Rego.
    public init(
        _ set: PolicySet, _ wants: LearnedWants,
        decider: @escaping (EffectivePolicy) throws(AiboxError) -> NetworkDecider
    ) throws(AiboxError) {
        let policy = try set.effective()
        documents = policy.documents
        day = set.day
        permitsAdditions = NetworkPolicy(policy).additions == .any
        self.decider = decider
        let organisation = try set.organisation.effective()
        try learn(wants.requests, policy, organisation)
        learn(wants.names, besides: Set(wants.requests.map(\.request.host.text)), organisation)
        learn(wants.calls, policy, organisation)
        learn(wants.serverTools, policy, organisation)
        learn(wants.models, policy, organisation)
        removals.sort {
            ($0.origin.layer, $0.origin.file, $0.origin.line ?? 0) < (
                $1.origin.layer, $1.origin.file, $1.origin.line ?? 0
            )
        }
    }

    // MARK: The network

    private typealias Want = (request: EgressRequest, seen: Int)

    private mutating func learn(
        _ wants: [Want], _ policy: EffectivePolicy, _ organisation: EffectivePolicy
    ) throws(AiboxError) {
        if wants.isEmpty { return }
        let own = try decider(policy)
        let most = try decider(organisation)
        var open: [(want: Want, rule: AllowRule)] = []
        for want in wants.sorted(by: { $0.request.words < $1.request.words }) {
            if own.decide(want.request).decision.isAllowed {
                passing += 1
                continue
            }
            switch most.decide(want.request).decision {
            case .allow(let grant):
                if let rule = most.list.rules.first(where: { $0.id == grant.rule }) { open.append((want, rule)) }
            case .deny(let denial):
                beyond.append(
                    Refused(
                        what: want.request.words, seen: want.seen, rule: denial.rule, reason: denial.reason,
                        owner: owner(denial, organisation, want.request)))
            }
        }
        additions = documents.filter { $0.layer != .org && $0.fields["network.allow"] != nil }.compactMap { document in
            guard let list = document.allowList else { return nil }
            let needed = open.filter { !list.decide($0.want.request).isAllowed }
            if needed.isEmpty { return nil }
            return Addition(
                layer: document.layer, file: document.file,
                entries: LearnedEntry.entries(
                    needed.map { ($0.want.request, $0.want.seen, $0.rule) }, besides: list))
        }
        try check(wants.filter { most.decide($0.request).decision.isAllowed })
    }

    /// Names that were only asked for, by clients that know no proxy.
    private mutating func learn(_ names: [String: Int], besides known: Set<String>, _ organisation: EffectivePolicy) {
        guard let list = try? AllowList(NetworkPolicy(organisation).allow) else { return }
        for (name, seen) in names.sorted(by: { $0.key < $1.key }) {
            guard let host = try? HostName(name), !known.contains(host.text) else { continue }
            let request = EgressRequest(host: host, port: 443, content: .tunnel)
            guard case .deny(let denial) = list.decide(request), denial.code == .hostNotAllowed else { continue }
            beyond.append(
                Refused(
                    what: "the name \(host)", seen: seen, rule: denial.rule, reason: denial.reason,
                    owner: owner(denial, organisation, request)))
        }
    }

    private func owner(_ denial: EgressDenial, _ organisation: EffectivePolicy, _ request: EgressRequest) -> String {
        if permitsAdditions, denial.code == .hostNotAllowed,
            [80, 443].contains(request.port)
        {
            return "aibox network allow \(request.host), by the person at this machine"
        }
        if denial.code == .policyRefused { return denial.nextSteps.last ?? "who owns the organisation's policies" }
        return "who owns \(organisation.place("network.allow")) (org) may add it"
    }

    /// Keeps of the additions what the organisation's policy takes, and tells what does not pass with them all the same.
    private mutating func check(_ wants: [Want]) throws(AiboxError) {
        if merged(additions) == nil {
            // One at a time: what does not go with the organisation's policy is left out.
            var kept = additions.map { addition in
                var none = addition
                none.entries = []
                return none
            }
            for place in additions.indices {
                let entries = additions[place].entries
                for entry in entries where entry.seen > 0 {
                    let before = kept[place].entries
                    // With what its hosts would lose by it.
                    let keeping = entries.filter { other in
                        other.seen == 0 && other.source.hosts.allSatisfy { entry.source.hosts.contains($0) }
                            && !before.contains(other)
                    }
                    kept[place].entries += [entry] + keeping
                    if merged(kept) == nil { kept[place].entries = before }
                }
            }
            additions = kept.filter { !$0.entries.isEmpty }
        }
        guard let policy = merged(additions) else {
            additions = []
            return
        }
        let decider = try decider(policy)
        for want in wants {
            guard case .deny(let denial) = decider.decide(want.request).decision else { continue }
            left.append(
                Refused(
                    what: want.request.words, seen: want.seen, rule: denial.rule, reason: denial.reason, owner: nil))
        }
    }

    /// The policy with the additions; nil where it cannot be used.
    func merged(_ additions: [Addition]) -> EffectivePolicy? {
        var changed = documents
        for addition in additions where !addition.fields.isEmpty {
            guard let place = changed.firstIndex(where: { $0.layer == addition.layer }),
                let text = try? PolicyDocument(Array(addition.text.utf8), layer: addition.layer, file: addition.file)
            else { return nil }
            for field in addition.fields {
                guard let added = text.fields[field], var list = changed[place].fields[field] else { return nil }
                list.content = .list(list.elements + added.elements)
                changed[place].fields[field] = list
            }
            if !addition.entries.isEmpty, changed[place].allowList == nil { return nil }
        }
        func layer(_ layer: PolicyLayer) -> PolicyDocument? { changed.first { $0.layer == layer } }
        guard let organisation = layer(.org) else { return nil }
        return try? EffectivePolicy(
            organisation: organisation, team: layer(.team), project: layer(.project), day: day)
    }

    // MARK: Tools

    private mutating func learn(
        _ calls: [(call: LearnedWants.Call, seen: Int)], _ policy: EffectivePolicy, _ organisation: EffectivePolicy
    ) {
        let rules = policy["tools.rules"].map(ToolRule.tools) ?? []
        let own = organisation["tools.rules"].map(ToolRule.tools) ?? []
        for (call, seen) in calls.sorted(by: { $0.call.argv.lexicographicallyPrecedes($1.call.argv) }) {
            let most = Self.outcome(own, call)
            if Self.outcome(rules, call).outcome <= most.outcome, most.outcome < .review {
                passing += 1
                continue
            }
            let what = call.argv.joined(separator: " ")
            if most.outcome >= .review, Self.outcome(rules, call).outcome <= most.outcome {
                let rule = most.rule?.id ?? "tools.default"
                beyond.append(
                    Refused(
                        what: what, seen: seen, rule: rule,
                        reason:
                            "the organisation \(most.rule.map { $0.outcome.words } ?? "has no rule that lets it run")",
                        owner: "who owns \(most.rule?.origin.description ?? organisation.source) (org) may change it",
                        isReviewed: most.outcome == .review))
                continue
            }
            for rule in Self.holding(rules, call, down: most.outcome) {
                if let place = removals.firstIndex(where: { $0.origin == rule.origin }) {
                    removals[place].seen += seen
                } else {
                    removals.append(
                        Removal(
                            field: "tools.rules", rule: rule.id, words: rule.words, origin: rule.origin, seen: seen,
                            example: call.argv, isNarrowing: rule.outcome == .allow))
                }
            }
        }
    }

    /// What rules say of a call: nothing asks about a program that none of them holds.
    private static func outcome(
        _ rules: [ToolRule], _ call: LearnedWants.Call
    ) -> (outcome: ToolRule.Outcome, rule: ToolRule?) {
        if !ToolRule.hold(rules, call.names) { return (.allow, nil) }
        return call.lines.map { ToolRule.decide(rules, $0) }.max { $0.outcome < $1.outcome } ?? (.deny, nil)
    }

    /// The rules of team and project that have to go for a call to be held no more than `most`.
    private static func holding(
        _ rules: [ToolRule], _ call: LearnedWants.Call, down most: ToolRule.Outcome
    ) -> [ToolRule] {
        var rules = rules
        var gone: [ToolRule] = []
        while true {
            let (outcome, rule) = outcome(rules, call)
            if outcome <= most { return gone }
            // No rule lets it run: nobody would be asked about the program, did none of them hold it.
            let taken = rules.filter { other in
                guard other.origin.layer != .org else { return false }
                return rule.map { $0.origin == other.origin } ?? !ToolRule.naming([other], call.names).isEmpty
            }
            if taken.isEmpty { return [] }
            gone += taken
            rules.removeAll { other in taken.contains { $0.origin == other.origin } }
        }
    }
}

extension PolicyDocument {
    /// Its own list; nil where it has none that can be used.
    var allowList: AllowList? {
        guard let list = fields["network.allow"] else { return nil }
        return try? AllowList(list.elements.map { AllowRuleSource($0) })
    }
}
