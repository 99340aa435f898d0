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

    /// Runs `aibox ARGUMENTS` at a terminal and types one of the answers at each question.
    private static func drive(_ lab: Canary, _ arguments: [String], _ answers: String) throws -> String {
        let script = try lab.command.folder.write("driver.py", driver)
        return try SystemCommandRunner().run(
            Command(
                "python3", [script, BuiltCommand.path] + arguments, environment: lab.command.environment,
                input: Array(answers.utf8)), timeout: .seconds(120)
        ).text
    }

    @Test("at a terminal the secret is asked for and not shown; Ctrl-C gives the terminal back")
    func prompt() throws {
        let lab = try Canary()
        let add = ["auth", "add", "git-token:a.example"]
        let typed = try Self.drive(lab, add, "wrong\u{15}x\u{7f}" + lab.value + "\r")
        #expect(typed.contains("Secret of git-token:a.example:") && typed.contains("is kept"), "\(typed)")
        #expect(typed.contains("status 0 echo True"))
        #expect(!typed.contains(lab.value) && !typed.contains("wrong"))
        let cancelled = try Self.drive(lab, add, "half\u{3}")
        #expect(cancelled.contains("cancelled") && cancelled.contains("status 1 echo True"), "\(cancelled)")
        #expect(!cancelled.contains("half"))
        // The one that was typed is the one that is kept.
        let helper = Path.parent(BuiltCommand.path) + "/aibox-credential-helper"
        let answer = try SystemCommandRunner().run(
            Command(
                helper, ["get"], environment: lab.command.environment,
                input: Array("protocol=https\nhost=a.example\n\n".utf8)))
        #expect(answer.text == "username=x-access-token\npassword=" + lab.value, "\(answer.errorText)")
    }

    @Test("with a passphrase nothing opens without it, and no key lies about")
    func passphrase() throws {
        let lab = try Canary()
        #expect(try lab.run(["config", "set", "credentials.passphrase", "true"]).succeeded)
        let add = ["auth", "add", "git-token:a.example"]
        let differing = try Self.drive(lab, add, lab.value + "\rcorrect horse\rcorrect house\r")
        #expect(differing.contains("the two passphrases differ") && differing.contains("status 64"), "\(differing)")
        let kept = try Self.drive(lab, add, lab.value + "\rcorrect horse\rcorrect horse\r")
        #expect(kept.contains("is kept in the encrypted file") && !kept.contains("horse"), "\(kept)")
        #expect(!File.exists(lab.command.folder.path + "/config/aibox/credentials.key"))
        let opened = try Self.drive(lab, ["auth", "login"], "correct horse\r")
        #expect(opened.contains("can be read") && opened.contains("status 0"), "\(opened)")
        let wrong = try Self.drive(lab, ["auth", "login"], "wrong horse\r")
        #expect(wrong.contains("passphrase is another one") && wrong.contains("status 4"), "\(wrong)")
        #expect(try lab.leaks().isEmpty)
    }

    /// Runs a program on a pseudo-terminal, types a line of standard input (they end in a carriage return) at each question,
    /// prints all that it shows, its status, and whether the terminal echoes afterwards.
    private static let driver = """
        import os, pty, re, select, sys, termios, time
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(sys.argv[1], sys.argv[1:])
        shown, end = b"", time.time() + 100
        answers = [line for line in re.split(rb"(?<=\\r)", sys.stdin.buffer.read()) if line]
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
                if answers and shown.endswith(b": "):
                    os.write(terminal, answers.pop(0))
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
