/// What an agent is about to do with a tool of its own, as it tells its `PreToolUse` hook: one JSON object, of which more is
/// there than is read (code.claude.com/docs/en/hooks, developers.openai.com/codex/hooks).
public struct AgentQuestion: Sendable, Equatable {
    public static let path = "/v1/agent"
    /// Bytes of a question.
    public static let bodyLimit = 1 << 20

    /// `Bash`, `Edit`, `WebFetch`, `mcp__SERVER__TOOL`.
    public var tool: String
    /// What it is given.
    public var input: JSONValue
    public var directory: String

    public init(tool: String, input: JSONValue, directory: String) {
        self.tool = tool
        self.input = input
        self.directory = directory
    }

    public init(body: some Collection<UInt8>) throws(WireError) {
        let json: JSONValue
        do { json = try JSONParser.parse(body) } catch {
            throw WireError(code: "usage", what: "cannot read the agent's question", why: "\(error)")
        }
        guard let tool = json["tool_name"]?.stringValue, !tool.isEmpty, tool.utf8.count <= 256,
            let input = json["tool_input"]
        else {
            throw WireError(code: "usage", what: "cannot read the agent's question", why: "it names no tool and input")
        }
        self.init(tool: tool, input: input, directory: json["cwd"]?.stringValue ?? "")
    }

    /// Server and tool, if it is a tool of an MCP server.
    public var server: (id: String, tool: String)? {
        guard tool.hasPrefix("mcp__") else { return nil }
        let rest = tool.dropFirst("mcp__".count)
        guard let cut = rest.firstRange(of: "__"), cut.lowerBound > rest.startIndex, cut.upperBound < rest.endIndex
        else { return nil }
        return (String(rest[..<cut.lowerBound]), String(rest[cut.upperBound...]))
    }

    /// What it is about, for rules and people: the command, the address, the file; else its input as JSON.
    public var subject: String {
        for name in ["command", "url", "file_path", "notebook_path", "path", "query", "pattern"] {
            if let text = input[name]?.stringValue { return text }
        }
        return String(decoding: input.bytes, as: UTF8.self)
    }
}
