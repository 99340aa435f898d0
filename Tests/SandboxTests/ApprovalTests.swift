import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// Calls that wait for a person, in a real sandbox.
    @Suite("Reviews of tools")
    struct ApprovalTests {
        static func policy(_ engine: SandboxFixture.Engine) -> String {
            let runtime = engine == .crun ? "runtime: {engine: gvisor, fallback: [crun]}\n" : ""
            return """
                version: 1
                \(runtime)tools:
                  review_timeout: 40s
                  rules:
                    - {id: git, match: [git], allow: true, risk: safe}
                    - {id: push, match: [git, push], allow: true, risk: review-required}
                    - {id: tag, match: [git, tag], allow: true, risk: review-required}
                    - {id: later, match: [unxz], allow: true, risk: review-required, async: true}

                """
        }

        /// A call that is begun inside; ends with its status in `/workspace/NAME.out`.
        static func call(_ fixture: SandboxFixture, _ name: String, _ command: String, in folder: String) throws {
            let script = """
                cd \(folder); setsid bash -c '\(command) >/workspace/\(name).out 2>&1; echo "ended $?" >>/workspace/\(name).out' \
                </dev/null >/dev/null 2>&1 &
                """
            #expect(try fixture.shell("bash", "-c", script).succeeded)
        }

        private static func push(_ fixture: SandboxFixture, _ name: String, _ words: String = "origin main") throws {
            try call(fixture, name, "git push \(words)", in: "/tmp/r")
        }

        /// aibox itself, with all it needs, inside: it runs, and has nobody to answer.
        private static func broughtInside(_ fixture: SandboxFixture, _ id: String) throws {
            let place = fixture.workspace + "/brought"
            try Folder.make(place)
            let libraries = try SystemCommandRunner().run(Command("ldd", [fixture.aibox.path])).text
                .split(whereSeparator: { $0.isWhitespace }).filter { $0.hasPrefix("/") }.map(String.init)
            try SystemCommandRunner().require(
                Command("cp", ["-L", fixture.aibox.path] + libraries + [place]), "cannot copy aibox")
            let run = """
                cd /workspace/brought; export LC_ALL=C
                run() { ./ld-linux-x86-64.so.2 --library-path . ./aibox "$@"; }
                run --version >/dev/null && echo runs
                for words in "approvals list -o json" "approvals approve \(id)" "approvals approve \(id) --name \(fixture.name)"; do
                  run $words; echo $?
                done
                """
            let said = try fixture.shell("bash", "-c", run)
            #expect(said.text == "runs\n[]\n0\n1\n1", "\(said.text) \(said.errorText)")
        }

        static func said(_ fixture: SandboxFixture, _ name: String) -> String {
            (try? File.text(fixture.workspace + "/\(name).out")) ?? ""
        }

        static func ended(_ fixture: SandboxFixture, _ name: String, _ tenths: Int = 150) -> String {
            for _ in 0..<tenths where !said(fixture, name).contains("ended ") { usleep(100_000) }
            return said(fixture, name)
        }

        static func open(_ fixture: SandboxFixture) throws -> [JSONValue] {
            try JSONParser.parse(
                try fixture.aibox.run("approvals", "list", "--name", fixture.name, "-o", "json").output
            ).elements ?? []
        }

        /// The question that waits once the call is there.
        static func question(_ fixture: SandboxFixture) throws -> JSONValue {
            for _ in 0..<150 {
                if let first = try open(fixture).first { return first }
                usleep(100_000)
            }
            Issue.record("nothing waits")
            return .null
        }

        private static func started(_ engine: SandboxFixture.Engine) throws -> SandboxFixture {
            let fixture = try SandboxFixture(engine: engine, policy: policy(engine))
            try fixture.start()
            let made = try fixture.shell(
                "bash", "-c",
                """
                set -e; git init -q --bare -b main /tmp/far; git init -q -b main /tmp/r; cd /tmp/r
                git config user.name a; git config user.email a@b.example; git remote add origin /tmp/far
                git commit -q --allow-empty -m one
                """)
            #expect(made.succeeded, "\(made.errorText)")
            return fixture
        }

        @Test(
            "a push waits, goes on when it is approved, and is refused when it is denied or nobody answers",
            arguments: SandboxFixture.Engine.allCases)
        func push(engine: SandboxFixture.Engine) throws {
            let fixture = try Self.started(engine)
            func far() throws -> String { try fixture.shell("git", "-C", "/tmp/far", "for-each-ref").text }

            // It waits, and says what for and who can answer.
            try Self.push(fixture, "one")
            let first = try Self.question(fixture)
            let id = try #require(first["id"]?.stringValue)
            #expect(first["command"]?.stringValue == "git push origin main" && first["directory"] == "/tmp/r")
            #expect(
                Self.said(fixture, "one").contains("aibox: git waits for a review (rule push, org policy): whoever"))
            #expect(Self.said(fixture, "one").contains("aibox approvals approve \(id)"))
            #expect(try far().isEmpty)
            let status = try fixture.aibox.run("status", "--name", fixture.name)
            #expect(status.text.contains("1 wait for your answer"), "\(status.text)")
            // Another id, an answer that is none.
            #expect(try fixture.aibox.run("approvals", "approve", "zzzz").termination == .exited(1))
            #expect(try fixture.aibox.run("approvals", "approve", id, "--for", "8d").termination == .exited(64))
            #expect(try far().isEmpty)

            // Nothing inside answers it: no socket, no path of the gateway's, no word from the sandbox.
            let inside = try fixture.shell(
                "bash", "-c",
                """
                find / -xdev -name 'control*.sock' -o -xdev -name '*.sock' 2>/dev/null | grep -i aibox
                for path in approvals approvals/\(id) approve tool; do
                  for body in '{"request":"answerApproval","answer":{"id":"\(id)","approved":true,"session":false,"reason":""}}' 'approve \(id)'; do
                    curl -s -m 5 -o /dev/null -w '%{http_code} ' --noproxy '*' --data "$body" http://10.200.1.1:8444/v1/$path
                  done
                done
                """)
            #expect(inside.text == "404 404 404 404 404 404 400 400 ", "\(inside.text) \(inside.errorText)")
            #expect(try Self.open(fixture).count == 1 && !Self.said(fixture, "one").contains("ended"))
            // Each try is in the log, and is what a rule for monitors looks for.
            let tries = try fixture.aibox.run("audit", "search", "--type", "gateway.deny", "-o", "jsonl").text
            #expect(tries.split(separator: "\n").count == 8, "\(tries)")
            #expect(tries.contains("POST /v1/approvals/\(id)\"") && !tries.contains("\"problems\""), "\(tries)")
            try Self.broughtInside(fixture, id)
            #expect(try Self.open(fixture).count == 1 && !Self.said(fixture, "one").contains("ended"))

            // The same answer, given on the host, is taken.
            let approved = try fixture.aibox.run(
                "approvals", "approve", String(id.prefix(6)), "--reason", "looked at it")
            #expect(approved.text.contains("Approved once: git push origin main"), "\(approved.errorText)")
            #expect(Self.ended(fixture, "one").hasSuffix("ended 0\n"), "\(Self.said(fixture, "one"))")
            #expect(try far().contains("refs/heads/main"))
            #expect(try fixture.aibox.run("approvals", "approve", id).termination == .exited(1))

            // Once is once, and a denial says why.
            try Self.push(fixture, "two")
            let second = try #require(try Self.question(fixture)["id"]?.stringValue)
            #expect(second != id)
            #expect(try fixture.aibox.run("approvals", "deny", second, "--reason", "not on Friday").succeeded)
            let denied = Self.ended(fixture, "two")
            #expect(denied.contains("says no: not on Friday") && denied.hasSuffix("ended 126\n"), "\(denied)")

            // For the session it holds for this call, and for no other.
            try Self.push(fixture, "three")
            let third = try #require(try Self.question(fixture)["id"]?.stringValue)
            #expect(try fixture.aibox.run("approvals", "approve", third, "--session").succeeded)
            #expect(Self.ended(fixture, "three").hasSuffix("ended 0\n"))
            try Self.push(fixture, "again")
            #expect(Self.ended(fixture, "again").hasSuffix("ended 0\n"), "\(Self.said(fixture, "again"))")
            try Self.push(fixture, "other", "--force origin main")
            let forced = try Self.question(fixture)
            #expect(forced["command"]?.stringValue == "git push --force origin main")
            let lapsed = Self.ended(fixture, "other", 450)
            #expect(lapsed.contains("nobody has answered in time") && lapsed.hasSuffix("ended 126\n"), "\(lapsed)")
            #expect(try Self.open(fixture).isEmpty)
            let late = try fixture.aibox.run("approvals", "approve", forced["id"]?.stringValue ?? "")
            #expect(late.termination == .exited(1), "\(late.text)")
            #expect(late.errorText.contains("it is not open: nobody answered in time"), "\(late.errorText)")

            // Who is gone is not waited for.
            let given = try fixture.shell("bash", "-c", "cd /tmp/r; timeout 3 git push origin main x; true")
            #expect(given.errorText.contains("waits for a review"))
            for _ in 0..<50 where try !Self.open(fixture).isEmpty { usleep(100_000) }
            #expect(try Self.open(fixture).isEmpty)

            // What is looked at afterwards does not wait.
            #expect(try fixture.shell("unxz", "--version").succeeded)
            let log = try fixture.aibox.run("audit", "search", "--sandbox", fixture.name, "-o", "jsonl").text
            for words in [
                "\"approval.request\"", "\"approval.decide\"", "\"review\":\"afterwards\"", "looked at it", id,
            ] {
                #expect(log.contains(words), "\(words)")
            }
            #expect(!log.contains("\"problems\""))
        }
    }
}
