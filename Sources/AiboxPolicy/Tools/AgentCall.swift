public import AiboxWire

/// What is asked of the policies about a tool of an agent's own.
///
/// Rules name such a tool as they name a program: `match: [WebFetch]`. For a shell's command the programs that its words
/// name are asked about as well, so that the agent is told before it tries: what the gate says when they run is what counts.
public struct AgentCall: Sendable, Equatable {
    /// About the tool itself. Answers other than permission stand.
    public let own: [PolicyQuestion]
    /// About programs that its command names. Denials stand; reviews are the gate's.
    public let programs: [PolicyQuestion]

    /// Programs of one command that are asked about.
    static let limit = 32

    /// - Parameter policy: the policy as the policies in Rego read it.
    public init(_ question: AgentQuestion, policy: JSONValue) {
        let rules = ToolRule.tools(policy["tools"]?["rules"]?.elements ?? [])
        let subject = String(question.subject.prefix(4096))
        var own: [PolicyQuestion] = []
        if !ToolRule.naming(rules, [question.tool]).isEmpty {
            own.append(.tool([question.tool, subject], directory: question.directory))
        }
        if let (id, tool) = question.server, policy["mcp"]?["servers"]?.elements?.isEmpty == false {
            own.append(.server(id: id, tool: tool))
        }
        self.own = own
        let command = question.tool == "Bash" ? question.input["command"]?.stringValue ?? "" : ""
        programs = Self.commands(String(command.prefix(16 << 10))).filter { ToolRule.hold(rules, [$0[0]]) }
            .prefix(Self.limit).map { .tool($0, directory: question.directory) }
    }

    /// The simple commands in the text of a shell's, as far as they can be told by looking at it.
    static func commands(_ text: String) -> [[String]] {
        var commands: [[String]] = [[]]
        var word = ""
        var isWord = false
        var quote: Character?
        var isEscaped = false
        func end() {
            if isWord { commands[commands.count - 1].append(word) }
            (word, isWord) = ("", false)
        }
        for character in text {
            if isEscaped {
                if character != "\n" { word.append(character) }
                (isEscaped, isWord) = (false, true)
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "'" || character == "\"" {
                (quote, isWord) = (character, true)
            } else if ";|&\n(){}`".contains(character) {
                end()
                commands.append([])
            } else if character == " " || character == "\t" {
                end()
            } else {
                word.append(character)
                isWord = true
            }
        }
        end()
        return commands.map { words in
            Array(words.drop { before.contains($0) || isAssignment($0) })
        }.filter { !$0.isEmpty }
    }

    /// Words of the shell, and programs that run others, before a command.
    private static let before: Set = [
        "env", "command", "exec", "nohup", "nice", "time", "sudo", "builtin", "then", "do", "else", "if", "while",
        "until",
        "!", "$",
    ]

    private static func isAssignment(_ word: String) -> Bool {
        guard let name = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).first,
            name.count < word.count
        else { return false }
        return !name.isEmpty && name.allSatisfy { $0 == "_" || $0.isLetter || $0.isNumber }
    }
}
