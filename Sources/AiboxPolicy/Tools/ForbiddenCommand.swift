/// A command that a rule denies by its first words, whatever follows them.
public struct ForbiddenCommand: Sendable, Equatable {
    /// Exact words: the program, and what has to stand behind it.
    public var words: [String]
    /// By which rule, for who tries it.
    public var reason: String
}

extension EffectivePolicy {
    /// What rules deny, as far as an agent's own list of forbidden commands can say it: exact first words. Rules with patterns,
    /// reviews, and what no rule lets run are for the agent's hook and the gate alone. So are rules that a sandbox that learns is
    /// spared: the list cannot change while it runs.
    public var forbiddenCommands: [ForbiddenCommand] {
        (self["tools.rules"].map(ToolRule.tools) ?? []).filter { rule in
            rule.outcome == .deny && (rule.origin.layer == .org || !permitsLearning) && !rule.words.isEmpty
                && rule.words.allSatisfy { !$0.isEmpty && !$0.contains("*") }
        }.map { rule in
            ForbiddenCommand(
                words: rule.words,
                reason:
                    "\(rule.words.joined(separator: " ")) fits \(rule.id) of the \(rule.origin.layer.rawValue) policy; "
                    + "it stands in \(rule.origin)")
        }
    }
}
