public import AiboxWire

/// A call of a gated program, as the decision is asked about it.
public struct ToolCall: Sendable, Equatable {
    /// All words, with the program's own file in the place of the first.
    public let words: [String]
    /// The same, as they are judged: where the name of one of many programs is far behind, only what stands behind it.
    public let argv: [String]
    /// The names under which it counts, each as the words in the place of the first one.
    public let called: [[String]]
    public let directory: String

    /// Bytes of a command line that are judged and logged; rules look at its beginning.
    static let kept = 16 << 10

    /// What cannot be judged.
    public enum Refusal: Error, Sendable, Equatable {
        /// The beginning that rules look at is longer than what is kept.
        case overlong
        /// The program goes by a name that no rule names: one of many that share a file.
        case unnamed
        /// The same, and it runs others of that file, about which nobody would be asked.
        case running(String)
        /// Which of many programs in a file would run cannot be told.
        case unclear
    }

    /// - Parameter length: how many words the longest rule looks at.
    public init(_ question: ToolQuestion, _ program: ToolPlan.Program, length: Int) throws(Refusal) {
        var words = [question.program]
        var left = Self.kept
        var isCut = false
        for word in question.argv.dropFirst() {
            left -= word.utf8.count + 1
            isCut = left < 0
            if isCut { break }
            words.append(word)
        }
        self.words = words
        directory = String(question.directory.prefix(4096))
        var before = 0
        if program.isMultiCall {
            let call = MultiCall.call([question.argv.first ?? ""] + words.dropFirst(), program)
            guard let call else { throw .unclear }
            before = call.place
            if let applet = call.applet, MultiCall.Family(program.paths)?.runsOthers(applet) == true,
                Self.named(applet, program).isEmpty
            {
                throw .running(applet)
            }
            (argv, called) = Self.reading(call, words, program)
        } else {
            (argv, called) = (words, Self.names(question.argv.first ?? "", program))
        }
        // Options of the program may stand before the words of a rule.
        if isCut, words.count - before < length + 66 { throw .overlong }
        if called.isEmpty { throw .unnamed }
    }

    /// Who calls a program chooses the first word, so that it hides nothing: the names that rules name count, whatever
    /// it is. It only adds what it says, where the program may go by it: `git-push` is `git push` as well.
    private static func names(_ first: String, _ program: ToolPlan.Program) -> [[String]] {
        let word = ToolRule.name(of: first)
        return program.names.flatMap { path in
            let start = ToolRule.name(of: path) + "-"
            return word.hasPrefix(start) && word.count > start.count
                ? [[path], [path, String(word.dropFirst(start.count))]] : [[path]]
        }
    }

    private static func named(_ applet: String, _ program: ToolPlan.Program) -> [String] {
        program.names.filter { ToolRule.name(of: $0) == applet }
    }

    /// One of many goes by its own name and the words behind it; the file itself counts as well where it stands before it.
    private static func reading(
        _ call: MultiCall.Call, _ words: [String], _ program: ToolPlan.Program
    ) -> (argv: [String], called: [[String]]) {
        let family = MultiCall.Family(program.paths)
        let itself = program.names.filter { family?.isItself($0) == true }
        guard let applet = call.applet else { return (words, itself.map { [$0] }) }
        let named = named(applet, program)
        if call.place == 0 { return (words, named.map { [$0] }) }
        if call.place == 1, !call.isOption { return (words, itself.map { [$0] } + (named.isEmpty ? [] : [[]])) }
        let end = call.isOption ? min(call.place + 1, words.count - 1) : call.place
        let next = Array(words[(call.place + 1)..<(end + 1)])
        let readings =
            itself.flatMap { [[$0] + words[1...end], [$0, applet] + next] }
            + named.flatMap { next.isEmpty ? [[$0]] : [[$0], [$0] + next] }
        return ([words[0]] + words[(end + 1)...], readings)
    }

    public var question: PolicyQuestion { .tool(argv, called: called, directory: directory) }
}

extension ToolCall.Refusal {
    /// By which rule of aibox's own, why, and what to do; nil for what is not refused.
    ///
    /// - Parameter file: as it was called.
    public func told(_ file: String) -> (rule: String, reason: String, next: String)? {
        switch self {
        case .unnamed: nil
        case .overlong:
            (
                "tools.length", "the beginning of its command line is too long to be judged",
                "put long words into a file"
            )
        case .running(let applet):
            (
                "tools.applets", "\(applet) of \(file) can run others of that file, about which nobody would be asked",
                "use another \(applet), or ask who owns the organisation's policies (org) for a rule that lets \(applet) run"
            )
        case .unclear:
            (
                "tools.applets", "which program of \(file) would run cannot be told from its words",
                "call the program by its own name"
            )
        }
    }
}

extension EffectivePolicy {
    /// What a gate asks about a command line of a program that is many in one file, as far as can be told without an image;
    /// nil where it is no such program, or nobody is asked about it.
    public func multiCall(_ argv: [String]) throws(ToolCall.Refusal) -> PolicyQuestion? {
        guard let path = argv.first, MultiCall.isOne(path) else { return nil }
        var file = ToolFile(paths: [path], aliases: [path])
        file.applets = argv.dropFirst().map { word in
            let value = word.split(separator: "=", maxSplits: 1).last.map(String.init) ?? word
            return ToolRule.name(of: word.hasPrefix("--coreutils-prog") ? value : word)
        }
        guard let found = ToolCoverage(self, files: [file]).programs.first else { return nil }
        let rules = self["tools.rules"].map(ToolRule.tools) ?? []
        let program = ToolPlan.Program(
            paths: [path], names: found.names, isMultiCall: true, applets: found.applets, original: nil)
        let call = try ToolCall(
            ToolQuestion(program: path, argv: argv, directory: ""), program, length: rules.map(\.words.count).max() ?? 0
        )
        return .tool(call.argv, called: call.called)
    }
}
