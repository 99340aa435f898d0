public import AiboxWire

extension ToolRule {
    /// What a sandbox does with a command line, or with a server and its tool: what the rules say together where they are
    /// asked; else it runs, and a rule that fits is named.
    ///
    /// - Parameter isAsked: nil: where a rule holds the program, or there is any rule about servers.
    static func effect(
        _ rules: [ToolRule], _ argv: [String], isAsked: Bool? = nil
    ) -> (outcome: Outcome, rule: ToolRule?) {
        let isAsked = isAsked ?? rules.first.map { !$0.isCommand || hold(rules, [argv.first ?? ""]) } ?? false
        let said = decide(rules, argv)
        return isAsked || said.outcome == .allow ? said : (.allow, nil)
    }
}

extension EffectivePolicy {
    /// What becomes of a tool about which a sandbox of this policy asks nobody; nil where the policies in Rego are asked.
    ///
    /// A program without a gate in its place runs, and so do the tools of MCP servers where there is no list of them.
    ///
    /// - Parameter isAgents: the program is a tool of an agent's own, whose hook asks about every name that a rule has.
    public func unasked(_ question: PolicyQuestion, isAgents: Bool = false) -> PolicyDecision? {
        switch question {
        case .tool(let argv, let called, _):
            let rules = values["tools.rules"].map(ToolRule.tools) ?? []
            let programs = [argv.first ?? ""] + (called ?? []).compactMap { $0.first ?? argv.dropFirst().first }
            if ToolRule.hold(rules, programs), called?.isEmpty != true { return nil }
            let isNamed = !ToolRule.naming(rules, programs).isEmpty
            if isNamed, isAgents { return nil }
            let fitting = ToolRule.effect(rules, argv).rule
            let why =
                programs.contains(where: ToolRule.isBeginning)
                ? "every session begins with it, and rules only let it run" : "rules with asterisks only let it run"
            return PolicyDecision(
                outcome: .allow, risk: "safe", rule: fitting?.id ?? "tools.unnamed",
                layer: (fitting?.origin.layer ?? .org).rawValue,
                reason: isNamed ? why + ", so nobody is asked" : "no rule names it, so it runs and nobody is asked",
                obligations: [])
        case .server where values["mcp.servers"]?.elements.isEmpty ?? true:
            return PolicyDecision(
                outcome: .allow, risk: "safe", rule: "mcp.unnamed", layer: "org",
                reason: "the policy lists no MCP servers, so it is used and nobody is asked", obligations: [])
        default: return nil
        }
    }

    /// A call of then as a gate of this policy would ask about it: under the names that its rules have.
    ///
    /// - Parameter called: as it was logged; the other names of the file are not known any more.
    public func named(_ argv: [String], called: [[String]]?) -> [[String]]? {
        guard let called else { return nil }
        let rules = values["tools.rules"].map(ToolRule.tools) ?? []
        func isNamed(_ program: String?) -> Bool { rules.contains { rule in program.map { rule.names($0) } ?? false } }
        let names = called.filter { isNamed($0.first ?? argv.dropFirst().first) }
        if names.isEmpty, let own = argv.first, isNamed(own) { return [[own]] }
        return names
    }
}

extension PolicyQuestion {
    /// The question of a logged decision about a tool; nil if it is none.
    ///
    /// - Parameter input: the member `command` of the input document.
    public init?(command input: JSONValue) {
        func texts(_ value: JSONValue) -> [String] { value.elements?.compactMap(\.stringValue) ?? [] }
        guard let argv = input["argv"].map(texts), !argv.isEmpty else { return nil }
        self = .tool(argv, called: input["called"]?.elements?.map(texts), directory: input["directory"]?.stringValue)
    }
}
