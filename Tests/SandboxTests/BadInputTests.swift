import AiboxSystem
import AiboxTestSupport
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

        @Test("refused", arguments: cases)
        func refused(_ row: Case) throws {
            let fixture = try SandboxFixture()
            let arguments = ["start"] + (try row.arguments(fixture))
            let result = try SystemCommandRunner().run(fixture.aibox.command(arguments), timeout: .seconds(60))
            #expect(result.termination == .exited(row.status), "\(result.errorText)")
            #expect(result.errorText.lowercased().contains(row.says), "\(result.errorText)")
            #expect(result.errorText.split(separator: "\n").count <= 4)
            #expect(try fixture.remains() == [])
            #expect(try fixture.aibox.run("list").text == "")
        }

        @Test(
            "workspaces with awkward names work",
            arguments: ["with space", "comma,colon:quote\"", "--privileged", "$(id)", "ünïcode", "a;b"])
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
