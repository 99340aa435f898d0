import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@Suite("aibox auth, as a person runs it")
struct AuthCommandTests {
    /// A secret like no other, and everything that a run left behind to look for it in.
    private struct Canary {
        let command: BuiltCommand
        let value = "canary-\(UInt64.random(in: .min ... .max))-x"

        init() throws { command = try BuiltCommand() }

        func run(_ arguments: [String], input: String? = nil, variables: [String: String?] = [:]) throws
            -> CommandResult
        {
            let environment = command.environment.merging(variables) { $1 }
            return try SystemCommandRunner().run(
                Command(
                    BuiltCommand.path, arguments, environment: environment, input: Array((input ?? "").utf8)))
        }

        /// The files of the home that hold the value in any of three forms.
        func leaks(_ below: String? = nil) throws -> [String] {
            let folder = below ?? command.folder.path
            return try Folder.names(folder).flatMap { name -> [String] in
                let path = folder + "/" + name
                if File.isDirectory(path) { return try leaks(path) }
                return Self.holds(try File.read(path), value) ? [path] : []
            }
        }

        static func holds(_ bytes: [UInt8], _ value: String) -> Bool {
            let text = String(decoding: bytes, as: UTF8.self)
            let raw = Array(value.utf8)
            return [value, Hex.encode(raw), Base64.encode(raw)].contains { text.contains($0) }
        }
    }

