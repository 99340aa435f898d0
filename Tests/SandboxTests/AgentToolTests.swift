import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

extension Sandboxes {
    /// The agents themselves, unchanged, each told by a provider of the lab to use one of its own tools.
    @Suite("Agents' own tools")
    struct AgentToolTests {
        private let provider: LabProvider

        init() throws { provider = try LabProvider() }

        private static let rules = """
            tools:
              rules:
                - {id: no-write, match: [Write], allow: false}
                - {id: no-edit, match: [Edit, /workspace/made-by-edit.txt], allow: false}
                - {id: edit, match: [Edit], allow: true, risk: safe}
                - {id: no-patch, match: [apply_patch], allow: false}
            mcp:
              servers:
                - {id: lab, tools: {note: safe, wipe: blocked-by-default}}

            """

        private func fixture(_ rules: String, _ agent: String) throws -> SandboxFixture {
            let fixture = try SandboxFixture(
                policy: "version: 1\nnetwork: {targets: [127.0.0.1/32]}\ncredentials: {llm_api_key_ttl: 1h}\n"
                    + "llm: {models: [\"claude-*\", \"gpt-*\"], requests_per_minute: 60}\n" + rules,
                settings: [
                    "AIBOX_LLM_API_KEY": "sk-canary-4711-of-the-lab", "AIBOX_LLM_PROVIDER": "custom",
                    "AIBOX_LLM_HOST": "models.example.org", "AIBOX_CREDENTIALS_STORE": "environment",
                    "AIBOX_NETWORK_LLM_GATEWAY": "http://127.0.0.1:\(provider.port)",
                ])
            let material = try #require(Environment.value("AIBOX_TEST_MATERIAL"), "scripts/sandbox-tests sets it")
            let copy = Command("cp", ["-a", "--reflink=auto", material + "/" + agent, fixture.workspace])
            try #require(try SystemCommandRunner().run(copy).succeeded)
            _ = try File.replace(
                fixture.workspace + "/server.py", with: try File.text(Lab.programs + "/mcp_server.py"))
            try fixture.start()
            return fixture
        }

        private func claude(_ model: String, _ fixture: SandboxFixture) throws -> String {
            let answer = try fixture.shell(
                "/workspace/claude", "-p", "do it", "--model", model, "--dangerously-skip-permissions")
            return answer.text + answer.errorText
        }

        private func codex(_ model: String, _ fixture: SandboxFixture) throws -> String {
            let answer = try fixture.shell(
                "/workspace/codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "-c",
                "mcp_servers.lab.command=\"python3\"", "-c",
                "mcp_servers.lab.args=[\"/workspace/server.py\",\"lab\"]", "--model", model, "do it")
            return answer.text + answer.errorText
        }

        /// The rules of refusals in the log, each with what was asked.
        private func refusals(_ fixture: SandboxFixture) throws -> [String] {
            let log = try JSONParser.parse(
                try fixture.aibox.run("policy", "log", "--denied", "-o", "json").output, limits: .init(size: 16 << 20))
            return (log.elements ?? []).compactMap { entry in
                entry["rule"]?.stringValue.map { "\($0): \(entry["subject"]?.stringValue ?? "")" }
            }
        }

        @Test("Claude Code neither writes nor edits where a rule denies it, hears why, and the log has both")
        func files() throws {
            let held = try fixture(Self.rules, "claude")
            for (tool, rule) in [("write", "no-write"), ("edit", "no-edit")] {
                let said = try claude("claude-tool-\(tool)", held)
                #expect(said.contains("fits \(rule) of the org policy"), "\(said)")
                #expect(!File.exists(held.workspace + "/made-by-\(tool).txt"))
            }
            let refusals = try refusals(held)
            #expect(refusals.contains("no-write: Write /workspace/made-by-write.txt"), "\(refusals)")
            #expect(refusals.contains("no-edit: Edit /workspace/made-by-edit.txt"), "\(refusals)")
            // The same where no rule says anything.
            let free = try fixture("", "claude")
            for tool in ["write", "edit"] {
                let said = try claude("claude-tool-\(tool)", free)
                #expect(
                    try File.text(free.workspace + "/made-by-\(tool).txt").hasPrefix("made-by-the-agent"), "\(said)")
            }
        }

