import AiboxSystem
import AiboxTestSupport
import AiboxWire
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
            fixture = try SandboxFixture(
                policy: "version: 1\nnetwork: {targets: [127.0.0.1/32]}\ncredentials: {llm_api_key_ttl: 1h}\n"
                    + "llm: {models: [\"claude-*\", \"gpt-*\"], requests_per_minute: 30}\n",
                settings: [
                    "AIBOX_LLM_API_KEY": canary, "AIBOX_LLM_PROVIDER": "custom", "AIBOX_LLM_HOST": "models.example.org",
                    "AIBOX_CREDENTIALS_STORE": "environment",
                    "AIBOX_NETWORK_LLM_GATEWAY": "http://127.0.0.1:\(provider.port)",
                ])
        }

        /// Puts a file or folder of the material into the workspace; times are kept, since compiled Python names its source's.
        private func bring(_ name: String) throws {
            let material = try #require(Environment.value("AIBOX_TEST_MATERIAL"), "scripts/sandbox-tests sets it")
            let copy = Command("cp", ["-a", "--reflink=auto", material + "/" + name, fixture.workspace])
            try #require(try SystemCommandRunner().run(copy).succeeded)
        }

        @Test("the packages anthropic and openai: plain, streamed, tools, retries, refusals, limits")
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
                    openai plain hello
                    openai streamed hello
                    openai responses hello
                    openai tool function_call shell_command
                    openai retried hello
                    openai models ['claude-lab']
                    openai model PermissionDeniedError 403 llm.models
                    openai files PermissionDeniedError 403 llm.path
                    openai account PermissionDeniedError 403 llm.tenant
                    openai limit 429 True
                    """, "\(result.errorText.suffix(2000))")
            // What was refused never came to the provider, and what came had the key.
            #expect(!provider.log.contains("sk-ant-somebody-elses") && !provider.log.contains("org-other"))
            #expect(provider.log.contains(canary) && !provider.log.contains("sk-ant-aibox-"))
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
