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
        called = Self.names(question.argv.first ?? "", words.dropFirst().first, program)
        if called.isEmpty { throw .unnamed }
    }

    /// Who calls a program chooses the first word, so that it hides nothing: the names that rules name count, whatever
    /// it is. It only adds what it says: `git-push` is `git push`.
    private static func names(_ first: String, _ second: String?, _ program: ToolPlan.Program) -> [[String]] {
        let word = name(first)
        if program.isMultiCall {
            let own = program.paths.map(name)
            if own.contains(where: { word.hasPrefix($0) }) {
                // `busybox wget ...`
                let itself = program.names.filter { own.contains(name($0)) }.map { [$0] }
                return itself + (program.names.contains { name($0) == second } ? [[]] : [])
            }
            // A login shell's first word begins with a dash.
            let called = word.hasPrefix("-") ? String(word.dropFirst()) : word
            return program.names.filter { name($0) == called }.map { [$0] }
        }
        return program.names.map { path in
            let start = name(path) + "-"
            return word.hasPrefix(start) && word.count > start.count
                ? [path, String(word.dropFirst(start.count))] : [path]
        }
    }

    private static func name(_ path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? path
    }

    public var question: PolicyQuestion { .tool(argv, called: called, directory: directory) }
}
