import AiboxAudit
import AiboxPolicy
import AiboxSystem
import AiboxWire
import Testing

@testable import AiboxGateway

/// What an organisation says in Rego of its own about programs, agents' tools and tools of MCP servers.
extension GatewayToolTests {
    /// All that these refuse the documents let run or have a person look at.
    private static let own = """
        package aibox.org

        deny contains {"rule": "no-tags", "reason": "tags are for the release"} if {
        	input.action == "tool"
        	input.command.argv[1] == "tag"
        }

        deny contains {"rule": "no-main", "reason": sprintf("%s pushes to no main", [input.subject.user])} if {
        	input.action == "tool"
        	input.command.argv[1] == "push"
        	"main" in input.command.argv
        }

        deny contains {"rule": "no-private", "reason": "that page is private"} if {
        	input.action == "tool"
        	input.command.argv[0] == "WebFetch"
        	contains(input.command.argv[1], "/private")
        }

        deny contains {"rule": "no-drop", "reason": "nothing is\\u001b[2J dropped"} if {
        	input.action == "mcp"
        	input.request.server == "lab"
        	startswith(input.request.tool, "drop")
        }

        deny contains {"rule": "held", "reason": "this sandbox is held"} if input.sandbox.name == "held"

        # Goes wrong where it is given no number.
        deny contains {"rule": "count", "reason": "too many"} if {
        	input.action == "tool"
        	input.command.argv[1] == "count"
        	to_number(input.command.argv[2]) > 1
        }

        deny contains {"rule": "count", "reason": "too many"} if {
        	input.action == "mcp"
        	startswith(input.request.tool, "count_")
        	to_number(trim_prefix(input.request.tool, "count_")) > 1
        }

        # Comes to no end within a decision's time.
        deny contains {"rule": "endless", "reason": "never"} if {
        	input.action == "tool"
        	input.command.argv[1] == "bisect"
        	endless
        }

        deny contains {"rule": "endless", "reason": "never"} if {
        	input.action == "mcp"
        	input.request.tool == "bisect"
        	endless
        }

        endless if {
        	some a in numbers.range(1, 3000)
        	some b in numbers.range(1, 3000)
        	some c in numbers.range(1, 3000)
        	(a * b) * c < 0
        }
        """

    private static func plan(own: String) throws -> ToolPlan {
        let text = """
            version: 1
            tools:
              rules:
                - {id: git, match: [git], allow: true, risk: safe}
                - {id: push, match: [git, push], allow: true, risk: review-required}
                - {id: fetch, match: [WebFetch], allow: true, risk: safe}
            mcp: {servers: [{id: lab, tools: {"*": safe}}]}

            """
        let policy = try EffectivePolicy(
            organisation: try PolicyDocument(Array(text.utf8), layer: .org, file: "org"), day: "2026-11-22")
        return ToolPlan(
            policy: policy.decisionDocument, modules: try LiveGateway.decisions(own: own).modules,
            programs: [
                .init(paths: ["/usr/bin/git"], names: ["/usr/bin/git"], isMultiCall: false, original: "/run/x")
            ], rules: [], patience: 600)
    }

    /// Prints an answer's status and lines.
    private static let client = """
        import json, socket
        def ask(path, body):
            s = socket.create_connection(("10.200.1.1", 8444), 30)
            s.sendall(b"POST %s HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: %d\\r\\n\\r\\n" % (path, len(body)) + body)
            data = b""
            while piece := s.recv(65536): data += piece
            head, _, text = data.decode().partition("\\r\\n\\r\\n")
            print(head.split()[1], *text.splitlines(), sep="|")
        def tool(*words): ask(b"/v1/tool", b"".join(word.encode() + b"\\0" for word in ("/usr/bin/git", "/", "git", *words)))
        def agent(tool, **given): ask(b"/v1/agent", json.dumps({"tool_name": tool, "tool_input": given, "cwd": "/"}).encode())

        """

    private static let unusable = "the policies cannot be evaluated"

