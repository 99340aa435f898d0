import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// P4 of a whole session: real secrets that are random, and then a search for them in all places and spellings.
    @Suite("Canaries")
    struct CanaryTests {
        @Test(
            "a session with a model, git, pip and a place of its own leaves no secret, inside or outside, in any spelling",
            arguments: SandboxFixture.Engine.allCases)
        func session(engine: SandboxFixture.Engine) throws {
            let session = try CanarySession(engine)
            let (fixture, search) = (session.fixture, session.search)
            let runner = SystemCommandRunner()
            let watch = try CanarySearch.Watch(search)
            try session.lend()
            let started = try session.run("start", "-v", "-w", session.workspace, "--name", fixture.name)
            try #require(started.succeeded, "\(started.errorText)")
            try session.use()
            try session.tell(isRunning: true)

            // What podman keeps, with the word on a tag and a volume of this test's own.
            let record = try JSONParser.parse(
                try runner.run(Command("podman", ["container", "inspect", fixture.container])).text)
            let container = try #require(record.elements?.first)
            let image = try #require(container["Image"]?.stringValue)
            let tag = "localhost/\(session.planted):1"
            try runner.require(Command("podman", ["tag", image, tag]), "no tag")
            defer { _ = try? runner.run(Command("podman", ["untag", image, tag])) }
            try runner.require(Command("podman", ["volume", "create", session.planted]), "no volume")
            defer { _ = try? runner.run(Command("podman", ["volume", "rm", session.planted])) }
            try session.askPodman(tag)

            // The sandbox's processes as this machine has them: gVisor's whole memory, the engine, the servers beside the
            // gateway. Only those three hold secrets that are there for it, and they let nobody of this user read them.
            let processes = try search.here(
                ["--of", fixture.name] + Self.holders.flatMap { ["--not", $0] })
            processes.expect(onlyControls: ["mem of "], "processes on the host")
            #expect((processes.searched["mem"]?.wholeNumber ?? 0) >= 4, "\(processes.searched.text)")

            // Files on the host: state with all logs, settings, what is there while it runs, and what the container wrote.
            let layer = try #require(container["GraphDriver"]?["Data"]?["UpperDir"]?.stringValue)
            let volumes = (container["Mounts"]?.elements ?? []).compactMap { mount in
                mount["Type"] == "volume" ? mount["Source"]?.stringValue : nil
            }
            let home = fixture.aibox.home.path
            let roots = [home, session.said, layer] + volumes + Self.runFolders + Self.settings
            let files = try search.here(roots.flatMap { ["--root", $0] })
            var places = [home + "/state/aibox/audit", "/status-", "/start-", "/network-log", "/podman-container"]
            places += ["/podman-image", "/podman-volumes", "/audit-report"]
            places += ["/audit-search", "/audit-export", "/llm-show", "/recording-export-of"]
            files.expect(onlyControls: places, "files on the host")

            let inside = try search.inside(fixture)
            inside.expect(
                onlyControls: [
                    "/control.bin", "/tmp/control.b64", "environ of sleep", "cmdline of python3", "mem of python3",
                ], "inside")
            #expect((inside.searched["files"]?.wholeNumber ?? 0) > 5000, "\(inside.searched.text)")

            let stopped = try session.run("stop", "-v", "--name", fixture.name, "--volumes")
            #expect(stopped.succeeded, "\(stopped.errorText)")
            try session.tell(isRunning: false)
            let watched = try watch.report()
            watched.expect(onlyControls: ["cmdline of podman", "cmdline of aibox", "environ of aibox"], "while it ran")
            let after = try search.here(
                ([home, session.said] + Self.runFolders + Self.settings).flatMap { ["--root", $0] })
            after.expect(onlyControls: [home + "/state/aibox/audit"], "afterwards")
            #expect(try fixture.settledRemains() == [])
        }

        /// As the kernel has their names, of 15 characters.
        static let holders = ["aibox-gateway", "aibox-llm-proxy", "aibox-lease-kee"]

        static var runFolders: [String] {
            [Environment.value("XDG_RUNTIME_DIR").map { $0 + "/aibox" }, "/run/aibox"].compactMap(\.self)
        }

        private static var settings: [String] {
            let home = Environment.value("HOME") ?? "/root"
            return [Environment.value("XDG_CONFIG_HOME") ?? home + "/.config"].map { $0 + "/aibox" }
        }
    }
}
