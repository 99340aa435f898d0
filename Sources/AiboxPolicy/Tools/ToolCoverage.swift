/// Where the gate for tools has to stand, so that the rules about tools hold in a sandbox of an image.
///
/// A file that a rule names by any of its names is covered, whatever other names it has. Programs that no rule names are
/// not: nothing is asked about them.
public struct ToolCoverage: Sendable, Equatable {
    public struct Program: Sendable, Equatable {
        public var file: ToolFile
        /// Those of its names that rules name.
        public var names: [String]
        public var isMultiCall: Bool
        /// Of such a file, the names by which it surely goes; none where every name is sure.
        public var applets: [String]
        /// Whether there is a command line of it that runs. Where there is none, the sandbox need not have the file.
        public var canRun: Bool
    }

    public let programs: [Program]

    public init(_ policy: EffectivePolicy, files: [ToolFile]) {
        let rules = Self.rules(policy)
        programs = files.compactMap { file in
            let all = file.aliases + file.appletPaths
            guard ToolRule.hold(rules, all) else { return nil }
            let names = all.filter { !ToolRule.naming(rules, [$0]).isEmpty }
            let isMultiCall = file.paths.contains(where: MultiCall.isOne)
            let canRun = isMultiCall || rules.contains { rule in rule.mayLetRun && names.contains { rule.names($0) } }
            return Program(
                file: file, names: Self.distinct(names, rules), isMultiCall: isMultiCall,
                applets: MultiCall.sure(file), canRun: canRun)
        }
    }

    private static func rules(_ policy: EffectivePolicy) -> [ToolRule] {
        policy["tools.rules"].map(ToolRule.tools) ?? []
    }

    /// Whether the policy has rules that name something about which is asked.
    public static func isNeeded(_ policy: EffectivePolicy) -> Bool { rules(policy).contains { !$0.isForAll } }

    /// How long a call may wait for a person; documents that say something else are refused.
    static let reviewSeconds = 1...86_400

    /// How long a call waits for a person.
    public static func reviewSeconds(_ policy: EffectivePolicy) -> Int {
        policy["tools.review_timeout"]?.integer ?? 600
    }

    /// Names of programs that rules have, without paths and patterns.
    public static func programs(_ policy: EffectivePolicy) -> [String] {
        rules(policy).compactMap(\.words.first).filter { !$0.contains("/") && !$0.contains("*") }
    }

    /// Absolute paths that rules name; a link to a folder may be in them, so that a search does not come across them.
    public static func paths(_ policy: EffectivePolicy) -> [String] {
        rules(policy).compactMap(\.words.first).filter { $0.hasPrefix("/") && !$0.contains("*") }
    }

    /// Where every session begins with a program: by which name, and why the gate would have to stand there.
    public static func impossible(_ policy: EffectivePolicy, _ program: Program) -> (name: String, why: String)? {
        guard let name = program.file.aliases.first(where: ToolRule.isBeginning),
            let rule = ToolRule.first(rules(policy), holding: program.names)
        else { return nil }
        let other = program.names.first { rule.names($0) }.map { ToolRule.name(of: $0) + ", which is the same file," }
        let named = rule.names(name) ? "it" : other ?? "it"
        return (name, "every session begins with it; the rule \(rule.id) names \(named) (\(rule.origin))")
    }

    /// What matters of the policy: the same rules cover the same files.
    public static func words(_ policy: EffectivePolicy) -> String {
        rules(policy).map { "\($0.outcome) \($0.words)" }.joined(separator: "\n")
    }

    /// One path a name, for paths that no rule tells apart are the same question.
    private static func distinct(_ names: [String], _ rules: [ToolRule]) -> [String] {
        let exact = Set(rules.compactMap(\.words.first).filter { $0.contains("/") })
        var seen: Set<String> = []
        return names.sorted().filter { path in
            exact.isEmpty ? seen.insert(ToolRule.name(of: path)).inserted : true
        }
    }
}

extension ToolRule {
    /// Whether what it fits can run, maybe once a person has agreed.
    fileprivate var mayLetRun: Bool { outcome != .deny }
}
