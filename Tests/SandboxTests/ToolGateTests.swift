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

        /// Each is one command of a shell inside, which has to end as a refusal does.
        private static let attacks = [
            "curl x", "/usr/bin/curl x", "/bin/curl x", "/usr/bin/../bin/curl x", "env curl x", "sh -c 'curl x'",
            "cd /usr/bin && ./curl x", "ln -sf /usr/bin/curl /tmp/harmless && /tmp/harmless x",
            "(exec -a git /usr/bin/curl status)", "(exec -a '' /usr/bin/curl)", "nice curl x", "timeout 9 curl x",
            "printf '#!/usr/bin/curl\\n' >/tmp/s; chmod +x /tmp/s; /tmp/s",
            "python3 -c 'import subprocess,sys; sys.exit(subprocess.run([\"curl\",\"x\"]).returncode)'",
            "python3 -c 'import os; os.execv(\"/usr/bin/curl\", [\"git\", \"status\"])'",
            "/lib64/ld-linux-x86-64.so.2 /usr/bin/curl x; [ $? != 0 ] && exit 126",
            "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libc.so.6 curl x", "cp /usr/bin/curl /tmp/copy && /tmp/copy x",
            "unxz -V", "xz -V", "lzcat --version", "busybox() { unxz -V; }; busybox",
            "git push origin main", "git -C /tmp push", "git -c a.b=c --no-pager push", "git -c alias.p=push p",
            "/usr/lib/git-core/git push", "/usr/lib/git-core/git-push x", "(exec -a git-push /usr/bin/git x)",
        ]

        @Test("what a rule denies runs in no way, what it allows does", arguments: SandboxFixture.Engine.allCases)
        func attacks(engine: SandboxFixture.Engine) throws {
            let runtime = engine == .crun ? "runtime: {engine: gvisor, fallback: [crun]}\n" : ""
            let fixture = try SandboxFixture(engine: engine, policy: "version: 1\n\(runtime)\(Self.rules)")
            try fixture.start()
            var script = "cd /tmp; git init -q .\n"
            for attack in Self.attacks { script += "( \(attack) ) >/tmp/o 2>&1; echo $?; head -c 300 /tmp/o >&2\n" }
            let tried = try fixture.shell("bash", "-c", script)
            for (attack, status) in zip(Self.attacks, tried.text.split(separator: "\n")) {
                #expect(status == "126", "\(attack): \(tried.errorText)")
            }
            #expect(tried.text.split(separator: "\n").count == Self.attacks.count, "\(tried.errorText)")
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
            let log = try JSONParser.parse(
                try fixture.aibox.run("policy", "log", "--denied", "-o", "json").output, limits: .init(size: 16 << 20))
            let entry = try #require(log.elements?.first { $0["rule"]?.stringValue == "push" }, "\(log)")
            let explained = try fixture.aibox.run("policy", "explain", "--log-entry", entry["id"]?.stringValue ?? "")
            #expect(
                explained.text.contains("deny by push, org: the same"), "\(explained.text) \(explained.errorText)")
            #expect(explained.text.contains("push: who owns "), "\(explained.text)")
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