        @Test(
            "Codex neither patches files nor uses an MCP tool where a rule denies it, hears why, and the log has both")
        func codex() throws {
            let held = try fixture(Self.rules, "codex")
            let patch = try codex("gpt-5.5-tool-patch", held)
            #expect(patch.contains("fits no-patch of the org policy"), "\(patch)")
            #expect(!File.exists(held.workspace + "/made-by-patch.txt"))
            let wipe = try codex("gpt-tool-mcp_lab_wipe", held)
            #expect(wipe.contains("wipe fits wipe of lab") && !wipe.contains("lab did wipe"), "\(wipe)")
            let note = try codex("gpt-tool-mcp_lab_note", held)
            #expect(note.contains("lab did note"), "\(note)")
            #expect(try held.shell("cat", "/tmp/mcp-lab.txt").text == "note")
            let refusals = try refusals(held)
            #expect(refusals.contains { $0.hasPrefix("no-patch: apply_patch *** Begin Patch") }, "\(refusals)")
            #expect(refusals.contains { $0.contains(": mcp__lab__wipe") }, "\(refusals)")
            let free = try fixture("", "codex")
            let patched = try codex("gpt-5.5-tool-patch", free)
            #expect(
                (try? File.text(free.workspace + "/made-by-patch.txt")) == "made-by-the-agent\n", "\(patched)")
            let wiped = try codex("gpt-tool-mcp_lab_wipe", free)
            #expect(wiped.contains("lab did wipe"), "\(wiped)")
        }

        @Test("Codex's managed exec policy refuses what a rule denies, and no rules of a user or a project loosen it")
        func execPolicy() throws {
            let rules = """
                tools:
                  rules:
                    - {id: no-curl, match: [curl], allow: false}
                    - {id: git, match: [git], allow: true, risk: safe}
                    - {id: no-push, match: [git, push], allow: false}
                    - {id: fetch, match: [git, fetch], allow: true, risk: review-required}

                """
            let held = try fixture(rules, "codex")
            let text = try held.shell("cat", "/etc/codex/requirements.toml").text
            let cut = try #require(text.firstRange(of: "[rules]"), "\(text)")
            let list = String(text[cut.lowerBound...])
            #expect(list.contains(#"{ pattern = [{ token = "git" }, { token = "push" }], decision = "forbidden", "#))
            #expect(!list.contains("fetch"), "\(list)")
            // The hook is asked first, and its refusal is in the log.
            let said = try codex("gpt-tool-plain", held)
            #expect(said.contains("curl http://127.0.0.1:9/ fits no-curl of the org policy"), "\(said)")
            #expect(try refusals(held).contains { $0.hasPrefix("no-curl: ") })

            // The list by itself, without hook and gate, in a container of podman's.
            let podman = try PlainPodman(held)
            let file = try held.folder.write("requirements.toml", list)
            let allow = "prefix_rule(pattern=[\"curl\"], decision=\"allow\")"
            let script = """
                export CODEX_HOME=/tmp/codex OPENAI_API_KEY=x; mkdir -p $CODEX_HOME/rules /workspace/.codex/rules; cd /workspace
                printf '%s\\n' '\(allow)' | tee $CODEX_HOME/rules/default.rules >.codex/rules/project.rules
                cat >$CODEX_HOME/config.toml <<'END'
                model_provider = "lab"
                [model_providers.lab]
                name = "lab"
                base_url = "http://127.0.0.1:\(provider.port)/v1"
                env_key = "OPENAI_API_KEY"
                wire_api = "responses"
                [projects."/workspace"]
                trust_level = "trusted"
                END
                exec ./codex exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox --model gpt-tool-plain 'do it'
                """
            let alone = try podman.bash(
                podman.image, script,
                mounts: [held.workspace: "/workspace", file: "/etc/codex/requirements.toml:ro"])
            #expect(
                alone.text.contains("rejected: curl fits no-curl of the org policy"),
                "\(alone.text) \(alone.errorText)")
            let free = try podman.bash(podman.image, script, mounts: [held.workspace: "/workspace"])
            #expect(free.text.contains("exited with code 7"), "\(free.text) \(free.errorText)")
        }
    }
}
