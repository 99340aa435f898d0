import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// gVisor tells the log which programs run.
    @Suite("Trace points of the runtime")
    struct TraceTests {
        private static func policy(_ word: String) -> String { "version: 1\naudit: {trace_policy: \(word)}\n" }

        private func traces(_ fixture: SandboxFixture) throws -> [JSONValue] {
            let log = try fixture.aibox.run("audit", "export", "--format", "jsonl")
            return try log.text.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
                .filter { $0["type"]?.stringValue == "runtime.trace" }
        }

        @Test("each program that runs is in the log once, with its arguments; what a sandbox hides is counted")
        func execs() throws {
            let fixture = try SandboxFixture(policy: Self.policy("optional"))
            try fixture.start()
            let count = 500
            let result = try fixture.shell(
                "bash", "-c",
                "for i in $(seq \(count)); do /bin/true counted-$i; done; (exec -a hidden /bin/true); /bin/true \"$(head -c 100000 /dev/zero | tr '\\0' x)\""
            )
            try #require(result.succeeded, "\(result.errorText)")
            // Killed by a signal, and a packet too large for any socket buffer: the kernel of the sandbox drops it.
            _ = try fixture.shell("bash", "-c", "bash -c 'kill -9 $$'; true")
            _ = try fixture.shell(
                "python3", "-c",
                "import subprocess; subprocess.run(['/bin/true'] + ['y' * 100000] * 4); subprocess.run(['/bin/true', 'after'])"
            )
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)

            let traces = try traces(fixture)
            func arguments(_ event: JSONValue) -> [String] {
                event["details"]?["arguments"]?.elements?.compactMap(\.stringValue) ?? []
            }
            let counted = traces.compactMap { event in arguments(event).first { $0.hasPrefix("counted-") } }
            #expect(counted == (1...count).map { "counted-\($0)" })
            #expect(traces.filter { $0["subject"]?.stringValue == "start" }.count == 1)
            let hidden = traces.filter { arguments($0) == ["hidden"] }
            #expect(hidden.compactMap { $0["details"]?["process"]?.stringValue } == ["/usr/bin/true"])
            #expect(traces.contains { $0["details"]?["arguments_cut"] == true })
            #expect(traces.contains { $0["details"]?["signal"]?.wholeNumber == 9 })
            let lost = traces.filter { $0["subject"]?.stringValue == "lost" }
            #expect(lost.compactMap { $0["details"]?["lost"]?.wholeNumber } == [1])
            #expect(traces.contains { arguments($0).last == "after" })
            #expect(try fixture.aibox.run("audit", "verify").succeeded)
            #expect(try fixture.remains() == [])
        }

        @Test(
            "where gates for tools stand, a program that was brought along is in the log, unless the policy wants no traces"
        )
        func pastTheGate() throws {
            let rules = "tools: {rules: [{id: no-curl, match: [curl], allow: false}]}\n"
            for (more, isSeen) in [("", true), ("audit: {trace_policy: disabled}\n", false)] {
                let fixture = try SandboxFixture(policy: "version: 1\n\(rules)\(more)")
                try fixture.start()
                // Its gate stands for /usr/bin/curl; nobody asks about a copy of another program under that name.
                let result = try fixture.shell(
                    "bash", "-c", "cp /bin/true /workspace/curl && /workspace/curl brought && ! curl gated")
                #expect(result.succeeded, "\(result.errorText)")
                #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
                let found = try traces(fixture).filter { event in
                    event["details"]?["arguments"]?.elements?.last?.stringValue == "brought"
                        && event["details"]?["process"]?.stringValue == "/workspace/curl"
                }
                #expect(found.count == (isSeen ? 1 : 0))
                #expect(try traces(fixture).isEmpty == !isSeen)
                #expect(try fixture.remains() == [])
            }
        }

        @Test("where they are required, a program that hides itself costs the sandbox its way out")
        func required() throws {
            let fixture = try SandboxFixture(policy: Self.policy("required"))
            try fixture.start()
            _ = try fixture.shell("true")
            #expect(try fixture.aibox.run("status", "--name", fixture.name).text.contains("connected"))
            _ = try fixture.shell(
                "python3", "-c", "import subprocess; subprocess.run(['/bin/true'] + ['y' * 100000] * 4)")
            let text = try fixture.aibox.run("status", "--name", fixture.name).text
            #expect(text.contains("trace points"), "\(text)")
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            #expect(try fixture.remains() == [])
        }

        @Test("where they are required and the engine has none, nothing starts")
        func otherEngine() throws {
            let fixture = try SandboxFixture(
                engine: .crun,
                policy: "version: 1\nruntime: {engine: gvisor, fallback: [crun]}\naudit: {trace_policy: required}\n")
            let result = try fixture.aibox.run("start", "-w", fixture.workspace, "--name", fixture.name)
            #expect(result.termination == .exited(3))
            #expect(result.errorText.contains("trace points"))
            #expect(try fixture.remains() == [])
        }
    }
}
