public import AiboxNetwork
public import AiboxWire

extension EffectivePolicy {
    /// Every entry of the documents that an action goes by, with the first condition that a question does not meet.
    ///
    /// - Parameter input: the input document; its policy is not read.
    /// - Returns: nil for actions that go by more than entries of a list.
    func findings(_ input: JSONValue) -> [PolicyFinding]? {
        switch input["action"]?.stringValue {
        case "tool": findings(command: input["command"] ?? .null)
        case "mcp":
            findings(
                server: input["request"]?["server"]?.stringValue ?? "",
                tool: input["request"]?["tool"]?.stringValue ?? "")
        case "llm": findings(model: input["request"]?["model"]?.stringValue ?? "")
        default: nil
        }
    }

    private func findings(command: JSONValue) -> [PolicyFinding] {
        guard case .tool(let argv, let called, _)? = PolicyQuestion(command: command) else { return [] }
        let lines = called.map { names in names.map { $0 + argv.dropFirst() } } ?? [argv]
        return (values["tools.rules"].map(ToolRule.tools) ?? []).map { rule in
            let fits = lines.contains { line in ToolRule.decide([rule], line).rule != nil }
            let condition = fits ? nil : rule.firstMiss(lines.first ?? argv)
            return PolicyFinding(
                rule: rule.id, place: rule.origin.description, condition: condition,
                values: condition == nil ? [] : [PolicyFinding.Operand("match", rule.words.joined(separator: " "))])
        }
    }

    private func findings(server: String, tool: String) -> [PolicyFinding] {
        (values["mcp.servers"].map(ToolRule.servers) ?? []).map { rule in
            func miss(_ condition: String, _ member: String, _ word: String) -> PolicyFinding {
                PolicyFinding(
                    rule: rule.id, place: rule.origin.description, condition: condition,
                    values: [PolicyFinding.Operand(member, word)])
            }
            if rule.words[0] != server { return miss("the server is \(server)", "id", rule.words[0]) }
            if !rule.fits([server, tool]) { return miss("the tool is \(tool)", "tools", rule.words[1]) }
            return PolicyFinding(rule: rule.id, place: rule.origin.description, condition: nil, values: [])
        }
    }

    private func findings(model: String) -> [PolicyFinding] {
        (values["llm.models"]?.elements ?? []).map { item in
            let pattern = item.text ?? ""
            let fits = ModelPattern(pattern).matches(model)
            let isForeign = ModelPattern.isOwned(model) && !ModelPattern.isOwned(pattern)
            return PolicyFinding(
                rule: "llm.models:\(pattern)", place: item.origin.description,
                condition: fits ? nil : "the model is \(model)" + (isForeign ? ", an ARN" : ""),
                values: fits ? [] : [PolicyFinding.Operand("llm.models", pattern)])
        }
    }

    /// Every entry of an allow-list, with the first condition that a request does not meet.
    public func findings(_ request: EgressRequest, _ list: AllowList) -> [PolicyFinding] {
        list.explain(request).map { finding in
            PolicyFinding(
                rule: finding.rule,
                place: origin(ofRule: finding.rule, field: "network.allow")?.description ?? finding.layer,
                condition: finding.failure.map { "\($0.member) has \($0.given)" },
                values: finding.failure.map {
                    [PolicyFinding.Operand($0.member, $0.wanted.joined(separator: ", "))]
                } ?? [])
        }
    }
}

extension ToolRule {
    /// The first word in which a command line differs; nil if it has the rule's words.
    fileprivate func firstMiss(_ argv: [String]) -> String? {
        for (index, word) in words.enumerated() {
            guard index < argv.count else { return "there is no word \(index + 1)" }
            let given = index == 0 && !word.contains("/") ? Self.name(of: argv[0]) : argv[index]
            if PolicyPattern(word).matches(given) { continue }
            return index == 0 ? "the program is \(given)" : "word \(index + 1) is \(given)"
        }
        return nil
    }
}

extension PolicyEngine {
    /// As `explain`, with the entries of the documents in the place of the baseline's rules that read them; the organisation's
    /// own rules stay.
    ///
    /// - Parameter policy: the one whose decision document is in the input.
    public func explain(
        _ input: JSONValue, of policy: EffectivePolicy
    ) throws -> (decision: PolicyDecision, findings: [PolicyFinding]) {
        let explained = try explain(input)
        guard let entries = policy.findings(input) else { return explained }
        return (explained.decision, entries + explained.findings.filter { isOwn($0) })
    }

    /// Whether a finding is about a rule of the organisation's own.
    public func isOwn(_ finding: PolicyFinding) -> Bool {
        modules.sources.contains { $0.isOwn && finding.place.hasPrefix($0.name + ":") }
    }
}
