import AiboxSystem
import AiboxTestSupport
import Testing

/// git itself reads the URLs (`git credential fill`, which needs no server) and asks the helper; a token is kept for git.example.
@Suite("git's helper against URLs and questions that mean another host")
struct GitHelperRedTeamTests {
    private static let token = "canary-token-5d1c"
    private static var helper: String { Path.parent(BuiltCommand.path) + "/aibox-credential-helper" }

    private struct Lab {
        let command: BuiltCommand

        init() throws {
            command = try BuiltCommand()
            try SystemCommandRunner().require(
                Command(
                    BuiltCommand.path, ["auth", "add", "git-token:git.example", "--user", "bot"],
                    environment: command.environment, input: Array(token.utf8)), "auth add")
        }

        func git(_ question: String, _ words: [String] = []) throws -> CommandResult {
            try SystemCommandRunner().run(
                Command(
                    "git", ["-c", "credential.helper=" + helper] + words + ["credential", "fill"],
                    environment: command.environment.merging(LabGitServer.clientEnvironment) { $1 },
                    directory: command.folder.path, input: Array((question + "\n\n").utf8)))
        }

        func ask(_ question: [UInt8], _ operation: String = "get", helper: String = helper) throws -> CommandResult {
            try SystemCommandRunner().run(
                Command(helper, [operation], environment: command.environment, input: question))
        }
    }

    @Test("the host itself is answered, however git was given it")
    func answered() throws {
        let lab = try Lab()
        for url in [
            "https://git.example/team/x.git", "https://GIT.Example/x", "https://git.example:443/x",
            "https://bot@git.example/x", "https://git.example?x", "https://git.example#x",
        ] {
            let result = try lab.git("url=" + url)
            #expect(result.text.contains("password=" + Self.token), "\(url): \(result.text) \(result.errorText)")
        }
    }

    /// Look-alikes, ports, user information, dots, escapes, other alphabets, other schemes.
    static let urls = [
        "http://git.example/x", "HTTPS://git.example/x", "ssh://git.example/x", "git://git.example/x",
        "ftp://git.example/x", "https://git.example.evil/x", "https://git.example.com.evil/x",
        "https://evil.git.example/x", "https://xgit.example/x", "https://git.examplex/x", "https://git-example/x",
        "https://git.example./x", "https://git.example.:443/x", "https://git.example../x", "https://.git.example/x",
        "https://git..example/x",
        "https://git.example:8443/x", "https://git.example:80/x", "https://git.example:0/x",
        "https://git.example:65979/x", "https://git.example:4294967739/x", "https://git.example:443443/x",
        "https://git.example:-443/x", "https://git.example:443:443/x", "https://git.example:0x1bb/x",
        "https://git.example@evil.example/x", "https://git.example:443@evil.example/x",
        "https://bot@git.example@evil.example/x", "https://evil.example@git.example.evil/x",
        "https://git.example\\@evil.example/x", "https://git.example\\.evil/x", "https://evil.example#@git.example",
        "https://evil.example?@git.example", "https://evil.example/@git.example", "https://evil.example;git.example/x",
        "https://git.example%2eevil/x", "https://git.example%00.evil/x", "https://git.example%0d.evil/x",
        "https://git.example%0ahost=evil.example/x", "https://git.example%20/x", "https://git.example%09/x",
        "https://git%2eexample%2f.evil/x", "https://%67it.example.evil/x", "https://[git.example]/x",
        "https://[::1]/x", "https://127.0.0.1/x", "https://2130706433/x", "https://0x7f.1/x",
        "https://gіt.example/x", "https://git.exаmple/x", "https://ｇｉｔ.example/x", "https://git。example/x",
        "https://git.example\u{200b}/x", "https://g\u{ad}it.example/x", "https://gi\u{0131}t.example/x",
        "https://xn--gt-4ka.example/x", "https://git.example\u{202e}/x", "https://ɡit.example/x",
        "https:///git.example/x", "https:/git.example/x", "https://mallory@git.example/x",
    ]

