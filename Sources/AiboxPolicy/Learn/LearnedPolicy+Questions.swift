/// Tools of MCP servers, and models.
extension LearnedPolicy {
    // MARK: MCP servers

    mutating func learn(
        _ tools: [(want: LearnedWants.ServerTool, seen: Int)], _ policy: EffectivePolicy,
        _ organisation: EffectivePolicy
    ) {
        for (want, seen) in tools.sorted(by: { ($0.want.server, $0.want.tool) < ($1.want.server, $1.want.tool) }) {
            let words = [want.server, want.tool]
            let most = Self.effect(organisation, words)
            let held = Self.effect(policy, words)
            if held.outcome > most.outcome {
                loosen(want, seen, policy, down: most.outcome)
            } else if most.outcome < .review {
                passing += 1
            } else {
                beyond.append(
                    Refused(
                        what: words.joined(separator: "/"), seen: seen, rule: most.rule?.id ?? "mcp.default",
                        reason:
                            "the organisation \(most.rule.map { $0.outcome.words } ?? "has no rule that lets it run")",
                        owner:
                            "who owns \(most.rule?.origin.description ?? organisation.place("mcp.servers")) (org) may change it",
                        isReviewed: most.outcome == .review))
            }
        }
    }

    /// What a policy says: nothing asks where it has no list.
    private static func effect(
        _ policy: EffectivePolicy, _ words: [String]
    ) -> (outcome: ToolRule.Outcome, rule: ToolRule?) {
        let list = policy["mcp.servers"]
        return ToolRule.effect(
            list.map(ToolRule.servers) ?? [], words, isAsked: list?.elements.isEmpty == false)
    }

    /// Names the rules of team and project that have to go, or the list that has to name the tool, for it to be held no more than
    /// `most`.
    private mutating func loosen(
        _ want: LearnedWants.ServerTool, _ seen: Int, _ policy: EffectivePolicy, down most: ToolRule.Outcome
    ) {
        var rules = policy["mcp.servers"].map(ToolRule.servers) ?? []
        while true {
            let (outcome, rule) = ToolRule.decide(rules, [want.server, want.tool])
            if outcome <= most { return }
            guard let rule else { break }
            rules.removeAll { $0.origin == rule.origin && $0.id == rule.id }
            if let place = removals.firstIndex(where: { $0.origin == rule.origin && $0.rule == rule.id }) {
                removals[place].seen += seen
            } else {
                removals.append(
                    Removal(
                        field: "mcp.servers", rule: rule.id, words: rule.words, origin: rule.origin, seen: seen,
                        example: [want.server, want.tool], isNarrowing: false))
            }
        }
        // The first list is the one that has to name it: later ones are held to it.
        let list = documents.compactMap { $0.fields["mcp.servers"] }.first { !$0.elements.isEmpty }
        if let list, list.origin.layer != .org {
            lacking.append(Lacking(server: want.server, tool: want.tool, origin: list.origin, seen: seen))
        }
    }

    // MARK: Models

    mutating func learn(
        _ models: [(want: LearnedWants.Model, seen: Int)], _ policy: EffectivePolicy, _ organisation: EffectivePolicy
    ) {
        func permits(_ list: PolicyItem?, _ name: String) -> Bool {
            (list?.texts ?? []).contains { ModelPattern($0).matches(name) }
        }
        for (want, seen) in models.sorted(by: { ($0.want.name, $0.want.rule) < ($1.want.name, $1.want.rule) }) {
            func refused(_ rule: String, _ reason: String, owner: String? = nil) -> Refused {
                Refused(what: "the model \(want.name)", seen: seen, rule: rule, reason: reason, owner: owner)
            }
            if !permits(organisation["llm.models"], want.name) {
                beyond.append(
                    refused(
                        "llm.default", "the model is not on the list",
                        owner: "who owns \(organisation.place("llm.models")) (org) may add it"))
            } else if permits(policy["llm.models"], want.name) {
                // Another rule than the list's refused it, and still does for all that is known here.
                if want.rule == "llm.default" { passing += 1 } else { left.append(refused(want.rule, want.reason)) }
            } else if want.name.contains("*") || !PolicyText.pattern.accepts(want.name) {
                left.append(refused("llm.default", "its name cannot stand in a policy"))
            } else {
                add(
                    want.name, seen,
                    documents.filter { $0.layer != .org && !permits($0.fields["llm.models"], want.name) })
            }
        }
    }

    /// Adds a name to the lists of those documents that have one.
    private mutating func add(_ model: String, _ seen: Int, _ lacking: [PolicyDocument]) {
        var changed = additions
        for document in lacking where document.fields["llm.models"] != nil {
            if !changed.contains(where: { $0.layer == document.layer }) {
                changed.append(Addition(layer: document.layer, file: document.file, entries: []))
                changed.sort { $0.layer < $1.layer }
            }
            for place in changed.indices where changed[place].layer == document.layer {
                if let known = changed[place].models.firstIndex(where: { $0.name == model }) {
                    changed[place].models[known].seen += seen
                } else {
                    changed[place].models.append((model, seen))
                }
            }
        }
        let models = merged(changed)?["llm.models"]?.texts ?? []
        if models.contains(where: { ModelPattern($0).matches(model) }) {
            additions = changed
        } else {
            left.append(
                Refused(
                    what: "the model \(model)", seen: seen, rule: "llm.default",
                    reason: "no name that can be added lets it through", owner: nil))
        }
    }
}
