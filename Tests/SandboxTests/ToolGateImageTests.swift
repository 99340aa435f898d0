import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

extension Sandboxes {
    /// Where the gate stands for rules of all kinds, and in images that are not aibox's own.
    @Suite("The gate for tools in images")
    struct ToolGateImageTests {
        private static func log(_ fixture: SandboxFixture, _ option: String...) throws -> [String] {
            let log = try JSONParser.parse(
                try SystemCommandRunner().run(fixture.aibox.command(["policy", "log", "-o", "json"] + option)).output,
                limits: .init(size: 16 << 20))
            return (log.elements ?? []).compactMap { entry in
                entry["rule"]?.stringValue.map { "\($0): \(entry["subject"]?.stringValue ?? "")" }
            }
        }

        @Test("of a program that a rule only lets do something runs nothing else, and each call is in the log")
        func narrow() throws {
            let rules = """
                tools:
                  rules:
                    - {id: status, match: [git, status], allow: true, risk: safe}
                    - {id: python, match: [python3], allow: true, risk: safe}
                    - {id: shell, match: [bash], allow: true, risk: safe}
                    - {id: script, match: [ldd, --version], allow: true, risk: safe}

                """
            let fixture = try SandboxFixture(policy: "version: 1\n\(rules)")
            let noted = try fixture.aibox.run("policy", "validate")
            #expect(noted.text.contains("nobody is asked about bash: every session begins with it"), "\(noted.text)")
            try fixture.start()
            let status = try fixture.shell("bash", "-c", "cd /tmp; git status")
            #expect(status.errorText.contains("not a git repository"), "\(status.errorText)")
            for words in [["git", "init", "/tmp/r"], ["/usr/bin/git", "-C", "/tmp", "init"]] {
                let refused = try fixture.shell("bash", "-c", words.joined(separator: " "))
                #expect(refused.termination == .exited(126), "\(words)")
                #expect(refused.errorText.contains("no rule lets this tool run"), "\(refused.errorText)")
            }
            #expect(try fixture.shell("python3", "-c", "print(1 + 1)").text == "2")
            // A script, whose original lies beside it.
            #expect(try fixture.shell("ldd", "--version").text.hasPrefix("ldd "))
            #expect(try fixture.shell("ldd", "/usr/bin/git").termination == .exited(126))
            let log = try Self.log(fixture)
            #expect(log.contains("status: /usr/bin/git status"), "\(log)")
            #expect(log.contains("tools.default: /usr/bin/git init /tmp/r"), "\(log)")
            #expect(log.contains { $0.hasPrefix("python: /usr/bin/python3") }, "\(log)")
            #expect(!log.contains { $0.contains("bash") }, "\(log)")
            // What is asked without a sandbox is the same.
            for (words, answer) in [("git status", "allow: "), ("git init", "deny: "), ("bash -c x", "allow: ")] {
                let asked = ["policy", "why", "tool", "--"] + words.split(separator: " ").map(String.init)
                let why = try SystemCommandRunner().run(fixture.aibox.command(asked))
                #expect(why.text.hasPrefix(answer), "\(words): \(why.text)")
            }
        }

        @Test("it stands in the place of 80 files, and of more than 128 it does not")
        func many() throws {
            let plain = try SandboxFixture()
            try plain.start()
            let found = try plain.shell("find", "/usr/bin", "-type", "f", "-perm", "/111", "-printf", "%f\n")
            let names = found.text.split(separator: "\n").map(String.init).filter { name in
                !["bash", "dash", "git", "["].contains(name)
                    && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" }
            }.sorted()
            func policy(_ count: Int) throws -> String {
                try #require(names.count >= count)
                let rules = (names.prefix(count) + ["git"]).map { name in
                    "    - {match: [\"\(name)\"], allow: true, risk: safe}\n"
                }
                return "version: 1\ntools:\n  rules:\n" + rules.joined()
            }
            let fixture = try SandboxFixture(policy: try policy(80))
            try fixture.start()
            #expect(try fixture.shell("git", "--version").text.hasPrefix("git version"))
            #expect(try Self.log(fixture).contains("git: /usr/bin/git --version"))
            let crowd = try SandboxFixture(policy: try policy(140))
            let refused = try crowd.aibox.run("start", "-w", crowd.workspace, "--name", crowd.name)
            #expect(refused.termination == .exited(3), "\(refused.errorText)")
            #expect(refused.errorText.contains("there are 128 at most"), "\(refused.errorText)")
            #expect(try crowd.remains() == [])
        }

        /// aibox's own image with Debian's busybox in it; `more` changes the folder of its programs.
        private static func image(_ base: SandboxFixture, _ more: String) throws -> String {
            let material = try #require(Environment.value("AIBOX_TEST_MATERIAL"), "scripts/sandbox-tests sets it")
            return try PlainPodman(base).image(adding: material + "/busybox", to: "/usr/bin/busybox", then: more)
        }

        private static let rules = "tools: {rules: [{id: no-wget, match: [wget], allow: false}]}\n"

        /// Each would fetch a page by busybox.
        private static let attacks = [
            "wget URL", "/usr/bin/wget URL", "busybox wget URL", "/usr/bin/busybox wget URL",
            "busybox /x/wget URL", "busybox busybox wget URL", "(exec -a wget busybox URL)",
            "(exec -a -wget busybox URL)", "env busybox wget URL", "sh -c 'busybox wget URL'",
            "ln -sf /usr/bin/busybox /tmp/wget && /tmp/wget URL",
            "ln -sf /usr/bin/busybox /tmp/busybox9 && /tmp/busybox9 wget URL",
            "python3 -c 'import os; os.execv(\"/usr/bin/busybox\", \"wget URL\".split())'",
            "busybox sh -c 'wget URL'", "busybox env wget URL", "echo URL | busybox xargs wget",
            "busybox timeout 9 wget URL", "busybox find /etc/hostname -exec wget URL ';'",
            "(exec -a -busybox busybox wget URL)", "(exec -a busyboxx busybox wget URL)",
            "(exec -a -/x/busybox9 busybox busyboxx wget URL)", "busybox -x/wget URL",
            "mkdir -p /tmp/links; busybox --install -s /tmp/links; /tmp/links/wget URL",
        ]

