import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// Rules about tools, tried from inside in every way that a shell and a script know.
    @Suite("The gate for tools")
    struct ToolGateTests {
        private static let rules = """
            tools:
              rules:
                - {id: no-curl, match: [curl], allow: false}
                - {id: no-unxz, match: [unxz], allow: false}
                - {id: git, match: [git], allow: true, risk: safe}
                - {id: push, match: [git, push], allow: false}

            """

        /// Each is one command of a shell inside, which has to end as a refusal does, with the rule that the log then names; none
        /// where no program begins.
        private static let attacks: [(line: String, rule: String?)] = [
            ("curl x", "no-curl"), ("/usr/bin/curl x", "no-curl"), ("/bin/curl x", "no-curl"),
            ("/usr/bin/../bin/curl x", "no-curl"), ("env curl x", "no-curl"), ("sh -c 'curl x'", "no-curl"),
            ("cd /usr/bin && ./curl x", "no-curl"),
            ("ln -sf /usr/bin/curl /tmp/harmless && /tmp/harmless x", "no-curl"),
            ("(exec -a git /usr/bin/curl status)", "no-curl"), ("(exec -a '' /usr/bin/curl)", "no-curl"),
            ("nice curl x", "no-curl"), ("timeout 9 curl x", "no-curl"),
            ("printf '#!/usr/bin/curl\\n' >/tmp/s; chmod +x /tmp/s; /tmp/s", "no-curl"),
            (
                "python3 -c 'import subprocess,sys; sys.exit(subprocess.run([\"curl\",\"x\"]).returncode)'",
                "no-curl"
            ),
            ("python3 -c 'import os; os.execv(\"/usr/bin/curl\", [\"git\", \"status\"])'", "no-curl"),
            ("/lib64/ld-linux-x86-64.so.2 /usr/bin/curl --version || exit 126", nil),
            ("LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libc.so.6 curl x", "no-curl"),
            ("cp /usr/bin/curl /tmp/copy && /tmp/copy x", "tools.gate"), ("unxz -V", "no-unxz"),
            ("xz -V", "no-unxz"), ("lzcat --version", "no-unxz"), ("busybox() { unxz -V; }; busybox", "no-unxz"),
            ("git push origin main", "push"), ("git -C /tmp push", "push"), ("git -c a.b=c --no-pager push", "push"),
            ("git -c alias.p=push p", "push"), ("/usr/lib/git-core/git push", "push"),
            ("/usr/lib/git-core/git-push x", "push"), ("(exec -a git-push /usr/bin/git x)", "push"),
            ("(exec -a git-x /usr/bin/git push)", "push"),
        ]

        /// Runs each in a shell of its own, and says how it ended.
        private static var script: String {
            attacks.reduce("cd /tmp; git init -q .\n") {
                $0 + "( \($1.line) ) >/tmp/o 2>&1; echo $?; head -c 300 /tmp/o >&2\n"
            }
        }

        @Test("what a rule denies runs in no way, what it allows does", arguments: SandboxFixture.Engine.allCases)
        func attacks(engine: SandboxFixture.Engine) throws {
            let runtime = engine == .crun ? "runtime: {engine: gvisor, fallback: [crun]}\n" : ""
            let fixture = try SandboxFixture(engine: engine, policy: "version: 1\n\(runtime)\(Self.rules)")
            try fixture.start()
            let tried = try fixture.shell("bash", "-c", Self.script)
            for (attack, status) in zip(Self.attacks, tried.text.split(separator: "\n")) {
                #expect(status == "126", "\(attack.line): \(tried.errorText)")
            }
            #expect(tried.text.split(separator: "\n").count == Self.attacks.count, "\(tried.errorText)")
            // Where podman alone runs the image, each of them runs.
            let podman = try PlainPodman(fixture)
            let control = try podman.bash(podman.image, Self.script, network: "none")
            for (attack, status) in zip(Self.attacks, control.text.split(separator: "\n")) {
                #expect(status != "126" && status != "127", "\(attack.line): \(control.errorText)")
            }
            #expect(control.text.split(separator: "\n").count == Self.attacks.count, "\(control.errorText)")
            // Each refusal is in the log, in their order.
            var refusals = try Self.log(fixture).compactMap { $0["rule"]?.stringValue }[...]
            for attack in Self.attacks {
                guard let rule = attack.rule else { continue }
                let place = try #require(refusals.firstIndex(of: rule), "\(attack.line): \(refusals)")
                refusals = refusals[(place + 1)...]
            }
            let words = try fixture.shell("curl", "x")
            #expect(words.errorText.contains("aibox: curl is refused: "), "\(words.errorText)")
            #expect(words.errorText.contains("rule no-curl, org policy"))
            #expect(words.errorText.contains("org-policy.yaml:"))

            // What is allowed is git itself, in every respect that its callers see.
            let allowed = try fixture.shell(
                "bash", "-c",
                """
                set -e; cd /tmp; rm -rf r; git init -q r; cd r
                git -c user.name=a -c user.email=a@b.example commit -q --allow-empty -m 'two words'
                git log --format=%s; git clone -q /tmp/r /tmp/r2; echo done | git hash-object --stdin
                """)
            #expect(allowed.text.hasPrefix("two words\n") && allowed.succeeded, "\(allowed.errorText)")

            // The denied program is not there under any name, and the kept one cannot be looked up.
            let looked = try fixture.shell(
                "bash", "-c", "ls /run/aibox/tools; rm -f /usr/bin/curl; echo x >/usr/bin/git")
            #expect(!looked.succeeded && looked.text.isEmpty)
            let kept = fixture.aibox.home.path + "/state/aibox/tools"
            func holding(_ text: String) throws -> String {
                try SystemCommandRunner().run(Command("grep", ["-rlF", text, kept])).text
            }
            #expect(try holding("libcurl.so").isEmpty)
            // Not even an ordinary user on the host can list it.
            #expect(try holding("GIT_WORK_TREE").isEmpty == !UserIdentity.current.isRoot)

            // Each decision is in the log, and can be explained.
            let log = try Self.log(fixture)
            let entry = try #require(log.first { $0["rule"]?.stringValue == "push" }, "\(log)")
            let explained = try fixture.aibox.run("policy", "explain", "--log-entry", entry["id"]?.stringValue ?? "")
            #expect(
                explained.text.contains("deny by push, org: the same"), "\(explained.text) \(explained.errorText)")
            #expect(explained.text.contains("push: who owns "), "\(explained.text)")
        }

        /// Refusals of the log, the oldest first.
        private static func log(_ fixture: SandboxFixture) throws -> [JSONValue] {
            let log = try JSONParser.parse(
                try fixture.aibox.run("policy", "log", "--denied", "-o", "json").output, limits: .init(size: 16 << 20))
            return (log.elements ?? []).sorted { ($0["seq"]?.wholeNumber ?? 0) < ($1["seq"]?.wholeNumber ?? 0) }
        }

        @Test("without its gateway nothing runs that a rule names")
        func closed() throws {
            let fixture = try SandboxFixture(policy: "version: 1\n\(Self.rules)")
            try fixture.start()
            let pid = pid_t(truncatingIfNeeded: try #require(try fixture.status()["gateway_pid"]?.wholeNumber))
            #expect(try fixture.shell("git", "--version").succeeded)
            let late = "sleep 2; git --version >/workspace/out 2>&1; echo $? >>/workspace/out"
            try fixture.shell("bash", "-c", "setsid bash -c '\(late)' </dev/null >/dev/null 2>&1 &")
            kill(pid, SIGSTOP)
            defer { kill(pid, SIGCONT) }
            func said() -> String { (try? File.text(fixture.workspace + "/out")) ?? "" }
            for _ in 0..<300 where !said().hasSuffix("126\n") { usleep(100_000) }
            #expect(said().hasSuffix("126\n"), "\(said())")
            #expect(said().contains("the gateway does not answer"))
        }

        @Test("a rule that names what every session begins with starts nothing, and says why")
        func impossible() throws {
            let fixture = try SandboxFixture(
                policy: "version: 1\ntools: {rules: [{id: all, match: [\"*\"], allow: false}]}\n")
            let result = try fixture.aibox.run("start", "-w", fixture.workspace, "--name", fixture.name)
            #expect(result.termination == .exited(3))
            #expect(
                result.errorText.contains("the rule all names it (") && result.errorText.contains("org-policy.yaml:2"))
            #expect(try fixture.remains() == [])
        }
    }
}