    private static let calls: [(call: String, said: String)] = [
        ("tool('status')", "200|run /run/x"),
        ("tool('tag', 'v1')", "403|say git is refused: tags are for the release|say rule no-tags, org policy|"),
        ("tool('push', 'origin', 'main')", "pushes to no main|say rule no-main, org policy|"),
        ("agent('WebFetch', url='https://a.example/')", "200|pass"),
        (
            "agent('WebFetch', url='https://a.example/private/x')",
            "403|say WebFetch is refused: that page is private|say rule no-private, org policy|"
        ),
        ("agent('Bash', command='cd /w && git status')", "200|pass"),
        ("agent('Bash', command='cd /w && git tag v2')", "403|say Bash is refused: tags are for the release|"),
        ("agent('mcp__lab__read', name='x')", "200|pass"),
        (
            "agent('mcp__lab__drop_table', name='x')",
            "403|say mcp__lab__drop_table is refused: nothing is\\u{1b}[2J dropped|say rule no-drop, org policy|"
        ),
        ("agent('mcp__other__read')", "is refused: the server or its tool is not on the list|say rule mcp.default"),
        ("tool('count', '1')", "200|run /run/x"), ("tool('count', '2')", "refused: too many"),
        ("tool('count', 'x')", "403|say git is refused: \(unusable)"),
        ("agent('mcp__lab__count_1')", "200|pass"),
        ("agent('mcp__lab__count_x')", "403|say mcp__lab__count_x is refused: \(unusable)"),
        ("tool('bisect')", "403|say git is refused: \(unusable)"),
        ("agent('mcp__lab__bisect')", "403|say mcp__lab__bisect is refused: \(unusable)"),
        ("tool('log')", "200|run /run/x"),
    ]

    @Test(
        "the organisation's own Rego refuses programs, agents' tools and MCP tools, in its words; one that fails refuses"
    )
    func rego() throws {
        let gateway = try LiveGateway { $0.tools = try Self.plan(own: Self.own) }
        let script = Self.client + Self.calls.map { $0.call + "\n" }.joined()
        let said = try gateway.run(gateway.inBox("python3", ["-c", script]), timeout: .seconds(120))
        let lines = said.split(separator: "\n")
        try #require(lines.count == Self.calls.count, "\(said)")
        for (call, line) in zip(Self.calls, lines) {
            #expect(line.contains(call.said), "\(call.call): \(line)")
            #expect(line.hasSuffix("|refuse") == line.hasPrefix("403|"), "\(call.call): \(line)")
        }
        // What they refuse no person is asked about.
        #expect(try gateway.events("approval.request").isEmpty)
        let denied = try gateway.events("policy.deny")
        let rules = denied.map { $0.json["details"]?["rule"]?.stringValue ?? "" }
        #expect(
            rules == [
                "no-tags", "no-main", "no-private", "no-tags", "no-drop", "mcp.default", "count", "error", "error",
                "error", "error",
            ])
        let actions = denied.map { $0.json["details"]?["action"]?.stringValue ?? "" }
        #expect(
            actions == [
                "tool", "tool", "tool", "tool", "mcp", "mcp", "tool", "tool", "mcp", "tool", "mcp",
            ])
        for event in denied {
            let details = event.json["details"]
            #expect(event.outcome == "denied" && event.json["problems"] == nil)
            #expect(details?["policies"]?.stringValue?.count == 64 && details?["input"]?.stringValue?.count == 64)
            #expect(details?["question"]?["sandbox"]?["name"] == "live")
            #expect(details?["reason"]?.stringValue?.isEmpty == false)
        }
        #expect(denied[0].subject == "/usr/bin/git tag v1" && denied[3].subject.hasPrefix("Bash cd /w"))
        #expect(denied[4].json["details"]?["question"]?["request"] == ["server": "lab", "tool": "drop_table"])
        #expect(try gateway.events("policy.allow").count == Self.calls.count - denied.count)
    }

    @Test("a rule of theirs about one sandbox holds its tools as well") func held() throws {
        let gateway = try LiveGateway(name: "held") { $0.tools = try Self.plan(own: Self.own) }
        let script =
            Self.client + "tool('status'); agent('WebFetch', url='https://a.example/'); agent('mcp__lab__read')"
        let said = try gateway.run(gateway.inBox("python3", ["-c", script])).split(separator: "\n")
        #expect(said.count == 3)
        for line in said {
            #expect(line.hasPrefix("403|") && line.contains("refused: this sandbox is held|say rule held"), "\(line)")
        }
    }

    @Test(
        "with policies that cannot be used there is no gateway",
        arguments: [
            ("that cannot be read", "deny contains"),
            ("that call what is not there", "deny contains {\"rule\": \"x\"} if undefined_function(1)"),
            ("whose answer is no set", "deny := 1"),
        ])
    func withoutPolicies(what: String, own: String) throws {
        for server in [false, true] {
            #expect("\(what)") {
                _ = try LiveGateway {
                    $0.tools = try Self.plan(own: "package aibox.org\n\n\(own)\n")
                    if !server, case .object(var policy)? = $0.tools?.policy {
                        policy["mcp"] = nil
                        $0.tools?.policy = .object(policy)
                    }
                }
            } throws: {
                "\($0)".contains("cannot use the policies in Rego")
            }
        }
    }
}
