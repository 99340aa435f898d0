import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

extension Sandboxes {
    @Suite("Shell and SSH")
    struct SSHTests {
        @Test("words reach the command as they were typed, exit status and pipes come back")
        func words() throws {
            let fixture = try SandboxFixture()
            try fixture.start()
            let words = ["a", "", "b c", "it's", "$(id)", "*", "\\x41", "ü", "new\nline", "-n", ",", "\"", "\\"]
            let result = try SystemCommandRunner().run(
                fixture.aibox.command(["shell", "--name", fixture.name, "--", "printf", "<%s>\\0"] + words))
            #expect(
                result.output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) } == words.map { "<\($0)>" }
            )
            #expect(try fixture.shell("sh", "-c", "exit 7").termination == .exited(7))
            #expect(try fixture.shell("sh", "-c", "kill -9 $$").termination == .exited(137))
            #expect(try fixture.shell("no-such-program").termination == .exited(127))
            let large = [UInt8](repeating: 65, count: 300_000)
            #expect(try fixture.shell("cat", input: large).output == large)
            let apart = try fixture.shell("sh", "-c", "echo out; echo err >&2")
            #expect(apart.text == "out" && apart.errorText == "err")
        }

        @Test("a command runs in the folder of the workspace that it was typed in")
        func folder() throws {
            let fixture = try SandboxFixture()
            try Folder.make(fixture.workspace + "/sub/deep")
            try fixture.start()
            let result = try fixture.aibox.run("shell", "--", "pwd", in: fixture.workspace + "/sub/deep")
            #expect(result.text == "/workspace/sub/deep")
        }

        @Test("ssh, scp, sftp and git work with the settings that aibox writes; root and passwords do not")
        func clients() throws {
            let fixture = try SandboxFixture()
            try fixture.start()
            let runner = SystemCommandRunner()
            let settings = try fixture.folder.write("ssh_config", try fixture.aibox.run("ssh-config").text)
            let host = fixture.container
            #expect(try runner.run(Command("ssh", ["-F", settings, host, "id -un"])).text == "dev")
            #expect(
                try runner.run(Command("ssh", ["-F", settings, "-tt", host, "tty; stty size"])).text.contains(
                    "/dev/pts/"))
            let file = try fixture.folder.write("upload", "bytes\n")
            #expect(try runner.run(Command("scp", ["-q", "-F", settings, file, host + ":/tmp/upload"])).succeeded)
            let batch = Command(
                "sftp", ["-q", "-F", settings, "-b", "-", host],
                input: Array("get /tmp/upload \(fixture.folder.path)/back\n".utf8))
            #expect(try runner.run(batch).succeeded)
            #expect(try File.text(fixture.folder.path + "/back") == "bytes\n")

            let made = try fixture.shell(
                "sh", "-c",
                "git init -q repo && cd repo && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one")
            #expect(made.succeeded, "\(made.errorText)")
            let clone = try runner.run(
                Command(
                    "git", ["clone", "-q", "ssh://\(host)/workspace/repo", fixture.folder.path + "/clone"],
                    environment: ["GIT_SSH_COMMAND": "ssh -F " + settings]))
            #expect(clone.succeeded, "\(clone.errorText)")

            #expect(
                !(try runner.run(Command("ssh", ["-F", settings, "-l", "root", "-o", "BatchMode=yes", host, "true"]))
                    .succeeded))
            let port = try #require(try fixture.status()["ssh_port"]?.wholeNumber)
            let password = Command(
                "ssh",
                [
                    "-F", "/dev/null", "-p", "\(port)", "-o", "BatchMode=yes", "-o", "PubkeyAuthentication=no", "-o",
                    "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "dev@127.0.0.1", "true",
                ])
            #expect(!(try runner.run(password).succeeded))
            let listening = try runner.run(Command("ss", ["-Hltn", "sport = :\(port)"])).text
            #expect(listening.contains("127.0.0.1:\(port)") && !listening.contains("0.0.0.0:\(port)"))
        }
    }
}
