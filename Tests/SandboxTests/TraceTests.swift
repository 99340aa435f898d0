import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// gVisor tells the log which programs run; under crun the kernel asks.
    @Suite("Trace points of the runtime")
    struct TraceTests {
        private static func policy(_ word: String) -> String { "version: 1\naudit: {trace_policy: \(word)}\n" }
        private static func crunPolicy(_ word: String) -> String {
            policy(word) + "runtime: {engine: gvisor, fallback: [crun]}\n"
        }

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
            "under crun each program is in the log once, as it really is, from the first on; what is not there is not")
        func crun() throws {
            let fixture = try SandboxFixture(engine: .crun, policy: Self.crunPolicy("optional"))
            try fixture.start()
            let count = 200
            let result = try fixture.shell(
                "bash", "-c",
                "for i in $(seq \(count)); do /bin/true counted-$i; done; (exec -a hidden /bin/true); /bin/true \"$(head -c 100000 /dev/zero | tr '\\0' x)\""
            )
            try #require(result.succeeded, "\(result.errorText)")
            let storm = try fixture.shell(
                "python3", "-c",
                """
                import os
                try: os.execve('/usr/bin/nothing-there', ['missing'], {})
                except FileNotFoundError: pass
                children = []
                for number in range(1000):
                    child = os.fork()
                    if child == 0: os.execve('/bin/true', ['at-once'], {})
                    children.append(child)
                print(sum(os.waitpid(child, 0)[1] for child in children))
                """)
            #expect(storm.text == "0", "\(storm.errorText)")
            // Another filter, another listener.
            let outside = try SystemCommandRunner().run(
                Command("podman", ["exec", fixture.container, "/bin/true", "from-outside"]), timeout: .seconds(60))
            #expect(outside.succeeded, "\(outside.errorText)")
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)

            let traces = try traces(fixture)
            func arguments(_ event: JSONValue) -> [String] {
                event["details"]?["arguments"]?.elements?.compactMap(\.stringValue) ?? []
            }
            let counted = traces.compactMap { event in arguments(event).first { $0.hasPrefix("counted-") } }
            #expect(counted == (1...count).map { "counted-\($0)" })
            #expect(traces.first?["details"]?["process"]?.stringValue == "/usr/sbin/sshd")
            #expect(traces.first?["details"]?["pid"]?.wholeNumber == 1)
            let hidden = traces.filter { arguments($0) == ["hidden"] }
            #expect(hidden.compactMap { $0["details"]?["process"]?.stringValue } == ["/usr/bin/true"])
            #expect(hidden.compactMap { $0["details"]?["uid"]?.wholeNumber } == [1000])
            #expect(traces.contains { $0["details"]?["arguments_cut"] == true })
            #expect(traces.filter { arguments($0) == ["at-once"] }.count == 1000)
            #expect(traces.filter { arguments($0).last == "from-outside" }.count == 1)
            #expect(!traces.contains { arguments($0) == ["missing"] })
            #expect(!traces.contains { $0["subject"]?.stringValue == "lost" })
            #expect(try fixture.aibox.run("audit", "verify").succeeded)
            #expect(try fixture.remains() == [])
        }

        @Test(
            "under crun, where they are required, a sandbox works; once its gateway is gone, it starts no program any more"
        )
        func crunRequired() throws {
            let fixture = try SandboxFixture(engine: .crun, policy: Self.crunPolicy("required"))
            try fixture.start()
            let loop = "(while :; do /bin/echo tick >> /workspace/ticks; read -t 0.02 <> <(:); done) > /dev/null 2>&1 &"
            #expect(try fixture.shell("bash", "-c", loop).succeeded)
            func ticks() -> Int { (try? File.read(fixture.workspace + "/ticks").count) ?? 0 }
            let end = ContinuousClock.now + .seconds(20)
            while ticks() < 50, .now < end { usleep(50_000) }
            #expect(ticks() >= 50)
            #expect(try fixture.aibox.run("status", "--name", fixture.name).text.contains("connected"))
            #expect(try traces(fixture).contains { $0["details"]?["process"]?.stringValue == "/usr/bin/echo" })
            let pid = Int32(truncatingIfNeeded: try #require(try fixture.status()["gateway_pid"]?.wholeNumber))
            kill(pid, SIGKILL)
            usleep(500_000)
            let before = ticks()
            usleep(500_000)
            #expect(ticks() == before)
            _ = try fixture.aibox.run("stop", "--name", fixture.name)
            #expect(try fixture.settledRemains() == [])
        }

        @Test(
            "where gates for tools stand, a program that was brought along is in the log, unless the policy wants no traces",
            arguments: SandboxFixture.Engine.allCases)
        func pastTheGate(_ engine: SandboxFixture.Engine) throws {
            let rules =
                "tools: {rules: [{id: no-curl, match: [curl], allow: false}]}\n"
                + (engine == .crun ? "runtime: {engine: gvisor, fallback: [crun]}\n" : "")
            for (more, isSeen) in [("", true), ("audit: {trace_policy: disabled}\n", false)] {
                let fixture = try SandboxFixture(engine: engine, policy: "version: 1\n\(rules)\(more)")
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
    }
}
