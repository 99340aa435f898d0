/// What is different between the filter that was rendered and the one that the kernel holds.
public struct FilterDrift: Sendable, Equatable, CustomStringConvertible {
    /// One difference a line, for people. Empty: the filter is as it should be.
    public let findings: [String]

    static let table = "inet \(FilterRuleset.tableName)"

    public var isEmpty: Bool { findings.isEmpty }
    public var description: String { findings.joined(separator: "\n") }

    /// Compares by structure: tables, chains with hook, priority and policy, the rules by comment and order,
    /// counters. What a rule does in detail is compared with `baseline`.
    ///
    /// - Parameter baseline: what was read back right after the ruleset was applied, before anything could
    ///   have changed it; nil compares structure only.
    public init(expected ruleset: FilterRuleset, actual: FilterSnapshot, baseline: FilterSnapshot? = nil) {
        var findings: [String] = []
        for name in Set(actual.tables + [Self.table]).sorted() {
            if !actual.tables.contains(name) { findings.append("the table \(name) is missing") }
            if name != Self.table { findings.append("there is a foreign table \(name)") }
        }
        guard actual.tables.contains(Self.table) else {
            // All that was in it is missing too.
            self.findings = findings
            return
        }
        let chains = actual.chains.filter { $0.table == Self.table }
        for chain in ruleset.chains { findings += Self.differences(chain, in: chains) }
        for chain in chains where !ruleset.chains.contains(where: { $0.name == chain.name }) {
            findings.append("there is a foreign chain \(chain.name)")
        }
        for chain in ruleset.chains {
            let rules = actual.rules.filter { $0.table == Self.table && $0.chain == chain.name }
            findings += Self.differences(chain.rules.map(\.id), rules.map { $0.comment ?? "(unnamed)" }, chain.name)
        }
        let counters = Set(actual.counters.filter { $0.table == Self.table }.map(\.name))
        for name in ruleset.counters where !counters.contains(name) {
            findings.append("the counter \(name) is missing")
        }
        if let baseline { findings += Self.changes(from: baseline, to: actual) }
        self.findings = findings
    }

    private static func differences(_ chain: FilterRuleset.Chain, in actual: [FilterSnapshot.Chain]) -> [String] {
        guard let found = actual.first(where: { $0.name == chain.name }) else {
            return ["the chain \(chain.name) is missing"]
        }
        var findings: [String] = []
        if found.hook != chain.hook.number { findings.append("the chain \(chain.name) hangs on another hook") }
        if found.priority != chain.priority { findings.append("the chain \(chain.name) has another priority") }
        if found.policy != FilterRuleset.Chain.policy {
            findings.append("the chain \(chain.name) has the policy \(found.policy)")
        }
        return findings
    }

    private static func differences(_ expected: [String], _ actual: [String], _ chain: String) -> [String] {
        if expected == actual { return [] }
        var findings = expected.filter { !actual.contains($0) }.map { "the rule \($0) is missing" }
        findings += actual.filter { !expected.contains($0) }.map { "there is a foreign rule \($0) in \(chain)" }
        if findings.isEmpty { findings.append("the rules of \(chain) are in another order, or there twice") }
        return findings
    }

    /// Rules word by word, and the sets that they use.
    private static func changes(from baseline: FilterSnapshot, to actual: FilterSnapshot) -> [String] {
        var findings: [String] = []
        for (before, now) in zip(baseline.rules, actual.rules)
        where before.comment == now.comment && before.expressions != now.expressions {
            findings.append("the rule \(now.comment ?? "(unnamed)") was changed")
        }
        if baseline.rules.count == actual.rules.count, findings.isEmpty, baseline.rules != actual.rules {
            findings.append("rules were moved")
        }
        if baseline.setElements != actual.setElements { findings.append("a set that rules use was changed") }
        return findings
    }
}

extension FilterRuleset.Hook {
    /// NF_INET_PRE_ROUTING and on (linux/netfilter.h).
    public var number: UInt32 {
        switch self {
        case .prerouting: 0
        case .input: 1
        case .forward: 2
        case .output: 3
        }
    }
}