    @Test("a secret from standard input is kept, listed without it, and forgotten; every change is in the log first")
    func life() throws {
        let lab = try Canary()
        let added = try lab.run(["auth", "add", "git-token:GitHub.com"], input: lab.value + "\n")
        #expect(
            added.text == "git-token:github.com is kept in the encrypted file. It goes to github.com and nowhere else.")
        #expect(added.succeeded, "\(added.errorText)")
        let list = try lab.run(["auth", "list", "-o", "json"])
        for word in ["git-token:github.com", "\"github.com\"", "basic", "\"file\""] {
            #expect(list.text.contains(word))
        }
        #expect(try lab.run(["auth", "login"]).text == "git-token:github.com\tfile\tcan be read")
        let again = try lab.run(["auth", "add", "git-token:github.com", "-o", "json"], input: lab.value)
        #expect(again.text.contains("\"replaced\": true"))
        #expect(try lab.run(["auth", "status"]).text.contains("file\ttrue\ttrue\tworks"))
        #expect(
            try lab.run(["auth", "remove", "git-token"]).text
                == "git-token:github.com is removed from the encrypted file.")
        #expect(try lab.run(["auth", "list"]).output.isEmpty)
        let events = try lab.run(["audit", "search", "-o", "jsonl"]).text.split(separator: "\n").filter {
            $0.contains("\"credential.")
        }
        #expect(events.count == 3, "\(events)")
        for (event, word) in zip(events, ["added by auth add", "replaced by auth add", "removed by auth remove"]) {
            #expect(event.contains(word) && event.contains("git-token:github.com") && !event.contains("problems"))
        }
        #expect(try lab.leaks().isEmpty)
    }

    @Test("no output, error or file holds the secret, whatever goes wrong")
    func canary() throws {
        let lab = try Canary()
        let runs: [([String], String?, [String: String?])] = [
            (["auth", "add", "git-token:git.example"], lab.value, [:]),
            (["auth", "add", "git-token:git.example", lab.value], nil, [:]),
            (["auth", "add", "git-token:git.example", "--", lab.value], nil, [:]),
            (["auth", "add", lab.value], nil, [:]), (["auth", "remove", lab.value], nil, [:]),
            (["auth", "add", "git-token:" + lab.value + "_"], nil, [:]),
            (["auth", "add", "custom:x", "--host", lab.value + "_"], lab.value, [:]),
            (["auth", "add", "custom:x", "--place", lab.value], lab.value, [:]),
            (["auth", "add", "git-token:git.example"], lab.value + "\nsecond line", [:]),
            (["auth", "add", "git-token:git.example"], " " + lab.value, [:]),
            (["auth", "add", "llm-api-key:anthropic", "-v"], lab.value, [:]), (["auth", "list", "-v"], nil, [:]),
            (["auth", "status", "-o", "json"], nil, ["AIBOX_GIT_TOKEN": lab.value]),
            (["auth", "list"], nil, ["AIBOX_GIT_TOKEN": lab.value]),
            (["auth", "list"], nil, ["AIBOX_GIT_TOKEN": lab.value, "AIBOX_GIT_HOST": "git.example"]),
            (["auth", "login"], nil, ["AIBOX_GIT_TOKEN": lab.value, "AIBOX_GIT_HOST": "git.example"]),
            (["config", "list"], nil, ["AIBOX_GIT_TOKEN": lab.value, "AIBOX_GIT_HOST": "git.example"]),
            (["auth", "list", "-o", "json"], nil, [:]), (["audit", "search", "-o", "json"], nil, [:]),
            (["auth", "remove", "llm-api-key"], nil, [:]),
        ]
        for (arguments, input, variables) in runs {
            let result = try lab.run(arguments, input: input, variables: variables)
            #expect(!Canary.holds(result.output, lab.value), "\(arguments)")
            #expect(!Canary.holds(result.errorOutput, lab.value), "\(arguments): \(result.errorText)")
        }
        #expect(try lab.leaks().isEmpty)
        // The search itself finds what is there.
        try lab.command.folder.write("planted", "x " + Base64.encode(Array(lab.value.utf8)))
        #expect(try lab.leaks().count == 1)
    }

    @Test("a secret as an argument is refused with words, and nothing is kept")
    func argument() throws {
        let lab = try Canary()
        let result = try lab.run(["auth", "add", "git-token:github.com", lab.value], input: "x")
        #expect(result.termination == .exited(64))
        #expect(result.errorText.contains("not taken from the command line"))
        #expect(try lab.run(["auth", "list"]).output.isEmpty)
    }

    @Test(
        "mistakes are told with what to do",
        arguments: [
            (["auth", "add", "git-token"], 64, "git-token:HOST[:PORT]"),
            (["auth", "add", "token"], 64, "git-token:HOST[:PORT], llm-api-key:anthropic|openai|custom"),
            (["auth", "add", "git-token:10.1.2.3"], 64, "IP address"),
            (["auth", "add", "custom:x"], 64, "--host HOST"),
            (["auth", "add", "llm-api-key:custom"], 64, "--host HOST"),
            (["auth", "add", "git-token:a.example", "--host", "b.example"], 64, "goes to a.example alone"),
            (["auth", "add", "llm-api-key:openai", "--path", "/x"], 64, "--host HOST/PATH"),
            (["auth", "add", "git-token:a.example"], 64, "it is empty"),
            (["auth", "remove", "git-token:a.example"], 1, "there is no such credential"),
            (["auth", "login", "git-token:a.example"], 1, "there is no such credential"),
        ] as [([String], Int32, String)])
    func mistakes(arguments: [String], status: Int32, words: String) throws {
        let lab = try Canary()
        let result = try lab.run(arguments)
        #expect(result.termination == .exited(status))
        #expect(result.errorText.contains(words), "\(result.errorText)")
    }

    @Test("without the log nothing is changed")
    func noLog() throws {
        let lab = try Canary()
        #expect(try lab.run(["auth", "add", "git-token:a.example"], input: "first").succeeded)
        let log = lab.command.folder.path + "/state/aibox/audit"
        for name in try Folder.names(log) where name.hasSuffix(".jsonl") {
            try File.replace(log + "/" + name, with: Array("{}\n".utf8), mode: 0o600)
        }
        let store = lab.command.folder.path + "/state/aibox/credentials/credentials"
        let before = try File.read(store)
        #expect(try !lab.run(["auth", "add", "git-token:a.example"], input: "second").succeeded)
        #expect(try !lab.run(["auth", "remove", "git-token:a.example"]).succeeded)
        #expect(try File.read(store) == before)
    }

    @Test("a store that was tampered with stops every reader with status 4, and says where the last state is")
    func tampered() throws {
        let lab = try Canary()
        #expect(try lab.run(["auth", "add", "git-token:a.example"], input: "s").succeeded)
        let store = lab.command.folder.path + "/state/aibox/credentials/credentials"
        try File.replace(store, with: try File.text(store).replacing("a.example", with: "b.example"), mode: 0o600)
        for arguments in [["auth", "list"], ["auth", "login"], ["auth", "remove", "git-token:a.example"]] {
            let result = try lab.run(arguments)
            #expect(result.termination == .exited(4))
            #expect(result.errorText.contains(store + ".bak"))
        }
    }

    @Test("processes that add at the same time lose nothing of each other's")
    func concurrent() async throws {
        let lab = try Canary()
        let names = (0..<6).map { "git-token:h\($0).example" }
        try await withThrowingTaskGroup(of: CommandResult.self) { group in
            for name in names { group.addTask { try lab.run(["auth", "add", name], input: "secret of " + name) } }
            for try await result in group { #expect(result.succeeded, "\(result.errorText)") }
        }
        #expect(try lab.run(["auth", "login"]).text.split(separator: "\n").count == names.count)
    }

    @Test("on a full disk nothing is kept, nothing is lost, and the words say why")
    func fullDisk() throws {
        let lab = try Canary()
        let result = try lab.command.runIsolated(
            """

            mkdir -p -m 700 "$2/state/aibox/credentials"
            mount -t tmpfs -o size=32k,mode=0700 none "$2/state/aibox/credentials"
            echo first | "$1" auth add git-token:a.example >/dev/null
            cp "$2/state/aibox/credentials/credentials" "$2/before"
            cat /dev/zero > "$2/state/aibox/credentials/filler" 2>/dev/null || true
            status=0
            echo second | "$1" auth add git-token:a.example || status=$?
            cmp "$2/state/aibox/credentials/credentials" "$2/before"
            "$1" auth login
            ls -A "$2/state/aibox/credentials"
            exit $status
            """)
        #expect(result.termination == .exited(1), "\(result.errorText)")
        #expect(result.errorText.contains("No space left on device"))
        #expect(result.text == "git-token:a.example\tfile\tcan be read\n.credentials.lock\ncredentials\nfiller")
    }

    @Test("the variables of credentials do not reach the programs that aibox starts")
    func notInherited() throws {
        let lab = try Canary()
        let program = try lab.command.folder.write(
            "helper", "#!/bin/sh\nenv > \"$(dirname \"$0\")/seen\"\necho '{\"version\":1,\"credentials\":[]}'\n")
        chmod(program, 0o755)
        try lab.command.folder.write("config/aibox/config.yaml", "credentials:\n  command: [\(program)]\n")
        let variables = ["AIBOX_LLM_API_KEY": lab.value, "AIBOX_LLM_PROVIDER": "openai"]
        let list = try lab.run(["auth", "list"], variables: variables)
        #expect(list.text.contains("llm-api-key:openai") && list.text.contains("environment"), "\(list.errorText)")
        let seen = try File.text(lab.command.folder.path + "/seen")
        #expect(seen.contains("AIBOX_LLM_PROVIDER=openai") && !seen.contains(lab.value))
    }

    @Test("at a terminal the secret is asked for and not shown; Ctrl-C gives the terminal back")
    func prompt() throws {
        let lab = try Canary()
        let driver = try lab.command.folder.write("driver.py", Self.driver)
        func drive(_ typed: String) throws -> CommandResult {
            try SystemCommandRunner().run(
                Command(
                    "python3", [driver, BuiltCommand.path, "auth", "add", "git-token:a.example"],
                    environment: lab.command.environment,
                    input: Array(typed.utf8)))
        }
        let typed = try drive("wrong\u{15}x\u{7f}" + lab.value + "\r")
        #expect(
            typed.text.contains("Secret of git-token:a.example:") && typed.text.contains("is kept"), "\(typed.text)")
        #expect(typed.text.contains("status 0 echo True"))
        #expect(!typed.text.contains(lab.value) && !typed.text.contains("wrong"))
        let cancelled = try drive("half\u{3}")
        #expect(
            cancelled.text.contains("cancelled") && cancelled.text.contains("status 1 echo True"), "\(cancelled.text)")
        #expect(!cancelled.text.contains("half"))
        // The one that was asked for is the one that is kept.
        let helper = Path.parent(BuiltCommand.path) + "/aibox-credential-helper"
        let answer = try SystemCommandRunner().run(
            Command(
                helper, ["get"], environment: lab.command.environment,
                input: Array("protocol=https\nhost=a.example\n\n".utf8)))
        #expect(answer.text == "username=x-access-token\npassword=" + lab.value, "\(answer.errorText)")
    }

    /// Runs a program on a pseudo-terminal, types standard input once it asks, prints all that it shows, its status, and whether
    /// the terminal echoes afterwards.
    private static let driver = """
        import os, pty, select, sys, termios, time
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(sys.argv[1], sys.argv[1:])
        shown, typed, end = b"", sys.stdin.buffer.read(), time.time() + 60
        while time.time() < end:
            ready, _, _ = select.select([terminal], [], [], 0.05)
            more = b""
            if ready:
                try:
                    more = os.read(terminal, 4096)
                except OSError:
                    pass
            if more:
                shown += more
                if typed and shown.rstrip().endswith(b":"):
                    os.write(terminal, typed)
                    typed = b""
                continue
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
        else:
            os.kill(pid, 9)
            sys.exit("it did not end")
        echoes = bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
        sys.stdout.buffer.write(shown)
        print("status", os.waitstatus_to_exitcode(status), "echo", echoes)
        """
}
