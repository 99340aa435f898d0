import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// A model is asked from inside, and the key for it is nowhere inside.
    @Suite("Language models")
    struct LLMTests {
        private func policy(_ engine: SandboxFixture.Engine) -> String {
            let runtime = engine == .crun ? "runtime: {engine: gvisor, fallback: [crun]}\n" : ""
            return "version: 1\n\(runtime)network: {targets: [127.0.0.1/32]}\n"
                + "credentials: {llm_api_key_ttl: 1h}\nllm: {models: [\"claude-*\"], requests_per_minute: 20}\n"
        }

        @Test("asked with a surrogate, counted, and closed with the sandbox", arguments: SandboxFixture.Engine.allCases)
        func asked(engine: SandboxFixture.Engine) throws {
            let provider = try LabProvider()
            let canary = "sk-canary-" + String(UInt64.random(in: .min ... .max), radix: 36) + "-q"
            let fixture = try SandboxFixture(
                engine: engine, policy: policy(engine),
                settings: [
                    "AIBOX_LLM_API_KEY": canary, "AIBOX_LLM_PROVIDER": "anthropic",
                    "AIBOX_CREDENTIALS_STORE": "environment",
                    "AIBOX_NETWORK_LLM_GATEWAY": "http://127.0.0.1:\(provider.port)",
                ])
            try fixture.start()
            // As every client does: from the environment, the way out's variables included.
            let ask =
                "curl -sS -m 20 -w ' %{http_code}' -H \"x-api-key: $ANTHROPIC_API_KEY\" -d '{\"model\":\"MODEL\",\"max_tokens\":5}' $ANTHROPIC_BASE_URL/v1/messages"
            let answer = try fixture.shell("bash", "-c", ask.replacing("MODEL", with: "claude-lab"))
            #expect(
                answer.text.contains("hello") && answer.text.hasSuffix(" 200"), "\(answer.text) \(answer.errorText)")
            #expect(provider.log.contains("\"x-api-key\": \"\(canary)\""))
            let other = try fixture.shell("bash", "-c", ask.replacing("MODEL", with: "gpt-5"))
            #expect(other.text.contains("llm.models") && other.text.hasSuffix(" 403"), "\(other.text)")
            let echo = try fixture.shell("bash", "-c", ask.replacing("MODEL", with: "claude-echo"))
            #expect(echo.text.contains("***") && !echo.text.contains(canary), "\(echo.text)")

            // D01: not in the environment, not in any process, not in the engine's records.
            let inside = try fixture.shell(
                "bash", "-c", "env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'")
            #expect(inside.text.contains("ANTHROPIC_API_KEY=sk-ant-aibox-") && !inside.text.contains(canary))
            let record = try SystemCommandRunner().run(Command("podman", ["container", "inspect", fixture.container]))
            #expect(record.text.contains("ANTHROPIC_BASE_URL") && !record.text.contains(canary))
            let forms = [canary, Hex.encode(Array(canary.utf8)), Base64.encode(Array(canary.utf8))]
            let places = [fixture.aibox.home.path, fixture.workspace]
            for form in forms {
                let left = try SystemCommandRunner().run(Command("grep", ["-rlF", form] + places))
                #expect(left.termination == .exited(1) && left.text == "", "\(form) is in \(left.text)")
            }

            let usage = try JSONParser.parse(
                try fixture.aibox.run("llm", "usage", "--by", "model", "--name", fixture.name, "-o", "json").output)
            let row = usage.elements?.first { $0["model"] == "claude-lab" }
            #expect(row?["requests"] == .integer(1) && row?["input_tokens"] == .integer(10), "\(usage.text)")
            #expect(usage.elements?.first { $0["model"] == "gpt-5" }?["refused"] == .integer(1))

            // Dead with the sandbox: the only one who knew the key, and the only one to whom the surrogate was worth anything.
            let gateway = try #require(try fixture.status()["gateway_pid"]?.wholeNumber)
            let proxies = try SystemCommandRunner().run(
                Command("pgrep", ["--parent", String(gateway), "--exact", "aibox-llm-proxy"]))
            let proxy = try #require(proxies.text.split(separator: "\n").first, "no proxy below \(gateway)")
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            #expect(!File.exists("/proc/\(proxy)"))
            #expect(try fixture.settledRemains() == [])
        }

        @Test("of two gateways the first is dead, and the second speaks HTTP/2: the sandbox sees neither")
        func gateways() throws {
            let provider = try LabProvider()
            let second = try LabHTTP2(before: provider.port)
            let canary = "sk-canary-" + String(UInt64.random(in: .min ... .max), radix: 36)
            let fixture = try SandboxFixture(
                policy: """
                    version: 1
                    network:
                      targets: [127.0.0.1/32]
                      names: [{name: \(LabHTTP2.name), addresses: [127.0.0.1]}]
                      authorities: [\(second.authority)]
                    credentials: {llm_api_key_ttl: 1h}
                    llm: {models: ["claude-*"]}

                    """,
                settings: [
                    "AIBOX_LLM_API_KEY": canary, "AIBOX_LLM_PROVIDER": "anthropic",
                    "AIBOX_CREDENTIALS_STORE": "environment",
                    "AIBOX_NETWORK_LLM_GATEWAY":
                        "http://127.0.0.1:\(try Lab.freePort()), https://\(LabHTTP2.name):\(second.port)",
                ])
            try fixture.start()
            let ask = """
                curl -sS -m 20 -w ' %{http_code} %{http_version}' -H "x-api-key: $ANTHROPIC_API_KEY" \
                  -d '{"model":"claude-lab","max_tokens":5,"stream":true}' $ANTHROPIC_BASE_URL/v1/messages
                """
            for _ in 0..<2 {
                let answer = try fixture.shell("bash", "-c", ask)
                #expect(
                    answer.text.contains("event: message_stop") && answer.text.hasSuffix(" 200 1.1"),
                    "\(answer.text) \(answer.errorText)")
            }
            #expect(provider.log.contains("\"x-api-key\": \"\(canary)\""))
            let usage = try JSONParser.parse(
                try fixture.aibox.run("llm", "usage", "--by", "model", "--name", fixture.name, "-o", "json").output)
            let row = usage.elements?.first { $0["model"] == "claude-lab" }
            #expect(row?["requests"] == .integer(2) && row?["failed"] == .integer(0), "\(usage.text)")
        }

        @Test("a key that is replaced is used at once, and one that is removed is gone from what runs")
        func changed() throws {
            let provider = try LabProvider()
            let keys = ["first", "second"].map {
                "sk-canary-\($0)-" + String(UInt64.random(in: .min ... .max), radix: 36)
            }
            let fixture = try SandboxFixture(
                policy: policy(.gvisor),
                settings: [
                    "AIBOX_CREDENTIALS_STORE": "file", "AIBOX_NETWORK_LLM_GATEWAY": "http://127.0.0.1:\(provider.port)",
                ])
            func add(_ key: String) throws -> CommandResult {
                try fixture.aibox.run("auth", "add", "llm-api-key:anthropic", input: Array(key.utf8))
            }
            let added = try add(keys[0])
            #expect(added.succeeded && !added.text.contains(fixture.name), "\(added.errorText)")
            try fixture.start()
            let ask = """
                curl -sS -m 20 -w ' %{http_code}' -H "x-api-key: $ANTHROPIC_API_KEY" \
                  -d '{"model":"claude-lab","max_tokens":5}' $ANTHROPIC_BASE_URL/v1/messages
                """
            for (index, key) in keys.enumerated() {
                if index == 1 {
                    let replaced = try add(key)
                    #expect(replaced.text.contains("In use from now on in \(fixture.name)."), "\(replaced.text)")
                }
                let answer = try fixture.shell("bash", "-c", ask)
                #expect(answer.text.hasSuffix(" 200"), "\(answer.text) \(answer.errorText)")
                #expect(provider.log.contains("\"x-api-key\": \"\(key)\""))
            }
            // A gateway that does not answer is named, and nothing is claimed of it.
            let gateway = pid_t(truncatingIfNeeded: try #require(try fixture.status()["gateway_pid"]?.wholeNumber))
            kill(gateway, SIGSTOP)
            let silent = try add(keys[0])
            kill(gateway, SIGCONT)
            #expect(silent.termination == .exited(1) && !silent.text.contains("In use"), "\(silent.text)")
            #expect(silent.errorText.contains("the sandbox \(fixture.name) still has the credential as it was"))
            let removed = try fixture.aibox.run("auth", "remove", "llm-api-key:anthropic")
            #expect(removed.text.contains("\(fixture.name) lost it."), "\(removed.text) \(removed.errorText)")
            let after = try fixture.shell("bash", "-c", ask)
            #expect(after.text.hasSuffix(" 403"), "\(after.text) \(after.errorText)")
            for key in keys {
                let left = try SystemCommandRunner().run(Command("grep", ["-rlF", key, fixture.aibox.home.path]))
                #expect(left.termination == .exited(1), "\(left.text)")
            }
        }
    }
}
