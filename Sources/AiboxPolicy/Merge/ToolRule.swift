import AiboxWire

/// A rule about tools: of a command line, or of an MCP server.
struct ToolRule: Sendable {
    /// From the loosest.
    enum Outcome: Int, Sendable, Comparable {
        /// It runs.
        case allow
        /// It runs, and somebody looks at it.
        case reviewLater
        /// It waits until somebody has looked at it.
        case review
        case deny

        static func < (left: Outcome, right: Outcome) -> Bool { left.rawValue < right.rawValue }

        var words: String {
            switch self {
            case .allow: "allows it"
            case .reviewLater: "asks for a review afterwards"
            case .review: "asks for a review first"
            case .deny: "forbids it"
            }
        }
    }

    let id: String
    let words: [String]
    let outcome: Outcome
    let origin: PolicyOrigin
    /// A command line may go on after the words, and its first one is a program.
    let isCommand: Bool
    private let patterns: [PolicyPattern]

    private init(id: String, words: [String], outcome: Outcome, origin: PolicyOrigin, isCommand: Bool) {
        self.id = id
        self.words = words
        self.outcome = outcome
        self.origin = origin
        self.isCommand = isCommand
        patterns = words.map { PolicyPattern($0) }
    }

    /// The rules of `tools.rules`.
    static func tools(_ list: PolicyItem) -> [ToolRule] {
        list.elements.map { entry in
            let words = entry["match"]?.texts ?? []
            return ToolRule(
                id: entry["id"]?.text ?? words.joined(separator: " "), words: words,
                outcome: outcome(
                    entry["allow"]?.boolean == true ? entry["risk"]?.text : nil, entry["async"]?.boolean == true),
                origin: entry.origin, isCommand: true)
        }
    }

    /// The same, as the policies in Rego read them.
    static func tools(_ list: [JSONValue]) -> [ToolRule] {
        list.map { entry in
            let words = entry["match"]?.elements?.compactMap(\.stringValue) ?? []
            let layer = entry["layer"]?.stringValue.flatMap(PolicyLayer.init(rawValue:)) ?? .org
            return ToolRule(
                id: entry["id"]?.stringValue ?? words.joined(separator: " "), words: words,
                outcome: outcome(
                    entry["allow"]?.truth == true ? entry["risk"]?.stringValue : nil, entry["async"]?.truth == true),
                origin: PolicyOrigin(layer: layer, file: "", line: nil), isCommand: true)
        }
    }

    /// The tools of `mcp.servers`, each as a rule of two words.
    static func servers(_ list: PolicyItem) -> [ToolRule] {
        list.elements.flatMap { entry in
            let server = entry["id"]?.text ?? ""
            return (entry["tools"]?.members ?? [:]).sorted { $0.key < $1.key }.map { pattern, risk in
                ToolRule(
                    id: "\(server)/\(pattern)", words: [server, pattern], outcome: outcome(risk.text, false),
                    origin: risk.origin, isCommand: false)
            }
        }
    }

    private static func outcome(_ risk: String?, _ isAsynchronous: Bool) -> Outcome {
        switch risk {
        case "safe": .allow
        case "review-required": isAsynchronous ? .reviewLater : .review
        default: .deny
        }
    }

    /// Whether the rule speaks about a command line (or server and tool).
    func fits(_ argv: [String]) -> Bool {
        guard !words.isEmpty, isCommand ? argv.count >= words.count : argv.count == words.count else { return false }
        return zip(words.indices, argv).allSatisfy { index, word in
            patterns[index].matches(isCommand && index == 0 && !words[0].contains("/") ? Self.name(of: word) : word)
        }
    }

    /// True only if this rule fits everything that `other` fits.
    func covers(_ other: ToolRule) -> Bool {
        guard isCommand == other.isCommand, !words.isEmpty,
            isCommand ? words.count <= other.words.count : words.count == other.words.count
        else { return false }
        return words.indices.allSatisfy { index in
            var word = other.words[index]
            if isCommand, index == 0, !words[0].contains("/"), word.contains("/") {
                // An asterisk may stand for slashes, and then the name is not known.
                if word.contains("*") { return words[0].allSatisfy { $0 == "*" } }
                word = Self.name(of: word)
            } else if isCommand, index == 0, words[0].contains("/"), !word.contains("/") {
                return false
            }
            return patterns[index].covers(PolicyPattern(word))
        }
    }

    /// Whether the rule speaks about a program at that path, whatever its words.
    func names(_ path: String) -> Bool {
        guard let first = patterns.first else { return false }
        return first.matches(words[0].contains("/") ? path : Self.name(of: path))
    }

    /// What the rules say together: the strictest that fits, then the most specific, then org before team before
    /// project. What no rule speaks about is denied. Other readings of a command line can only tighten.
    static func decide(_ rules: [ToolRule], _ argv: [String]) -> (outcome: Outcome, rule: ToolRule?) {
        var answer = decide(rules, reading: argv) ?? (.deny, nil)
        if !rules.contains(where: \.isCommand) { return answer }
        guard let readings = readings(argv) else { return (.deny, nil) }
        for reading in readings {
            if let other = decide(rules, reading: reading), other.outcome > answer.outcome { answer = other }
        }
        return answer
    }