    @Test("whatever only looks like it gets nothing, from git's own reading of the URL")
    func lookAlikes() throws {
        let lab = try Lab()
        for url in Self.urls {
            for words in [[], ["-c", "credential.useHttpPath=true"], ["-c", "credential.protectProtocol=false"]] {
                let result = try lab.git("url=" + url, words)
                #expect(
                    !result.text.contains(Self.token) && !result.errorText.contains(Self.token),
                    "\(url): \(result.text)")
            }
        }
    }

    /// CVE-2020-5260, CVE-2020-11008 (fields by line breaks, no host), CVE-2024-50349 and CVE-2024-52006 (carriage returns).
    static let questions = [
        "protocol=https\nhost=git.example\nhost=evil.example", "host=git.example\nprotocol=https\nprotocol=http",
        "protocol=https\nhost=evil.example\rhost=git.example", "protocol=https\rhost=git.example",
        "protocol=https\r\nhost=git.example\r\n\r", "protocol=https\nhost=git.example\r",
        "protocol=https\nhost=\nx=git.example",
        "protocol=https\nhost=git.example\0.evil", "protocol=https\0\nhost=git.example",
        "\0protocol=https\nhost=git.example",
        "protocol=https\nhost=git.example\nusername=bot\rpassword=x",
        "protocol=https\nhost=git.example\nusername=bot\0",
        "protocol=https\n\nhost=git.example", "protocol=\nhost=git.example", "protocol=https\n=git.example",
        "protocol=https\nhost", "protocol=https\nhost =git.example", " protocol=https\nhost=git.example",
        "protocol=https\nhost= git.example", "protocol=https\nhost=git.example ", "protocol=https\nhost=git.example\t",
        "PROTOCOL=https\nHOST=git.example", "protocol=https\nhost[]=git.example", "protocol[]=https\nhost=git.example",
        "protocol=https\nhost=git.example\u{1b}[2J", "protocol=https\nhost=git.example\u{7f}",
        "protocol=https\nhost=evil.example\nurl=https://git.example/", "url=https://git.example/",
        "protocol=https\nhost=git.example\nusername=bot\nusername=bot", "protocol=https\nhost=git.example,evil.example",
    ]

    @Test("a question with a field put into it, cut short or doubled gets nothing and no word")
    func injected() throws {
        let lab = try Lab()
        for question in Self.questions {
            let result = try lab.ask(Array((question + "\n\n").utf8))
            let isQuiet = result.succeeded && result.output.isEmpty && result.errorOutput.isEmpty
            #expect(isQuiet, "\(question): \(result.text)\(result.errorText)")
        }
    }

    @Test("bytes that are no text, and more than any git sends, get nothing; fields of a newer git change nothing")
    func bytes() throws {
        let lab = try Lab()
        let good = "protocol=https\nhost=git.example\n"
        for (what, question) in [
            ("no UTF-8", Array(good.utf8) + [0x78, 0x3d, 0xff, 0xfe, 0x0a]),
            ("overlong", Array("protocol=https\nhost=git".utf8) + [0xc0, 0xae] + Array("example\n".utf8)),
            ("too long", Array((good + String(repeating: "wwwauth[]=x\n", count: 6000)).utf8)),
        ] {
            let result = try lab.ask(question)
            #expect(
                result.succeeded && result.output.isEmpty && result.errorOutput.isEmpty, "\(what): \(result.errorText)")
        }
        let newer = """
            capability[]=authtype
            capability[]=state
            capability[]=of-tomorrow
            \(good)path=team/x.git
            wwwauth[]=Basic realm="git.example"
            wwwauth[]=Bearer host=evil.example
            wwwauth[]=
            state[]=x
            ephemeral=1
            continue=1
            tomorrow=x

            """
        #expect(try lab.ask(Array(newer.utf8)).text == "username=bot\npassword=" + Self.token)
        // A user, a password and what Basic makes of them go to git as they were kept, line by line.
        let many = good + (0..<2000).map { "wwwauth[]=Digest \($0)\n" }.joined()
        #expect(try lab.ask(Array(many.utf8)).text == "username=bot\npassword=" + Self.token)
    }

    @Test("what it refuses, store and erase start no other program: alone in a folder it answers them all the same")
    func alone() throws {
        let lab = try Lab()
        let copy = lab.command.folder.path + "/aibox-credential-helper"
        try SystemCommandRunner().require(Command("cp", [Self.helper, copy]), "cannot copy")
        let good = Array("protocol=https\nhost=git.example\n\n".utf8)
        for operation in ["store", "erase", ""] {
            let result = try lab.ask(good + Array("password=evil\n".utf8), operation, helper: copy)
            #expect(result.succeeded && result.output.isEmpty && result.errorOutput.isEmpty, "\(operation)")
        }
        for question in [
            "protocol=http\nhost=git.example\n", "protocol=https\nhost=gіt.example\n",
            "protocol=https\nhost=git.example\r\n",
            "protocol=https\nhost=a@git.example\n",
        ] {
            let result = try lab.ask(Array((question + "\n").utf8), helper: copy)
            #expect(result.succeeded && result.output.isEmpty && result.errorOutput.isEmpty, "\(question)")
        }
        // The control: this one it would have to ask.
        let asked = try lab.ask(good, helper: copy)
        #expect(asked.termination == .exited(1) && asked.errorText.contains("there is no aibox beside it"))
        #expect(try lab.git("protocol=https\nhost=git.example").text.contains(Self.token), "and nothing was forgotten")
    }
}
