import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// The real clients, unchanged, with nothing set but what the sandbox sets; `scripts/test-material` fetches them.
    @Suite("Clients of language models")
    struct LLMClientTests {
        private let provider: LabProvider
        private let fixture: SandboxFixture
        private let canary = "sk-canary-" + String(UInt64.random(in: .min ... .max), radix: 36)

        init() throws {
            provider = try LabProvider()
            fixture = try Self.fixture(provider, canary)
        }

        private static func fixture(
            _ provider: LabProvider, _ canary: String, rules: String = "",
            models: String = "llm: {models: [\"claude-*\", \"gpt-*\"], requests_per_minute: 60}\n"
        ) throws -> SandboxFixture {
            try SandboxFixture(
                policy: "version: 1\nnetwork: {targets: [127.0.0.1/32]}\ncredentials: {llm_api_key_ttl: 1h}\n"
                    + models + rules,
                settings: [
                    "AIBOX_LLM_API_KEY": canary, "AIBOX_LLM_PROVIDER": "custom", "AIBOX_LLM_HOST": "models.example.org",
                    "AIBOX_CREDENTIALS_STORE": "environment",
                    "AIBOX_NETWORK_LLM_GATEWAY": "http://127.0.0.1:\(provider.port)",
                ])
        }

        /// Puts a file or folder of the material into the workspace; times are kept, since compiled Python names its source's.
        private func bring(_ name: String, to other: SandboxFixture? = nil) throws {
            let material = try #require(Environment.value("AIBOX_TEST_MATERIAL"), "scripts/sandbox-tests sets it")
            let copy = Command("cp", ["-a", "--reflink=auto", material + "/" + name, (other ?? fixture).workspace])
            try #require(try SystemCommandRunner().run(copy).succeeded)
        }

        @Test(
            "the packages anthropic and openai: plain, streamed, tools, retries, refusals, limits, what the provider itself refuses and breaks off"
        )
        func packages() throws {
            try bring("packages")
            _ = try File.replace(
                fixture.workspace + "/clients.py", with: try File.text(Lab.programs + "/llm_clients.py"))
            try fixture.start()
            let result = try fixture.shell("env", "PYTHONPATH=packages", "python3", "clients.py")
            #expect(
                result.text == """
                    anthropic plain hello
                    anthropic streamed hello
                    anthropic tool echo
                    anthropic retried hello
                    anthropic tokens 10
                    anthropic models ['claude-lab']
                    anthropic model PermissionDeniedError 403 llm.models
                    anthropic files PermissionDeniedError 403 llm.path
                    anthropic foreign key PermissionDeniedError 403 llm.credential
                    anthropic 400 BadRequestError 400 invalid_request_error: the provider says 400
                    anthropic 401 AuthenticationError 401 authentication_error: the provider says 401
                    anthropic 429 RateLimitError 429 rate_limit_error: the provider says 429
                    anthropic 500 InternalServerError 500 api_error: the provider says 500
                    anthropic 529 OverloadedError 529 overloaded_error: the provider says 529
                    anthropic 429 once hello
                    anthropic 500 once hello
                    anthropic 529 once hello
                    anthropic cut hello, then RemoteProtocolError
                    openai plain hello
                    openai streamed hello
                    openai responses hello
                    openai tool function_call shell_command
                    openai retried hello
                    openai models ['claude-lab']
                    openai model PermissionDeniedError 403 llm.models
                    openai files PermissionDeniedError 403 llm.path
                    openai account PermissionDeniedError 403 llm.tenant
                    openai 400 BadRequestError 400 invalid_request_error: the provider says 400
                    openai 401 AuthenticationError 401 invalid_api_key: the provider says 401
                    openai 429 RateLimitError 429 rate_limit_exceeded: the provider says 429
                    openai 500 InternalServerError 500 server_error: the provider says 500
                    openai responses 429 RateLimitError 429 rate_limit_exceeded: the provider says 429
                    openai 429 once hello
                    openai 500 once hello
                    openai cut hello, then APIConnectionError
                    openai limit 429 True
                    """, "\(result.errorText.suffix(2000))")
            // What was refused never came to the provider, and what came had the key.
            #expect(!provider.log.contains("sk-ant-somebody-elses") && !provider.log.contains("org-other"))
            #expect(provider.log.contains(canary) && !provider.log.contains("sk-ant-aibox-"))
        }

        @Test("what the policy says of leaks, costs and content holds for a sandbox, and its person sees it")
        func policy() throws {
            let rules = """
                  daily_cost: 1.00
                  prices: [{model: "claude-*", input: 3, output: 15}]
                  logging: full
                  payload_size: 1g
                  payload_days: 1
                  dlp: [{id: canary, canary: "AIBOX-CANARY-4711", action: block}]

                """
            let fixture = try Self.fixture(
                provider, canary, models: "llm:\n  models: [\"claude-*\"]\n" + rules)
            // What a proxy left that died three days ago.
            let folder = fixture.aibox.home.path + "/state/aibox/llm-payloads"
            let old = folder + "/00000000000000000000000000.aiboxrec"
            try Folder.makePrivate(folder)
            try File.replace(old, with: "{}")
            let times = [timespec](
                repeating: timespec(tv_sec: Int(Timestamp.now.seconds) - 3 * 86_400, tv_nsec: 0), count: 2)
            #expect(utimensat(AT_FDCWD, old, times, 0) == 0)
            try fixture.start()
            func ask(_ text: String) throws -> String {
                try fixture.shell(
                    "bash", "-c",
                    "curl -s -w ' %{http_code}' -H \"x-api-key: $ANTHROPIC_API_KEY\" -d \"$0\" $ANTHROPIC_BASE_URL/v1/messages",
                    #"{"model":"claude-lab","max_tokens":5,"messages":[{"role":"user","content":"\#(text)"}]}"#
                ).text
            }
            let answer = try ask("a swallow")
            #expect(answer.hasSuffix(" 200"), "\(answer)")
            // In Base64, one byte in, over two lines.
            let refused = try ask("eEFJQk9YLUN\\nBTkFSWS00NzExIQ==")
            #expect(refused.hasSuffix(" 403") && refused.contains("llm.dlp:canary"), "\(refused)")
            #expect(!provider.log.contains("BTkFSWS0"))
            func json(_ result: CommandResult) throws -> JSONValue {
                try #require(
                    try? JSONParser.parse(result.output), "\(result.text) \(result.errorText)")
            }
            let usage = try json(fixture.aibox.run("llm", "usage", "--by", "sandbox", "-o", "json")).text
            #expect(usage.contains("\"cost\":\"0.00"), "\(usage)")
            let decisions = try fixture.aibox.run("policy", "log", "--sandbox", fixture.name).text
            #expect(decisions.contains("llm.models:claude-*"), "\(decisions)")
            let rows = try fixture.aibox.run("policy", "log", "--sandbox", fixture.name, "-o", "jsonl").text
            let row = try #require(rows.split(separator: "\n").first { $0.contains("llm.models:claude-*") })
            let entry = try #require(try JSONParser.parse(String(row))["id"]?.stringValue)
            let explained = try fixture.aibox.run("policy", "explain", "--log-entry", entry)
            #expect(
                explained.succeeded && explained.text.contains("llm.models:claude-*"),
                "\(explained.text) \(explained.errorText)")
            for type in ["llm.abandoned", "llm.expire"] {
                let events = try fixture.aibox.run("audit", "search", "--type", type, "-o", "jsonl").text
                #expect(events.contains("\"payloads\":[\"00000000000000000000000000\"]"), "\(type): \(events)")
            }
            let kept = try Folder.names(folder).filter { $0.hasSuffix(".aiboxrec") }
            let id = try #require(kept.first).prefix { $0 != "." }
            #expect(kept.count == 1)
            let shown = try json(fixture.aibox.run("llm", "show", String(id), "-o", "json"))
            #expect(shown["asked"]?.stringValue?.contains("a swallow") == true, "\(shown.text)")
            #expect(shown["answered"]?.stringValue?.contains("hello") == true, "\(shown.text)")
        }

        @Test("Claude Code: a turn with a tool")
        func claudeCode() throws {
            try bring("claude")
            try fixture.start()
            let answer = try fixture.shell(
                "/workspace/claude", "-p", "do it", "--model", "claude-tool", "--dangerously-skip-permissions")
            #expect(answer.succeeded && answer.text == "result: \"made-by-the-agent\"", "\(answer.errorText)")
            try agentLeftNoKey()
        }

        @Test("Claude Code and Codex hear from their hooks why a tool is refused, and cannot change the hooks")
        func hooks() throws {
            let fixture = try Self.fixture(provider, canary, rules: Self.rules)
            for agent in ["claude", "codex"] { try bring(agent, to: fixture) }
            try fixture.start()
            func claude(_ model: String) throws -> CommandResult {
                try fixture.shell(
                    "/workspace/claude", "-p", "do it", "--model", model, "--dangerously-skip-permissions")
            }
            let denied = try claude("claude-tool-denied")
            #expect(
                denied.text.hasPrefix("result: ") && denied.text.contains("fits no-curl of the org policy"),
                "\(denied.text) \(denied.errorText)")
            let fetched = try claude("claude-tool-fetch")
            #expect(fetched.text.contains("fits no-fetch of the org policy"), "\(fetched.text) \(fetched.errorText)")
            let allowed = try claude("claude-tool")
            #expect(allowed.text == "result: \"made-by-the-agent\"", "\(allowed.text) \(allowed.errorText)")
            let codex = try fixture.shell(
                "/workspace/codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox",
                "--model", "gpt-tool-denied", "do it")
            #expect(codex.text.contains("fits no-curl of the org policy"), "\(codex.text) \(codex.errorText)")
            // Nothing of the refused commands ran, not even what stood before the refused program.
            #expect(try !fixture.shell("test", "-e", "/tmp/tried.txt").succeeded)
            // Read-only, for their owner as well, and no settings of the agent's own switch them off.
            for path in [
                "/etc/claude-code/managed-settings.json", "/etc/codex/requirements.toml", "/run/aibox/agent-hook",
            ] {
                let tries =
                    "chmod u+w \(path); echo >\(path); rm -f \(path); mv \(path) /tmp/; mv $(dirname \(path)) /tmp"
                let tried = try fixture.shell(
                    "bash", "-c", "cp -f \(path) /tmp/before; \(tries); cmp \(path) /tmp/before && echo the same")
                #expect(tried.text == "the same", "\(path): \(tried.text) \(tried.errorText)")
            }
            let off = "mkdir -p ~/.claude; echo '{\"disableAllHooks\": true}' >~/.claude/settings.json"
            #expect(try fixture.shell("bash", "-c", off).succeeded)
            #expect(try claude("claude-tool-denied").text.contains("fits no-curl of the org policy"))
            let log = try fixture.aibox.run("policy", "log", "--sandbox", fixture.name).text
            #expect(log.contains("WebFetch https://example.org/") && log.contains("agent.unnamed"), "\(log)")
        }

        @Test("Claude Code uses tools of the MCP servers that the policy lists, and hears why it may not use others")
        func servers() throws {
            let rules = """
                mcp:
                  servers:
                    - {id: lab, tools: {note: safe, wipe: blocked-by-default}}

                """
            let fixture = try Self.fixture(provider, canary, rules: rules)
            try bring("claude", to: fixture)
            _ = try File.replace(fixture.workspace + "/server.py", with: try File.text(Lab.programs + "/mcp_server.py"))
            let servers = ["lab", "other"].map {
                #""\#($0)":{"command":"python3","args":["/workspace/server.py","\#($0)"]}"#
            }
            _ = try File.replace(
                fixture.workspace + "/mcp.json", with: "{\"mcpServers\":{\(servers.joined(separator: ","))}}")
            try fixture.start()
            func claude(_ tool: String) throws -> String {
                let answer = try fixture.shell(
                    "/workspace/claude", "-p", "do it", "--model", "claude-tool-mcp_\(tool)",
                    "--dangerously-skip-permissions",
                    "--mcp-config", "/workspace/mcp.json", "--strict-mcp-config")
                return answer.text + answer.errorText
            }
            let note = try claude("lab_note")
            #expect(note.contains("lab did note"), "\(note)")
            let wipe = try claude("lab_wipe")
            #expect(!wipe.contains("lab did wipe") && wipe.contains("wipe fits wipe of lab"), "\(wipe)")
            let other = try claude("other_note")
            #expect(!other.contains("other did note") && other.contains("is refused"), "\(other)")
            // The servers themselves were asked for nothing else.
            #expect(try fixture.shell("cat", "/tmp/mcp-lab.txt").text == "note")
            #expect(try !fixture.shell("test", "-e", "/tmp/mcp-other.txt").succeeded)
            let log = try fixture.aibox.run("policy", "log", "--sandbox", fixture.name).text
            #expect(
                log.contains("mcp__lab__note") && log.contains("mcp__lab__wipe") && log.contains("mcp__other__note"),
                "\(log)")
        }

        private static let rules = """
            tools:
              rules:
                - {id: no-curl, match: [curl], allow: false}
                - {id: no-fetch, match: [WebFetch], allow: false}

            """

        @Test("Codex: a turn with a tool")
        func codex() throws {
            try bring("codex")
            try fixture.start()
            let answer = try fixture.shell(
                "/workspace/codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox",
                "--model", "gpt-tool", "do it")
            #expect(
                answer.succeeded && answer.text.hasPrefix("result: ") && answer.text.contains("made-by-the-agent"),
                "\(answer.text) \(answer.errorText)")
            try agentLeftNoKey()
        }

        /// The tool ran inside, and no file that the agent wrote has the key.
        private func agentLeftNoKey() throws {
            #expect(try fixture.shell("cat", "/tmp/agent.txt").text == "made-by-the-agent")
            #expect(provider.log.contains(canary))
            let found = try fixture.shell("grep", "-rlF", canary, "/home/dev", "/tmp", "/var/tmp")
            #expect(found.termination == .exited(1) && found.text == "", "\(found.text)")
        }
    }
}
