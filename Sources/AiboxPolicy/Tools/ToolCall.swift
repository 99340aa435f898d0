public import AiboxWire

/// A call of a gated program, as the decision is asked about it.
public struct ToolCall: Sendable, Equatable {
    /// The words with the program's own file in the place of the first.
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
    }

    /// - Parameter length: how many words the longest rule looks at.
    public init(_ question: ToolQuestion, _ program: ToolPlan.Program, length: Int) throws(Refusal) {
        var words = [question.program]
        var left = Self.kept
        for word in question.argv.dropFirst() {
            left -= word.utf8.count + 1
            if left < 0 {
                // Options of the program may stand before the words of a rule.
                if words.count < length + 66 { throw .overlong }
                break
            }
            words.append(word)
        }
        argv = words
        directory = String(question.directory.prefix(4096))
        if program.isMultiCall {
            let call = MultiCall.call([question.argv.first ?? ""] + words.dropFirst(), paths: program.paths)
            called = Self.names(call, program)
            if called.isEmpty, let applet = call.applet, MultiCall.running.contains(applet) { throw .running(applet) }
        } else {
            called = Self.names(question.argv.first ?? "", program)
        }
        if called.isEmpty { throw .unnamed }
    }

    /// Who calls a program chooses the first word, so that it hides nothing: the names that rules name count, whatever
    /// it is. It only adds what it says: `git-push` is `git push`.
    private static func names(_ first: String, _ program: ToolPlan.Program) -> [[String]] {
        let word = ToolRule.name(of: first)
        return program.names.map { path in
            let start = ToolRule.name(of: path) + "-"
            return word.hasPrefix(start) && word.count > start.count
                ? [path, String(word.dropFirst(start.count))] : [path]
        }
    }

    /// One of many goes by its own name; the file itself counts as well where it stands before it.
    private static func names(_ call: MultiCall.Call, _ program: ToolPlan.Program) -> [[String]] {
        let isItself = call.applet == nil || call.isSecond || call.isHidden
        let itself = isItself ? program.names.filter(MultiCall.isOne).map { [$0] } : []
        let named = program.names.filter { ToolRule.name(of: $0) == call.applet }
        if call.isSecond { return itself + (named.isEmpty ? [] : [[]]) }
        return itself + named.map { [$0] }
    }

    public var question: PolicyQuestion { .tool(argv, called: called, directory: directory) }
}