        @Test("a program of busybox that a rule denies runs in no way, the others do")
        func busybox() throws {
            let base = try SandboxFixture()
            try base.start()
            let image = try Self.image(base, "true")
            defer { PlainPodman.remove(image) }
            let url = "-q -O /tmp/page http://127.0.0.1:8099/etc/hostname"
            let attacks = Self.attacks.map { $0.replacing("URL", with: url) }
            // Without aibox each of them runs wget.
            let control = try PlainPodman(base).bash(
                image,
                """
                cd /; python3 -m http.server 8099 --bind 127.0.0.1 >/dev/null 2>&1 & sleep 2
                for a in "$@"; do rm -f /tmp/page; ( eval "$a" ) >/dev/null 2>&1; test -s /tmp/page && echo "$a"; done
                """, arguments: attacks, network: "none")
            #expect(control.text.split(separator: "\n").map(String.init) == attacks, "\(control.errorText)")

            let fixture = try SandboxFixture(policy: "version: 1\n" + Self.rules, settings: ["AIBOX_IMAGE": image])
            try fixture.start()
            for attack in attacks {
                let tried = try fixture.shell("bash", "-c", "rm -f /tmp/page; \(attack); ls /tmp/page")
                #expect(tried.errorText.contains("is refused: "), "\(attack): \(tried.text) \(tried.errorText)")
                #expect(tried.text.isEmpty, "\(attack)")
            }
            #expect(try fixture.shell("busybox", "echo", "hello").text == "hello")
            #expect(try fixture.shell("bash", "-c", "exec -a cat busybox /etc/hostname").succeeded)
            let log = try Self.log(fixture)
            #expect(log.contains { $0.hasPrefix("no-wget: /usr/bin/busybox") }, "\(log)")
            #expect(log.contains { $0.hasPrefix("tools.applets: busybox env wget") }, "\(log)")
            #expect(log.contains("tools.unnamed: busybox echo hello"), "\(log)")
            for (words, answer) in [("busybox wget x", "deny: "), ("busybox env wget x", "deny: env of busybox")] {
                let asked = ["policy", "why", "tool", "--"] + words.split(separator: " ").map(String.init)
                let why = try SystemCommandRunner().run(fixture.aibox.command(asked))
                #expect(why.text.hasPrefix(answer), "\(words): \(why.text)")
            }
        }

        @Test("a rule about busybox itself lets none of its programs run one that is denied")
        func itself() throws {
            let base = try SandboxFixture()
            try base.start()
            let image = try Self.image(base, "mv /usr/bin/busybox /usr/bin/busybox.static")
            defer { PlainPodman.remove(image) }
            let fixture = try SandboxFixture(
                policy: """
                    version: 1
                    tools:
                      rules:
                        - {id: all, match: [busybox.static], allow: true, risk: safe}
                        - {id: no-wget, match: [wget], allow: false}
                        - {id: echo, match: [echo], allow: true, risk: safe}
                        - {id: no-n, match: [echo, -n], allow: false}

                    """, settings: ["AIBOX_IMAGE": image])
            try fixture.start()
            for attack in [
                "busybox.static wget x", "busybox.static env wget x", "busybox.static sh -c 'wget x'",
                "(exec -a busyboxx busybox.static wget x)", "busybox.static busyboxx wget x",
                "busybox.static busybox echo -n", "(exec -a echo busybox.static -n)",
            ] {
                let tried = try fixture.shell("bash", "-c", attack)
                #expect(tried.termination == .exited(126), "\(attack): \(tried.text)")
                #expect(tried.errorText.contains("is refused: "), "\(attack): \(tried.errorText)")
            }
            #expect(try fixture.shell("busybox.static", "echo", "hello").text == "hello")
            #expect(try fixture.shell("busybox.static", "busybox", "echo", "hello").text == "hello")
        }

        @Test("where busybox is the shell of the image, a rule about one of its programs starts nothing, and says why")
        func shell() throws {
            let base = try SandboxFixture()
            try base.start()
            let image = try Self.image(base, "ln -sf busybox /usr/bin/sh")
            defer { PlainPodman.remove(image) }
            let fixture = try SandboxFixture(policy: "version: 1\n" + Self.rules, settings: ["AIBOX_IMAGE": image])
            let result = try fixture.aibox.run("start", "-w", fixture.workspace, "--name", fixture.name)
            #expect(result.termination == .exited(3), "\(result.errorText)")
            #expect(result.errorText.contains("in the place of /usr/bin/sh"), "\(result.errorText)")
            #expect(
                result.errorText.contains(
                    "every session begins with it; the rule no-wget names wget, which is the same file,"),
                "\(result.errorText)")
            #expect(try fixture.remains() == [])
            // Rules that only let its programs run hold nothing, and the shell runs.
            let plain = try SandboxFixture(
                policy: "version: 1\ntools: {rules: [{match: [wget], allow: true, risk: safe}]}\n",
                settings: ["AIBOX_IMAGE": image])
            try plain.start()
            #expect(try plain.shell("sh", "-c", "echo hello").text == "hello")
        }
    }
}
