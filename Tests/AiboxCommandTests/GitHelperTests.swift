import AiboxSystem
import AiboxTestSupport
import Testing

/// Real git, a real smart-HTTP server on loopback, and the helper between them.
@Suite("git on the host gets what aibox keeps")
struct GitHelperTests {
    private final class GitLab {
        let command: BuiltCommand
        let encrypted: String
        let plain: String
        private let server: LabGitServer

        static var helper: String { Path.parent(BuiltCommand.path) + "/aibox-credential-helper" }

        init(user: String = "x-access-token") throws {
            command = try BuiltCommand()
            server = try LabGitServer(user: user)
            encrypted = "localhost:\(server.port)"
            plain = "localhost:\(server.plainPort)"
        }

        var secret: String { server.secret }

        var variables: [String: String?] {
            command.environment.merging(LabGitServer.clientEnvironment) { $1 }
                .merging(["GIT_SSL_CAINFO": server.certificate]) { $1 }
        }

        func git(_ arguments: String..., in folder: String? = nil) throws -> CommandResult {
            try SystemCommandRunner().run(
                Command(
                    "git", ["-c", "credential.helper=" + Self.helper] + arguments, environment: variables,
                    directory: folder ?? command.folder.path))
        }

        func add(_ arguments: String...) throws {
            try SystemCommandRunner().require(
                Command(
                    BuiltCommand.path, ["auth", "add"] + arguments, environment: variables, input: Array(secret.utf8)),
                "auth add")
        }

        func ask(_ question: String, _ operation: String = "get") throws -> CommandResult {
            try SystemCommandRunner().run(
                Command(Self.helper, [operation], environment: variables, input: Array(question.utf8)))
        }

        var requests: [String] { server.requests }
    }

    @Test("clone, push and fetch work with a token that is nowhere in the clone")
    func works() throws {
        let lab = try GitLab()
        try lab.add("git-token:" + lab.encrypted)
        let url = "https://\(lab.encrypted)/team/x.git"
        let clone = lab.command.folder.path + "/clone"
        let result = try lab.git("clone", "-q", url, clone)
        #expect(result.succeeded, "\(result.errorText)")
        try File.replace(clone + "/file", with: "text\n")
        for arguments in [["add", "file"], ["commit", "-q", "-m", "one"]] {
            try SystemCommandRunner().require(
                Command("git", arguments, environment: lab.variables, directory: clone), "git")
        }
        let push = try lab.git("push", "-q", "origin", "HEAD:main", in: clone)
        #expect(push.succeeded, "\(push.errorText)")
        #expect(try lab.git("fetch", "origin", in: clone).succeeded)
        let found = try SystemCommandRunner().run(Command("grep", ["-r", lab.secret, clone]))
        #expect(found.termination == .exited(1), "\(found.text)")
        let used = lab.requests.filter { $0.contains("x-access-token") }
        #expect(used.count > 3)
        let events = try SystemCommandRunner().run(
            Command(
                BuiltCommand.path, ["audit", "search", "--type", "credential.use", "-o", "jsonl"],
                environment: lab.variables)
        ).text
        #expect(events.contains("git-token:" + lab.encrypted) && !events.contains(lab.secret))
        #expect(!events.contains("problems"))
    }

    @Test("plain http to the same host gets nothing, and fails without a question")
    func plain() throws {
        let lab = try GitLab()
        try lab.add("git-token:" + lab.plain)
        let result = try lab.git("ls-remote", "http://\(lab.plain)/team/x.git")
        #expect(!result.succeeded)
        #expect(!lab.requests.contains { $0.contains("\"given\": true") })
        #expect(!result.errorText.contains(lab.secret))
    }

    @Test("a token that is bound to a path needs useHttpPath and goes nowhere else")
    func paths() throws {
        let lab = try GitLab()
        try lab.add("git-token:" + lab.encrypted, "--path", "/team")
        let url = "https://\(lab.encrypted)/team/x.git"
        #expect(try !lab.git("ls-remote", url).succeeded)
        #expect(try lab.git("-c", "credential.useHttpPath=true", "ls-remote", url).succeeded)
        #expect(
            try !lab.git("-c", "credential.useHttpPath=true", "ls-remote", "https://\(lab.encrypted)/other/x.git")
                .succeeded)
    }

    @Test(
        "what is not granted gets no answer and no error",
        arguments: [
            "protocol=http\nhost=git.example\n", "protocol=https\nhost=git.example.evil\n",
            "protocol=https\nhost=xgit.example\n", "protocol=https\nhost=gіt.example\n",
            "protocol=https\nhost=git.example:8443\n", "protocol=https\nhost=git.example@evil.example\n",
            "protocol=https\nhost=sub.git.example\n", "protocol=https\nhost=git.example\nhost=evil.example\n",
            "protocol=https\nhost=git.example\r\n", "protocol=https\nhost=git.example\npath=x\0y\n",
            "protocol=ssh\nhost=git.example\n", "protocol=https\nhost=git.example/../evil\n", "protocol=https\n", "",
            "protocol=https\nhost=git.example\nusername=somebody-else\n", "garbage\n",
        ])
    func refused(question: String) throws {
        let lab = try QuietLab()
        let result = try lab.ask(question + "\n")
        #expect(result.succeeded && result.output.isEmpty && result.errorOutput.isEmpty, "\(result)")
    }

    @Test("the granted one is answered, with what a newer git sends besides too")
    func granted() throws {
        let lab = try QuietLab()
        for question in [
            "protocol=https\nhost=git.example\n", "protocol=https\nhost=GIT.example:443\nusername=bot\n",
            "capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=git.example\nwwwauth[]=Basic realm=x\nwwwauth[]=X\n\n",
        ] {
            let result = try lab.ask(question)
            #expect(result.text == "username=bot\npassword=token-1", "\(question): \(result.errorText)")
        }
    }

    @Test("store and erase are a quiet no", arguments: ["store", "erase", "approve", ""])
    func changes(operation: String) throws {
        let lab = try QuietLab()
        let result = try lab.ask("protocol=https\nhost=git.example\nusername=bot\npassword=evil\n\n", operation)
        #expect(result.succeeded && result.output.isEmpty && result.errorOutput.isEmpty)
        #expect(try lab.ask("protocol=https\nhost=git.example\n").text.contains("token-1"))
    }

    /// A store with one credential, and no server.
    private struct QuietLab {
        let command: BuiltCommand

        init() throws {
            command = try BuiltCommand()
            try SystemCommandRunner().require(
                Command(
                    BuiltCommand.path, ["auth", "add", "git-token:git.example", "--user", "bot"],
                    environment: environment,
                    input: Array("token-1".utf8)), "auth add")
        }

        private var environment: [String: String?] {
            command.environment
        }

        func ask(_ question: String, _ operation: String = "get") throws -> CommandResult {
            try SystemCommandRunner().run(
                Command(GitLab.helper, [operation], environment: environment, input: Array(question.utf8)))
        }
    }
}