    /// The command line without options of the program itself that come before its command, each of which may have a
    /// value; nil if they are more than 64 words.
    private static func readings(_ argv: [String]) -> [[String]]? {
        var readings: [[String]] = []
        var at = 1
        while at < argv.count, argv[at].hasPrefix("-") || (at > 1 && argv[at - 1].hasPrefix("-")) { at += 1 }
        if at > 64 { return nil }
        for start in stride(from: 2, through: at, by: 1) where start < argv.count && !argv[start].hasPrefix("-") {
            readings.append([argv[0]] + argv[start...])
        }
        return readings
    }

    private static func decide(_ rules: [ToolRule], reading argv: [String]) -> (outcome: Outcome, rule: ToolRule?)? {
        let fitting = rules.filter { $0.fits(argv) }
        let first = fitting.min { left, right in
            if left.outcome != right.outcome { return left.outcome > right.outcome }
            if left.specificity != right.specificity { return left.specificity > right.specificity }
            return (left.origin.layer, left.id) < (right.origin.layer, right.id)
        }
        return first.map { ($0.outcome, $0) }
    }

    private var specificity: Int { words.count { !$0.contains("*") } }

    /// The program's name without where it lies.
    static func name(of program: String) -> String {
        program.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? program
    }

    /// Later rules that could never have their effect, or that take an earlier one's name.
    static func loosening(_ field: String, of earlier: [ToolRule], by later: [ToolRule]) -> [PolicyViolation] {
        later.flatMap { rule -> [PolicyViolation] in
            // What is only said again changes nothing.
            if earlier.contains(where: { $0.id == rule.id && $0.words == rule.words && $0.outcome == rule.outcome }) {
                return []
            }
            let stricter = earlier.filter { $0.outcome > rule.outcome && $0.covers(rule) }
            let namesakes = earlier.filter {
                $0.id == rule.id && ($0.words != rule.words || $0.outcome != rule.outcome)
                    && !($0.words == rule.words && $0.outcome < rule.outcome)
            }
            return stricter.map {
                PolicyViolation(
                    field, "rule \(rule.id) \(rule.outcome.words), and rule \($0.id) \($0.outcome.words)", rule.origin,
                    $0.origin)
            }
                + namesakes.filter { namesake in !stricter.contains { $0.origin == namesake.origin } }.map {
                    PolicyViolation(field, "takes the name of the rule \($0.id)", rule.origin, $0.origin)
                }
        }
    }

    /// Programs of which rules single out a command, and of which nothing else runs because no rule lets it: seldom what is
    /// meant.
    static func forbiddenWhole(_ rules: [ToolRule]) -> [String] {
        var seen: Set<String> = []
        return rules.filter { rule in
            rule.outcome != .allow && rule.words.count > 1
                && !rules.contains { other in
                    other.names(rule.words[0])
                        && (other.outcome == .allow || other.words.count == 1)
                }
        }.filter { seen.insert($0.words[0]).inserted }.map { rule in
            let program = rule.words[0]
            return
                "the rule \(rule.id) is about \(rule.words.joined(separator: " ")), and no rule lets any other \(program) run: all are refused "
                + "(\(rule.origin)). {match: [\(program)], allow: true, risk: safe} lets them"
        }
    }

    /// Rules of later documents that would let run what the documents before them forbid by letting no rule of theirs fit.
    ///
    /// Nothing is forbidden so about a program that no earlier rule names, nor about MCP servers where no earlier document lists
    /// any: nobody asks about those, they run, and every rule about them is tighter. What an earlier rule names is the
    /// earlier documents' to permit.
    static func uncovered(
        _ field: String, _ organisation: PolicyDocument, _ later: [PolicyDocument], _ read: (PolicyItem) -> [ToolRule]
    ) -> [PolicyViolation] {
        // An empty list is none: nobody is asked under it.
        func listed(_ document: PolicyDocument) -> PolicyItem? {
            document.fields[field].flatMap { $0.elements.isEmpty ? nil : $0 }
        }
        var list = listed(organisation)
        var earlier = list.map(read) ?? []
        var violations: [PolicyViolation] = []
        for document in later {
            guard let item = listed(document) else { continue }
            let rules = read(item)
            for rule in rules where rule.outcome != .deny && list != nil && rule.mayBeForbidden(by: earlier) {
                // Where what covers it is stricter, `loosening` has said so.
                if earlier.contains(where: { $0.covers(rule) }) { continue }
                violations.append(
                    PolicyViolation(
                        field, "rule \(rule.id) \(rule.outcome.words), and no earlier rule lets it run", rule.origin,
                        list?.origin ?? .builtIn))
            }
            earlier += rules
            list = list ?? item
        }
        return violations
    }

    /// Whether something that this rule fits may be asked about under other rules.
    private func mayBeForbidden(by rules: [ToolRule]) -> Bool { !isCommand || rules.contains { mayNameSame(as: $0) } }

    /// False only if there is no program that both rules name.
    func mayNameSame(as other: ToolRule) -> Bool {
        guard let own = words.first, let their = other.words.first else { return false }
        if own.contains("*"), their.contains("*") { return true }
        if own.contains("*") { return other.mayNameSame(as: self) }
        if their.contains("*"), their.contains("/") { return true }
        if their.contains("/"), own.contains("/") { return own == their }
        return PolicyPattern(Self.name(of: their)).matches(Self.name(of: own))
    }
}
