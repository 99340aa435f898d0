public import AiboxNetwork
public import AiboxSystem
public import AiboxWire

extension EffectivePolicy {
    /// Whether a person may let a sandbox learn. The organisation says so, and everybody else may take it back.
    public var permitsLearning: Bool { text("learn.mode") == "permitted" }

    /// Who says whether, for messages.
    public var learningPlace: String { place("learn.mode") }
}

extension PolicySet {
    /// The organisation's document alone, of the same day.
    public var organisation: PolicySet { PolicySet(sources.filter { $0.layer == .org }, day: day) }
}

extension LearnPlan {
    /// - Parameters:
    ///   - documents: those that `policy` was made of.
    ///   - network: the way out as the sandbox has it.
    /// - Returns: nil where the policy does not permit learning.
    public init?(
        _ documents: PolicySet, _ policy: EffectivePolicy, network: EgressPlan?
    ) throws(AiboxError) {
        guard policy.permitsLearning else { return nil }
        let organisation = try documents.organisation.effective()
        let held = network?.allow ?? []
        let sources = try Self.opening(
            NetworkPolicy(organisation).allow + held.filter { $0.layer == "user" }, as: held)
        guard case .object(var document) = organisation.decisionDocument else { return nil }
        let rules = document["tools"]?["rules"]?.elements ?? []
        document["tools"] = ["rules": .array(rules + Self.unnamed(policy, organisation))]
        self.init(allow: sources.map(\.json), policy: .object(document))
    }

    /// Hosts whose tunnels the sandbox's own list opens stay opened: what is asked for in them is seen and logged.
    private static func opening(
        _ sources: [AllowRuleSource], as held: [AllowRuleSource]
    ) throws(AiboxError) -> [AllowRuleSource] {
        let own: AllowList
        let opened: [HostPattern]
        do throws(AllowListProblems) {
            own = try AllowList(sources)
            opened = try AllowList(held).rules.filter(\.opensTLS).flatMap(\.hosts)
        } catch {
            throw error.asError
        }
        var ids = Set(sources.map(\.id))
        var copies: [AllowRuleSource] = []
        var seen: Set<String> = []
        for host in opened.map(\.description) where seen.insert(host).inserted {
            guard let name = try? HostName(host) else { continue }
            let speaking = own.rules(for: name)
            if speaking.contains(where: \.opensTLS) { continue }
            for source in sources where speaking.contains(where: { $0.id == source.id }) {
                var copy = source
                copy.id = LearnedName.free(source.id + "-opened", besides: &ids)
                copy.hosts = [host]
                copy.inspect = true
                copies.append(copy)
            }
        }
        return sources + copies
    }

    /// Programs that no rule of the organisation may name, by whatever name: it lets them run and is not asked. A rule that says
    /// so, for each that a rule of the team's or the project's names.
    private static func unnamed(_ policy: EffectivePolicy, _ organisation: EffectivePolicy) -> [JSONValue] {
        let own = organisation["tools.rules"].map(ToolRule.tools) ?? []
        var seen: Set<String> = []
        return (policy["tools.rules"].map(ToolRule.tools) ?? []).compactMap { rule in
            guard rule.origin.layer != .org, let word = rule.words.first, !word.contains("*"),
                !own.contains(where: { !$0.isForAll && rule.mayNameSame(as: $0) }), seen.insert(word).inserted
            else { return nil }
            return [
                "id": .string("learn.unnamed:" + word), "layer": "org", "match": [.string(word)], "allow": true,
                "risk": "safe",
            ]
        }
    }
}

/// Ids of entries that nobody else has.
enum LearnedName {
    /// A free id of 64 bytes at most, which is taken from then on.
    static func free(_ wish: String, besides ids: inout Set<String>) -> String {
        let plain = String(
            wish.unicodeScalars.map { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789-_.".unicodeScalars.contains(scalar))
                    ? Character(scalar) : "-"
            })
        var number = 1
        while true {
            let end = number == 1 ? "" : "-\(number)"
            let id = String(plain.prefix(64 - end.count)) + end
            if ids.insert(id).inserted { return id }
            number += 1
        }
    }
}
