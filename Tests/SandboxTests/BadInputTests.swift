import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    @Suite("What cannot be started is refused in words and leaves nothing")
    struct BadInputTests {
        struct Case: Sendable, CustomTestStringConvertible {
            var testDescription: String
            var arguments: @Sendable (SandboxFixture) throws -> [String]
            var says: String
            var status: Int32 = 1
        }

        static let cases: [Case] = [
            Case(
                testDescription: "a workspace that is not there", arguments: { ["-w", $0.workspace + "/missing"] },
                says: "no such file"),
            Case(
                testDescription: "a file as workspace",
                arguments: { fixture in
                    try File.replace(fixture.folder.path + "/file", with: "x")
                    return ["-w", fixture.folder.path + "/file"]
                }, says: "not a folder"),
            Case(
                testDescription: "a link to the home folder",
                arguments: { fixture in
                    symlink(UserIdentity.current.home, fixture.folder.path + "/link")
                    return ["-w", fixture.folder.path + "/link"]
                }, says: "home folder"),
            Case(
                testDescription: "a workspace with a newline",
                arguments: { ["-w", try Self.folder("a\nb", in: $0)] }, says: "control characters"),
            Case(
                testDescription: "a workspace with an escape sequence",
                arguments: { ["-w", try Self.folder("a\u{1b}[2Jb", in: $0)] }, says: "control characters"),
            Case(
                testDescription: "a link without one that leads to a newline",
                arguments: { fixture in
                    symlink(try Self.folder("c\nd", in: fixture), fixture.folder.path + "/plain")
                    return ["-w", fixture.folder.path + "/plain"]
                }, says: "control characters"),
            Case(
                testDescription: "a folder in one with a newline",
                arguments: { ["-w", try Self.folder("e\nf/project", in: $0)] }, says: "control characters"),
            Case(testDescription: "the root folder", arguments: { _ in ["-w", "/"] }, says: "cannot be a workspace"),
            Case(
                testDescription: "a folder of the system", arguments: { _ in ["-w", "/usr"] },
                says: "belongs to the system"),
            Case(
                testDescription: "aibox's own state",
                arguments: { fixture in
                    try Folder.make(fixture.aibox.home.path + "/state/aibox")
                    return ["-w", fixture.aibox.home.path]
                }, says: "aibox keeps"),
            Case(
                testDescription: "a name that looks like an option",
                arguments: { ["-w", $0.workspace, "--name=--privileged"] }, says: "a name has", status: 64),
            Case(
                testDescription: "a name that leads out", arguments: { ["-w", $0.workspace, "--name", "../x"] },
                says: "a name has", status: 64),
            Case(
                testDescription: "a name with a newline", arguments: { ["-w", $0.workspace, "--name", "a\nb"] },
                says: "a name has", status: 64),
            Case(
                testDescription: "an image that is not there",
                arguments: { ["-w", $0.workspace, "--image", "localhost/no/such:1"] }, says: "not on this machine"),
            Case(
                testDescription: "an image name that is an option",
                arguments: { ["-w", $0.workspace, "--image=--rm"] }, says: "image", status: 64),
            Case(
                testDescription: "no CPU at all", arguments: { ["-w", $0.workspace, "--cpus", "0"] },
                says: "resources.cpus", status: 64),
            Case(
                testDescription: "memory of no size", arguments: { ["-w", $0.workspace, "--memory", "lots"] },
                says: "resources.memory", status: 64),
            Case(
                testDescription: "an unknown setting",
                arguments: { fixture in
                    let file = try fixture.folder.write("config.yaml", "gvisr:\n  enabled: false\n")
                    return ["-w", fixture.workspace, "--config", file]
                }, says: "gvisor"),
            Case(
                testDescription: "an engine that the policy does not permit",
                arguments: { fixture in
                    let file = try fixture.folder.write("config.yaml", "gvisor:\n  enabled: false\n")
                    return ["-w", fixture.workspace, "--config", file]
                }, says: "does not permit crun", status: 2),
        ]

        private static func folder(_ name: String, in fixture: SandboxFixture) throws -> String {
            let path = fixture.folder.path + "/" + name
            try Folder.make(Path.parent(path))
            if !File.exists(path) { try Folder.make(path) }
            return path
        }

        @Test("refused", arguments: cases)
        func refused(_ row: Case) throws {
            let fixture = try SandboxFixture()
            let arguments = ["start"] + (try row.arguments(fixture))
            let result = try SystemCommandRunner().run(fixture.aibox.command(arguments), timeout: .seconds(60))
            #expect(result.termination == .exited(row.status), "\(result.errorText)")
            #expect(result.errorText.lowercased().contains(row.says), "\(result.errorText)")
            #expect(result.errorText.split(separator: "\n").count <= 4)
            // Nothing of a name acts on the terminal.
            #expect(result.errorOutput.allSatisfy { $0 >= 0x20 || $0 == 0x0a })
            #expect(try fixture.remains() == [])
            #expect(try fixture.aibox.run("list").text == "")
        }

        @Test("a folder with a newline in its name is refused as well where the start is called in it")
        func newline() throws {
            let fixture = try SandboxFixture()
            let folder = try Self.folder("a\nb", in: fixture)
            let result = try fixture.aibox.run("start", "--name", fixture.name, in: folder)
            #expect(result.termination == .exited(1) && result.errorText.contains("control characters"))
            #expect(result.errorText.contains("a\\nb cannot be a workspace"), "\(result.errorText)")
            #expect(try fixture.remains() == [])
        }

        @Test("a machine without podman is told so")
        func noPodman() throws {
            let fixture = try SandboxFixture(settings: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
            let result = try isolated(
                fixture,
                "for f in /usr/bin/podman /usr/local/bin/podman; do [ ! -e $f ] || mount --bind /dev/null $f; done")
            #expect(result.termination == .exited(3), "\(result.errorText)")
            #expect(result.errorText.contains("podman is missing") && result.errorText.contains("apt-get install"))
            #expect(try fixture.remains() == [])
        }

        /// Runs a start in a mount namespace of its own, after `preparation` has changed what it sees.
        private func isolated(_ fixture: SandboxFixture, _ preparation: String) throws -> CommandResult {
            let namespaces = geteuid() == 0 ? ["--mount"] : ["--user", "--map-current-user", "--keep-caps", "--mount"]
            var command = fixture.aibox.command([])
            command.arguments =
                namespaces + [
                    "sh", "-euc", preparation + #"; exec "$0" start -w "$1" --name "$2""#, fixture.aibox.path,
                    fixture.workspace, fixture.name,
                ]
            command.executable = "unshare"
            return try SystemCommandRunner().run(command, timeout: .seconds(120))
        }

        @Test("a machine without gVisor is told so, and no other engine takes its place")
        func noGVisor() throws {
            let fixture = try SandboxFixture(settings: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
            let hidden =
                "for d in /usr/local/libexec/aibox /usr/libexec/aibox; do [ ! -d $d ] || mount -t tmpfs none $d; done;"
                + " for f in /usr/bin/runsc /usr/local/bin/runsc; do [ ! -e $f ] || mount --bind /dev/null $f; done"
            let result = try isolated(fixture, hidden)
            #expect(result.termination == .exited(3), "\(result.errorText)")
            #expect(result.errorText.contains("gVisor is missing"))
            // In a user namespace of the test's own podman cannot look after what is left, which is told, too.
            if geteuid() == 0 { #expect(result.errorText.contains("make deps")) }
            #expect(try fixture.remains() == [])
        }

        @Test("a full disk is told so and leaves nothing", arguments: ["8k", "16k", "64k"])
        func fullDisk(size: String) throws {
            let fixture = try SandboxFixture()
            try Folder.make(fixture.aibox.home.path + "/state")
            let result = try isolated(
                fixture, "mount -t tmpfs -o mode=700,size=\(size) none '\(fixture.aibox.home.path)/state'")
            #expect(!result.succeeded)
            #expect(
                result.errorText.lowercased().contains("space") || result.errorText.contains("full"),
                "\(result.errorText)")
            #expect(result.errorText.split(separator: "\n").count <= 4)
            #expect(try fixture.settledRemains() == [])
        }

        @Test("a port that is taken is left alone, the next free one is used")
        func portTaken() throws {
            let holder = try SandboxFixture()
            try holder.start()
            let port = try #require(try holder.status()["ssh_port"]?.wholeNumber)
            let fixture = try SandboxFixture(settings: ["AIBOX_IDE_SSH_PORT": "\(port)"])
            try fixture.start()
            let other = try #require(try fixture.status()["ssh_port"]?.wholeNumber)
            #expect(other > port)
            #expect(try fixture.shell("true").succeeded && holder.shell("true").succeeded)
        }

        @Test(
            "workspaces with awkward names work",
            arguments: [
                "with space", "comma,colon:quote\"", "--privileged", "$(id)", "ünïcode", "a;b", "it's `id`", "-v", "~",
                "back\\slash", "%s%n", "{{.Name}}", "\u{202e}txt",
            ])
        func awkward(name: String) throws {
            let fixture = try SandboxFixture()
            let workspace = fixture.folder.path + "/" + name
            try Folder.make(workspace)
            try File.replace(workspace + "/here", with: "yes\n", mode: 0o644)
            let started = try fixture.aibox.run("start", "--workspace=\(workspace)", "--name", fixture.name)
            #expect(started.succeeded, "\(started.errorText)")
            #expect(try fixture.shell("cat", "/workspace/here").text == "yes")
        }
    }
}
