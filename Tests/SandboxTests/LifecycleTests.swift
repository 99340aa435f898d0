import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    @Suite("From start to stop")
    struct LifecycleTests {
        @Test("a sandbox starts, works, and leaves nothing behind", arguments: SandboxFixture.Engine.allCases)
        func life(engine: SandboxFixture.Engine) throws {
            let fixture = try SandboxFixture(engine: engine)
            try File.replace(fixture.workspace + "/given", with: "from the host\n", mode: 0o644)
            try fixture.start()

            let shown = try fixture.shell("cat", "given")
            #expect(shown.text == "from the host")
            #expect(try fixture.shell("sh", "-c", "echo inside > made && id -u").text == "1000")
            #expect(try File.text(fixture.workspace + "/made") == "inside\n")
            let temporary = "cp /bin/true /tmp/t && /tmp/t && cp /bin/true /var/tmp/t && /var/tmp/t"
            #expect(try fixture.shell("sh", "-c", temporary).succeeded, "what is built in /tmp runs")
            var facts = stat()
            #expect(stat(fixture.workspace + "/made", &facts) == 0)
            #expect(facts.st_uid == geteuid(), "what the sandbox writes belongs to the workspace's owner")

            let layers = try fixture.aibox.run("status", "--name", fixture.name, "--layers")
            #expect(layers.succeeded, "\(layers.text)\n\(layers.errorText)")
            let listed = try fixture.aibox.run("list")
            #expect(listed.text.contains(fixture.name))

            let stopped = try fixture.aibox.run("stop", "--name", fixture.name)
            #expect(stopped.succeeded, "\(stopped.errorText)")
            #expect(try fixture.settledRemains() == [])
            #expect(try fixture.aibox.run("list").text == "")
        }

        @Test("home folder and caches are kept from start to start, each workspace its own")
        func volumes() throws {
            let fixture = try SandboxFixture()
            try fixture.start()
            let made = try fixture.shell(
                "sh", "-c",
                "echo kept > ~/note && touch ~/.m2/repository/a ~/.cargo/registry/b ~/.cache/yarn/c && mkdir ~/.m2/x ~/.cache/y"
            )
            #expect(made.succeeded, "\(made.errorText)")
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            try fixture.start()
            #expect(try fixture.shell("cat", "/home/dev/note").text == "kept")
            let busy = try fixture.aibox.run("repair", "cache", "--name", fixture.name)
            #expect(!busy.succeeded && busy.errorText.contains("in use"))
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            #expect(try fixture.aibox.run("repair", "cache", "--name", fixture.name).succeeded)
            try fixture.start()
            #expect(try fixture.shell("sh", "-c", "ls ~/.m2/repository; cat ~/note").text == "kept")
        }

        @Test("stop --volumes leaves only the workspace, of a stopped sandbox too, and never a running one's")
        func removal() throws {
            let fixture = try SandboxFixture()
            func volumes() throws -> [String] {
                try SystemCommandRunner().run(Command("podman", ["volume", "ls", "-q"])).text.split(separator: "\n")
                    .map(String.init).filter { $0.hasPrefix(fixture.container + "-") }
            }
            try fixture.start()
            #expect(try volumes().count == 2)
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            #expect(try volumes().count == 2)
            let removed = try fixture.aibox.run("stop", "--volumes", "--name", fixture.name)
            #expect(removed.succeeded, "\(removed.errorText)")
            #expect(try volumes() == [])
            let again = try fixture.aibox.run("stop", "--volumes", "--name", fixture.name)
            #expect(!again.succeeded && again.errorText.contains("there is no sandbox"))
            #expect(File.exists(fixture.workspace))
        }

        @Test("podman's record of the container holds no secret and no path of the host but the workspace")
        func inspect() throws {
            let fixture = try SandboxFixture()
            try fixture.start()
            let record = try SystemCommandRunner().run(Command("podman", ["container", "inspect", fixture.container]))
                .text
            #expect(!record.contains("PRIVATE KEY"))
            let parsed = try #require(
                try JSONParser.parse(Array(record.utf8), limits: .init(size: 4 << 20)).elements?.first)
            let binds = (parsed["Mounts"]?.elements ?? []).filter { $0["Type"]?.stringValue == "bind" }
            let sources = binds.compactMap { $0["Source"]?.stringValue }
            let view = sources.filter { $0 != fixture.workspace && !$0.hasSuffix("/.workspaces/" + fixture.name) }
            #expect(view == [])
            #expect(parsed["Config"]?["Env"]?.elements?.contains { $0.stringValue?.contains("KEY=") == true } == false)
        }

        @Test("of two starts of one workspace at the same time one wins and one says why not")
        func race() throws {
            let fixture = try SandboxFixture()
            let command = fixture.aibox.command(["start", "-w", fixture.workspace, "--name", fixture.name])
            let results = Parallel.map([0, 1]) { _ in try? SystemCommandRunner().run(command, timeout: .seconds(120)) }
            let succeeded = results.filter { $0?.succeeded == true }
            #expect(succeeded.count == 1)
            let loser = try #require(results.first { $0?.succeeded == false } ?? nil)
            #expect(loser.errorText.contains("busy") || loser.errorText.contains("already running"))
            #expect(try fixture.shell("true").succeeded)
        }

        @Test("two sandboxes run side by side, each with its port and its files")
        func sideBySide() throws {
            let first = try SandboxFixture()
            let second = try SandboxFixture()
            try first.start()
            try second.start()
            let ports = try [first, second].map { try $0.status()["ssh_port"]?.wholeNumber }
            #expect(Set(ports).count == 2)
            _ = try first.shell("sh", "-c", "echo secret > ~/note; sleep 60 >/dev/null 2>&1 </dev/null &")
            #expect(!(try second.shell("sh", "-c", "cat ~/note").succeeded))
            #expect(!(try second.shell("ps", "-e").text.contains("sleep 60")))
        }
    }
}
