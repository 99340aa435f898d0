import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    @Suite("Recorded sessions")
    struct RecordingTests {
        /// The organisation demands recordings.
        private static let policy = "version: 1\nruntime: {engine: gvisor}\naudit: {recording_policy: required}\n"

        private func list(_ fixture: SandboxFixture) throws -> [JSONValue] {
            try JSONParser.parse(try fixture.aibox.run("recording", "list", "-o", "json").output).elements ?? []
        }

        /// All that a recording shows, as asciicast.
        private func export(_ recording: JSONValue, _ fixture: SandboxFixture) throws -> String {
            let id = try #require(recording["id"]?.stringValue)
            let file = fixture.folder.path + "/\(id)-\(UInt32.random(in: .min ... .max)).cast"
            let result = try fixture.aibox.run("recording", "export", id, file)
            try #require(result.succeeded, "\(result.errorText)")
            return try File.text(file)
        }

        @Test(
            "where recording is required, shell and ssh are recorded, tunnels are refused, and the log vouches for it all"
        )
        func required() throws {
            let fixture = try SandboxFixture(policy: Self.policy)
            try fixture.start()
            let runner = SystemCommandRunner()
            let shell = try fixture.shell("sh", "-c", "echo shown-by-shell; echo oops >&2; exit 7")
            #expect(shell.termination == .exited(7))
            #expect(shell.text == "shown-by-shell")
            #expect(shell.errorText.contains("recorded") && shell.errorText.contains("oops"))

            let settings = try fixture.folder.write("ssh_config", try fixture.aibox.run("ssh-config").text)
            let host = fixture.container
            // An ordinary user's sshd gets a terminal only where devpts gives it the group tty (pty(7), mount(8)).
            let terminal = geteuid() == 0
            let ssh = try runner.run(
                Command("ssh", ["-F", settings, terminal ? "-tt" : "-T", host, "echo shown-by-ssh; tty; exit 5"]))
            #expect(ssh.termination == .exited(5))
            #expect(ssh.text.contains("shown-by-ssh") && ssh.text.contains(terminal ? "/dev/pts/" : "not a tty"))
            #expect(try runner.run(Command("ssh", ["-F", settings, host, "id -un"])).text == "dev")
            let batch = Command(
                "sftp", ["-q", "-F", settings, "-b", "-", host],
                input: Array("put \(settings) /tmp/upload\nget /tmp/upload \(fixture.folder.path)/back\n".utf8))
            #expect(try runner.run(batch).succeeded)
            #expect(try File.text(fixture.folder.path + "/back") == File.text(settings))

            // No way past it: no tunnel through the door, and the sandbox itself does not take this user's key.
            let tunnel = try runner.run(
                Command("ssh", ["-F", settings, "-o", "ExitOnForwardFailure=yes", "-W", "127.0.0.1:2222", host]),
                timeout: .seconds(20))
            #expect(!tunnel.succeeded)
            let direct = try #require(try gatewayPort(fixture))
            let past = try runner.run(
                Command(
                    "ssh",
                    [
                        "-F", settings, "-p", "\(direct)", "-o", "BatchMode=yes", "-o", "HostName=127.0.0.1", "-l",
                        "dev", host,
                        "true",
                    ]))
            #expect(!past.succeeded)

            let recordings = try list(fixture)
            #expect(recordings.compactMap { $0["kind"]?.stringValue } == ["command", "ssh", "ssh", "ssh"])
            #expect(try export(recordings[0], fixture).contains("shown-by-shell"))
            #expect(try export(recordings[0], fixture).contains("oops"))
            #expect(try export(recordings[1], fixture).contains("shown-by-ssh"))
            #expect(try export(recordings[2], fixture).contains("dev\\n"))
            #expect(try export(recordings[3], fixture).contains("further bytes were shown and are not kept"))
            let verified = try fixture.aibox.run("recording", "verify")
            #expect(verified.succeeded, "\(verified.text) \(verified.errorText)")
            let events = try fixture.aibox.run("audit", "search", "--type", "recording", "-o", "json")
            let types = try JSONParser.parse(events.output).elements?.compactMap { $0["type"]?.stringValue }
            #expect(types == Array(repeating: ["recording.start", "recording.end"], count: 4).flatMap { $0 })

            // Of long output without a terminal all is shown, the beginning is kept, and the rest is counted.
            let long = try fixture.shell("sh", "-c", "yes | head -c 20000000")
            let shown = Array([[UInt8]](repeating: [0x79, 0x0a], count: 10_000_000).joined())
            #expect(long.output == shown)
            let kept = try export(try #require(try list(fixture).last), fixture)
            #expect(kept.contains("\(shown.count - (8 << 20)) further bytes"))
            #expect(try fixture.aibox.run("audit", "verify").succeeded)
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            #expect(try fixture.remains() == [])
        }

        private func gatewayPort(_ fixture: SandboxFixture) throws -> UInt16? {
            let path = fixture.aibox.home.path + "/state/aibox/sandboxes/\(fixture.name)/door_ssh_config"
            let line = try File.text(path).split(separator: "\n").first { $0.contains("Port ") }
            return line.flatMap { UInt16($0.filter(\.isNumber)) }
        }

        @Test("a session that is recorded ends when its recorder dies, and the recording says that its end is missing")
        func killed() throws {
            let fixture = try SandboxFixture(policy: Self.policy)
            try fixture.start()
            let output = try Pipe()
            let null = Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC))
            let shell = try ChildProcess.start(
                fixture.aibox.command(
                    [
                        "shell", "--name", fixture.name, "--", "sh", "-c",
                        "echo begun; sleep 2; while :; do echo still; sleep 0.2; done",
                    ]),
                descriptors: [null.number, output.write.number, null.number])
            output.write.close()
            var byte: UInt8 = 0
            #expect(read(output.read.number, &byte, 1) == 1)
            // Until the recorder has written what it holds.
            usleep(1_500_000)
            shell.send(SIGKILL)
            _ = try shell.wait()
            let deadline = ContinuousClock.now + .seconds(20)
            var left = 1
            while left > 0, ContinuousClock.now < deadline {
                usleep(200_000)
                left =
                    try SystemCommandRunner().run(Command("ps", ["-e", "-o", "args="])).text.split(separator: "\n")
                    .filter { $0.hasPrefix("ssh ") && $0.contains(fixture.container) && $0.contains("run-argv") }.count
            }
            #expect(left == 0)
            let verified = try fixture.aibox.run("recording", "verify")
            #expect(verified.termination == .exited(4))
            #expect(verified.text.contains("its end is missing"))
        }

        @Test(
            "a recording that is full ends a required session, and only the recording of an optional one",
            arguments: ["required", "optional"])
        func full(policy: String) throws {
            let fixture = try SandboxFixture(
                policy: Self.policy.replacing("required", with: policy), settings: ["AIBOX_AUDIT_RECORDING_LIMIT": "1m"]
            )
            try fixture.start()
            // A terminal of its own: without one nothing is recorded where it is optional.
            let command = "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo the-end"
            let result = try SystemCommandRunner().run(
                Command(
                    "script",
                    [
                        "-q", "-e", "-c",
                        [fixture.aibox.path, "shell", "--name", fixture.name, "--", "sh", "-c", command].map(
                            ShellQuoting.quoted
                        )
                        .joined(separator: " "), "/dev/null",
                    ], environment: fixture.aibox.command([]).environment), timeout: .seconds(120))
            let isRequired = policy == "required"
            #expect(result.text.contains("the-end") != isRequired)
            #expect(result.succeeded != isRequired)
            #expect(result.text.contains("recorded no further"))
            let events = try fixture.aibox.run("audit", "search", "--type", "recording.end", "-o", "json")
            let details = try JSONParser.parse(events.output).elements?.first?["details"]
            #expect(details?["reason"]?.stringValue?.contains("full") == true)
            #expect((details?["size_bytes"]?.wholeNumber ?? .max) <= 1 << 20)
        }
    }
}
