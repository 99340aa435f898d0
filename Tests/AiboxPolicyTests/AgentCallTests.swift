import AiboxWire
import Testing

@testable import AiboxPolicy

@Suite("What is asked about an agent's own tools")
struct AgentCallTests {
    private static let policy: JSONValue = [
        "tools": [
            "rules": [
                ["match": ["curl"]], ["match": ["WebFetch"]], ["match": ["git", "push"]], ["match": ["/opt/x"]],
                ["match": ["make"], "allow": true, "risk": "safe"],
            ]
        ],
        "mcp": ["servers": [["id": "files"]]],
    ]

    @Test(
        "the tool itself where a rule names it, the programs that its command names, and tools of MCP servers",
        arguments: [
            ("a tool that no rule names", "Write", "{\"file_path\":\"/w/curl\"}", ""),
            (
                "a tool that one names", "WebFetch", "{\"url\":\"https://a.example/\"}",
                "tool:WebFetch https://a.example/"
            ),
            ("a command", "Bash", "{\"command\":\"curl x\"}", "curl x"),
            (
                "one of many", "Bash", "{\"command\":\"cd /w && git push; echo $(curl -s 'a b')|cat\"}",
                "git push,curl -s a b"
            ),
            ("behind other words", "Bash", "{\"command\":\"A=b env C=d nohup /usr/bin/curl x\"}", "/usr/bin/curl x"),
            ("in quotes", "Bash", "{\"command\":\"\\\"cu\\\"rl 'x;y'\"}", "curl x;y"),
            ("by its path", "Bash", "{\"command\":\"/opt/x a; /opt/y b\"}", "/opt/x a"),
            ("a program that is only let do some things", "Bash", "{\"command\":\"make x\"}", "make x"),
            ("a tool that is only let do some things", "make", "{}", "tool:make {}"),
            ("as a word of another", "Bash", "{\"command\":\"echo curl\"}", ""),
            ("quotes that do not end", "Bash", "{\"command\":\"curl 'x\"}", "curl x"),
            ("nothing", "Bash", "{\"command\":\"\"}", ""), ("no command", "Bash", "{}", ""),
            ("a command that is none", "Bash", "{\"command\":7}", ""),
            ("a tool of a server", "mcp__files__read_file", "{}", "server:files read_file"),
            ("a name that is no server's", "mcp__files", "{}", ""),
        ])
    func asked(what: String, tool: String, input: String, expected: String) throws {
        let question = try AgentQuestion(
            body: Array("{\"tool_name\":\"\(tool)\",\"tool_input\":\(input),\"cwd\":\"/w\",\"more\":1}".utf8))
        let call = AgentCall(question, policy: Self.policy)
        func words(_ question: PolicyQuestion) -> String {
            switch question {
            case .tool(let argv, _, _): argv.joined(separator: " ")
            case .server(let id, let tool): "server:\(id) \(tool)"
            default: "?"
            }
        }
        let own = call.own.map { $0.field == "mcp.servers" ? words($0) : "tool:" + words($0) }
        #expect((own + call.programs.map(words)).joined(separator: ",") == expected, "\(what)")
    }

    @Test(
        "what is no call of a tool is not read",
        arguments: [
            "", "[]", "{}", "{\"tool_name\":\"\",\"tool_input\":{}}", "{\"tool_name\":\"Bash\"}",
            "{\"tool_name\":7,\"tool_input\":{}}",
        ])
    func refused(text: String) {
        #expect(throws: WireError.self) { try AgentQuestion(body: Array(text.utf8)) }
    }
}
