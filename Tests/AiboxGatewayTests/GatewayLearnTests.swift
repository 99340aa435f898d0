import AiboxAudit
import AiboxContainer
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Dispatch
import Glibc
import Testing

// One after the other with the tests of the way out: they share the origin.
extension GatewayEgressTests {
    /// A sandbox that learns.
    @Suite("Gateway learning")
    struct LearnTests {
        /// The organisation lists allowed.test, other.test and slow.test, and refuses slow.test in Rego; the project lists
        /// allowed.test alone.
        private static let own = """
            package aibox.org

            deny contains {"rule": "no-slow", "reason": "not slow.test"} if input.request.host == "slow.test"
            """

        private func gateway(_ name: String, permitted: Bool = true, tools: ToolPlan? = nil) throws -> (
            LiveGateway, Origin
        ) {
            let origin = try Origin()
            let organisation = Origin.plan(hosts: ["allowed.test", "other.test", "slow.test"]).allow
            let gateway = try LiveGateway(name: name, plan: Origin.plan(hosts: ["allowed.test"])) {
                let decisions = try LiveGateway.decisions(own: Self.own)
                $0.decisions = decisions
                if permitted { $0.learn = LearnPlan(allow: organisation.map(\.json), policy: decisions.policy) }
            }
            try gateway.client.serving()
            return (gateway, origin)
        }

        private func ask(_ gateway: LiveGateway, _ origin: Origin, _ url: String) throws -> String {
            let arguments =
                ["-sS", "-m", "20", "--cacert", origin.authority, "-w", "\n%{http_connect} %{http_code}", "-x"]
                + ["http://10.200.1.1:3128", url]
            return String(
                try SystemCommandRunner().run(gateway.inBox("curl", arguments)).text.split(separator: "\n").last ?? "")
        }

        private func dig(_ gateway: LiveGateway, _ name: String) throws -> String {
            try SystemCommandRunner().run(gateway.inBox("dig", ["+short", "+tries=1", "@10.200.1.1", name])).text
        }

        @Test(
            "what the organisation alone permits passes for the time, and each of it is told; nothing above it ever does"
        )
        func passes() throws {
            let (gateway, origin) = try gateway("learns")
            let other = "http://other.test:\(Origin.http)/"
            #expect(try ask(gateway, origin, other) == "000 403")
            #expect(try dig(gateway, "other.test").isEmpty)
            #expect(try gateway.client.status().learning == nil)
            try gateway.client.change(LearnChange.start(seconds: 600))
            let left = try #require(try gateway.client.status().learning)
            #expect((590...600).contains(left))
            #expect(try ask(gateway, origin, other) == "000 200")
            #expect(try ask(gateway, origin, "https://other.test:\(Origin.https)/") == "200 200")
            #expect(try dig(gateway, "other.test") == "10.200.1.1")
            #expect(try ask(gateway, origin, GatewayEgressTests.http + "/") == "000 200")
            // Above the organisation: its Rego, its list, addresses, another port, names.
            #expect(try ask(gateway, origin, "http://slow.test:\(Origin.http)/") == "000 403")
            #expect(try ask(gateway, origin, "https://slow.test:\(Origin.https)/") == "403 000")
            #expect(try ask(gateway, origin, "http://denied.test:\(Origin.http)/") == "000 403")
            #expect(try ask(gateway, origin, "http://\(Origin.address):\(Origin.http)/") == "000 403")
            #expect(try ask(gateway, origin, "http://169.254.169.254/") == "000 403")
            #expect(try ask(gateway, origin, "http://other.test:9999/") == "000 403")
            #expect(try dig(gateway, "denied.test").isEmpty)
            #expect(origin.requests.count == 3)
            let told = try gateway.events("network.allow").filter { $0.json["details"]?["learning"]?.truth == true }
            #expect(told.map(\.subject) == ["other.test:\(Origin.http)", "other.test:\(Origin.https)"])
            for event in told {
                let details = event.json["details"]
                #expect(details?["would"]?.stringValue == "deny" && details?["rule"]?.stringValue == "origin")
                #expect(details?["would_code"]?.stringValue == "host_not_allowed" && event.json["problems"] == nil)
            }
            let refused = try gateway.events("network.deny").filter { $0.json["details"]?["learning"]?.truth == true }
            #expect(
                refused.map { $0.json["details"]?["org_rule"]?.stringValue }
                    == ["no-slow", "no-slow", "default-deny", "origin"])
            try gateway.client.change(LearnChange.stop)
            #expect(try gateway.client.status().learning == nil)
            #expect(try ask(gateway, origin, other) == "000 403")
            #expect(try eventuallyEmpty(gateway, "other.test"))
            #expect(origin.requests.count == 3)
            let begun = try #require(try gateway.events("learn.start").first)
            #expect(begun.json["details"]?["person"]?.stringValue == UserIdentity.current.name)
            #expect(begun.json["details"]?["seconds"] == 600 && begun.json["problems"] == nil)
            #expect(
                try gateway.events("learn.stop").map { $0.json["details"]?["reason"]?.stringValue } == ["asked for"])
            // Nothing to stop is no error, and no event.
            try gateway.client.change(LearnChange.stop)
            #expect(try gateway.events("learn.stop").count == 1)
        }

        private func eventuallyEmpty(_ gateway: LiveGateway, _ name: String) throws -> Bool {
            eventually { (try? dig(gateway, name).isEmpty) == true }
        }

        @Test("it ends with its time: what passed by it alone is closed, what was allowed anyway goes on")
        func ends() throws {
            let (gateway, origin) = try gateway("lapses")
            try gateway.client.change(LearnChange.start(seconds: 3))
            let slow = try ChildProcess.start(
                gateway.inBox(
                    "curl",
                    ["-sS", "-m", "60", "-x", "http://10.200.1.1:3128", "http://other.test:\(Origin.http)/slow/60"]),
                descriptors: [-1, -1, -1])
            #expect(eventually { origin.requests.contains { $0.contains("/slow/60") } })
            #expect(eventually { (try? slow.poll()) != nil }, "what was open is closed")
            #expect(eventually { (try? gateway.client.status().learning) == .some(nil) })
            #expect(try ask(gateway, origin, "http://other.test:\(Origin.http)/") == "000 403")
            #expect(try ask(gateway, origin, GatewayEgressTests.http + "/") == "000 200")
            #expect(
                eventually {
                    (try? gateway.events("learn.stop").map { $0.json["details"]?["reason"]?.stringValue })
                        == ["its time is over"]
                })
        }

        @Test("a tunnel in which requests are judged ends with learning, though its host was allowed all along")
        func opened() throws {
            let origin = try Origin()
            chmod(origin.folder.path, 0o755)
            func plan(_ paths: [String]) -> EgressPlan {
                var plan = Origin.plan([
                    AllowRuleSource(
                        id: "api", hosts: ["api.allowed.test"], ports: [Int(Origin.https)], schemes: ["https"],
                        paths: paths)
                ])
                plan.originAuthorities = [origin.authority]
                return plan
            }
            let gateway = try LiveGateway(name: "opened", plan: plan(["/headers"])) {
                guard let decisions = try? LiveGateway.decisions() else { return }
                $0.decisions = decisions
                $0.learn = LearnPlan(allow: plan(["/headers", "/v1/**"]).allow.map(\.json), policy: decisions.policy)
            }
            try gateway.client.serving()
            let trusted = try origin.folder.write("gateway.crt", try #require(gateway.ready.authority))
            for end in ["stop", "time"] {
                try gateway.client.change(LearnChange.start(seconds: end == "stop" ? 600 : 4))
                let before = origin.requests.count { $0.contains("/v1/") }
                let url = "https://api.allowed.test:\(Origin.https)/v1/x?n=[1-300]"
                let asking = try ChildProcess.start(
                    gateway.inBox(
                        "curl",
                        ["-s", "--rate", "600/m", "-m", "60", "--cacert", trusted, "-x", "http://10.200.1.1:3128", url]),
                    descriptors: [-1, -1, -1])
                defer {
                    asking.send(SIGKILL)
                    _ = try? asking.wait()
                }
                #expect(
                    eventually { origin.requests.count { $0.contains("/v1/") } > before + 2 }, "\(end): the control")
                if end == "stop" { try gateway.client.change(LearnChange.stop) }
                #expect(eventually { (try? gateway.client.status().learning) == .some(nil) })
                usleep(500_000)
                let reached = origin.requests.count { $0.contains("/v1/") }
                usleep(2_000_000)
                #expect(origin.requests.count { $0.contains("/v1/") } == reached, "\(end)")
            }
        }

        @Test("an end that is asked for while the beginning is not done counts")
        func inOrder() throws {
            let (gateway, _) = try gateway("ordered")
            for delay in [0, 20_000, 100_000, 200_000] as [UInt32] {
                let client = gateway.client
                let done = DispatchSemaphore(value: 0)
                DispatchQueue.global().async {
                    try? client.change(LearnChange.start(seconds: 600))
                    done.signal()
                }
                usleep(delay)
                try gateway.client.change(LearnChange.stop)
                done.wait()
                // Before the beginning nothing was to be ended; a second end ends it then.
                if try gateway.client.status().learning != nil {
                    #expect(delay == 0, "after \(delay) us")
                    try gateway.client.change(LearnChange.stop)
                }
                #expect(try gateway.client.status().learning == nil)
            }
        }

        @Test("a host that a person took away stays away, and what is changed while it learns holds at once")
        func denials() throws {
            let (gateway, origin) = try gateway("taken")
            try gateway.client.change(NetworkChange(.deny, host: "other.test", seconds: nil))
            try gateway.client.change(LearnChange.start(seconds: 60))
            #expect(try ask(gateway, origin, "http://other.test:\(Origin.http)/") == "000 403")
            try gateway.client.change(NetworkChange(.deny, host: "allowed.test", seconds: nil))
            #expect(try ask(gateway, origin, GatewayEgressTests.http + "/") == "000 403")
            #expect(origin.requests.isEmpty)
        }

        @Test("without the policy's permission it does not begin, nor where the log cannot be written")
        func forbidden() throws {
            let (gateway, origin) = try gateway("forbidden", permitted: false)
            #expect(throws: AiboxError.self) { try gateway.client.change(LearnChange.start(seconds: 60)) }
            #expect(try ask(gateway, origin, "http://other.test:\(Origin.http)/") == "000 403")
            #expect(try gateway.events("learn.start").isEmpty)
        }

        @Test("where the log cannot be written it does not begin; and it ends all the same")
        func unwritten() throws {
            let (gateway, origin) = try gateway("unwritten")
            let other = "http://other.test:\(Origin.http)/"
            try gateway.client.change(LearnChange.start(seconds: 600))
            #expect(try ask(gateway, origin, other) == "000 200")
            _ = try gateway.run(Command("prlimit", ["--pid", "\(gateway.ready.pid)", "--fsize=1"]))
            #expect(throws: AiboxError.self) { try gateway.client.change(LearnChange.stop) }
            #expect(try gateway.client.status().learning == nil)
            #expect(throws: AiboxError.self) { try gateway.client.change(LearnChange.start(seconds: 600)) }
            #expect(try gateway.client.status().learning == nil)
            #expect(try ask(gateway, origin, other) != "000 200")
            #expect(origin.requests.count == 1)
        }

        @Test("aibox learn show prints from the log what the project lacks, as a policy that is valid")
        func shown() throws {
            let (gateway, origin) = try gateway("shown")
            try gateway.client.change(LearnChange.start(seconds: 60))
            for path in ["/a", "/b"] { _ = try ask(gateway, origin, "http://other.test:\(Origin.http)\(path)") }
            _ = try ask(gateway, origin, "http://denied.test/")
            _ = try dig(gateway, "secret.denied.test")
            #expect(
                eventually {
                    (try? gateway.events("dns.response").contains { $0.subject == "secret.denied.test" }) == true
                })
            let folder = gateway.folder
            let org = try folder.write(
                "org.yaml",
                """
                version: 1
                learn: {mode: permitted}
                network:
                  allow:
                    - {id: origin, hosts: [allowed.test, other.test], ports: [80, 443, \(Origin.http)], schemes: [http, https]}

                """)
            let project = try folder.write(
                "project.yaml", "version: 1\nnetwork:\n  allow:\n    - {id: mine, hosts: [allowed.test]}\n")
            let show = { (more: [String]) in
                try SystemCommandRunner().run(
                    Command(
                        Path.parent(Path.real("/proc/self/exe") ?? "") + "/aibox",
                        [
                            "learn", "show", "--name", "shown", "--log", gateway.runFolder + ".audit", "--org", org,
                            "--project", project,
                        ] + more,
                        environment: [
                            "HOME": folder.path, "XDG_CONFIG_HOME": folder.path, "XDG_STATE_HOME": folder.path,
                            "XDG_RUNTIME_DIR": nil,
                        ]))
            }
            let text = try show([])
            #expect(text.succeeded, "\(text.errorText)")
            #expect(
                text.text == """
                    # \(project) (project): these entries for its network.allow
                    version: 1
                    network:
                      allow:
                        # seen 2 times
                        - id: learned-other.test
                          hosts: ["other.test"]
                          ports: [\(Origin.http)]
                          schemes: ["http"]
                    # the organisation refuses, and no team or project can permit:
                    #   GET http://denied.test:80/, seen once: who owns \(org):4 (org) may add it
                    #   the name secret.denied.test, seen once: who owns \(org):4 (org) may add it
                    """)
            let json = try JSONParser.parse(Array(try show(["-o", "json"]).text.utf8))
            #expect(json["additions"]?.elements?.first?["entries"]?.elements?.first?["seen"] == 2)
            #expect(json["beyond"]?.elements?.count == 2 && json["sandbox"] == "shown")
            // With it, nothing is missing.
            let lines = text.text.split(separator: "\n").dropFirst(4).prefix { !$0.hasPrefix("#") }
            try folder.write("project.yaml", try File.text(project) + lines.joined(separator: "\n") + "\n")
            let again = try JSONParser.parse(Array(try show(["-o", "json"]).text.utf8))
            #expect(again["additions"]?.elements?.isEmpty == true && again["passing"] == 2)
        }

        @Test(
            "rules of the project's about tools let run what the organisation lets run; its own reviews and denials stay"
        )
        func tools() throws {
            let (held, organisation) = try Self.policies()
            let decisions = try LiveGateway.decisions()
            let program = { (name: String, original: String?) in
                ToolPlan.Program(
                    paths: ["/usr/bin/" + name], names: ["/usr/bin/" + name], isMultiCall: false, original: original)
            }
            let gateway = try LiveGateway(name: "tools") {
                $0.tools = ToolPlan(
                    policy: held, modules: decisions.modules,
                    programs: [
                        program("git", "/run/git"), program("make", "/run/make"), program("nc", "/run/nc"),
                        program("gone", nil),
                    ], rules: [], patience: 1)
                $0.learn = LearnPlan(allow: [], policy: organisation)
            }
            let asked = { (words: String) in
                try gateway.run(gateway.inBox("python3", ["-c", Self.client, words])).split(separator: "\n").map(
                    String.init)
            }
            let calls = "git fetch;git log;git push;make;nc;gone"
            #expect(try asked(calls) == ["403", "200", "403", "403", "403", "403"])
            try gateway.client.change(LearnChange.start(seconds: 60))
            // 202 waits for a person: the organisation's own review, which learning does not take away.
            #expect(try asked(calls) == ["200", "200", "202", "200", "403", "403"])
            let told = try gateway.events().filter { $0.json["details"]?["would"]?.stringValue != nil }
            #expect(
                told.filter { $0.type == "policy.allow" }.map(\.subject) == ["/usr/bin/git fetch", "/usr/bin/make"])
            #expect(
                told.filter { $0.type == "policy.deny" }.map { $0.json["details"]?["org_rule"]?.stringValue }
                    == [nil, "no-nc", nil])
            #expect(told.allSatisfy { $0.json["problems"] == nil && $0.json["details"]?["would_layer"] != nil })
            // No door of the sandbox's begins it, prolongs it or ends it.
            let paths = "-/v1/learn;-/v1/learn/start;-/v1/control"
            #expect(try asked(paths) == ["404", "404", "404"])
            try gateway.client.change(LearnChange.stop)
            #expect(try asked(calls) == ["403", "200", "403", "403", "403", "403"])
        }

        @Test("a call that waited for a person when learning ended does not run")
        func waited() throws {
            let (held, organisation) = try Self.policies()
            let decisions = try LiveGateway.decisions()
            let gateway = try LiveGateway(name: "waited") {
                $0.tools = ToolPlan(
                    policy: held, modules: decisions.modules,
                    programs: [
                        ToolPlan.Program(
                            paths: ["/usr/bin/git"], names: ["/usr/bin/git"], isMultiCall: false, original: "/run/git")
                    ], rules: [], patience: 30)
                $0.learn = LearnPlan(allow: [], policy: organisation)
            }
            for stops in [false, true] {
                try gateway.client.change(LearnChange.start(seconds: 60))
                let output = try Pipe()
                let script = Self.client.replacing("data.split()[1].decode()", with: "data.decode()")
                let asking = try ChildProcess.start(
                    gateway.inBox("python3", ["-c", script, "git push"]),
                    descriptors: [-1, output.write.number, STDERR_FILENO])
                output.write.close()
                #expect(eventually { (try? gateway.client.approvals().count) == 1 })
                let question = try #require(try gateway.client.approvals().first)
                if stops { try gateway.client.change(LearnChange.stop) }
                try gateway.client.answer(
                    ApprovalAnswer(id: question.id, isApproved: true, scope: .once, reason: ""))
                let answer = String(decoding: try File.readAll(output.read.number, limit: 65_536), as: UTF8.self)
                _ = try asking.wait()
                #expect(answer.hasPrefix("HTTP/1.1 202"), "\(answer)")
                #expect(answer.contains("run /run/git") == !stops && answer.contains("refuse\n") == stops, "\(answer)")
            }
            let last = try #require(try gateway.events("policy.deny").last)
            #expect(last.json["details"]?["rule"]?.stringValue == "no-push")
        }

        /// The documents as the policies in Rego read them: with the project's rules, and the organisation's for learning.
        private static func policies() throws -> (held: JSONValue, organisation: JSONValue) {
            let organisation = """
                version: 1
                learn: {mode: permitted}
                tools:
                  rules:
                    - {id: git, match: [git], allow: true, risk: safe}
                    - {id: push, match: [git, push], allow: true, risk: review-required}
                    - {id: no-nc, match: [nc], allow: false}

                """
            let project = """
                version: 1
                tools:
                  rules:
                    - {id: no-fetch, match: [git, fetch], allow: false}
                    - {id: no-push, match: [git, push], allow: false}
                    - {id: no-make, match: [make], allow: false}
                    - {id: gone, match: [gone], allow: false}

                """
            let set = PolicySet([
                .init(layer: .org, file: "org", bytes: Array(organisation.utf8)),
                .init(layer: .project, file: "project", bytes: Array(project.utf8)),
            ])
            let policy = try set.effective()
            let plan = try #require(try LearnPlan(set, policy, network: nil))
            return (policy.decisionDocument, plan.policy)
        }

        /// Prints the status of each question's first answer.
        private static let client = """
            import socket, sys
            for call in sys.argv[1].split(";"):
                words = call.split()
                path = call[1:] if call[0] == "-" else "/v1/tool"
                body = b"".join(word.encode() + b"\\0" for word in ("/usr/bin/" + words[0], "/", *words))
                s = socket.socket(); s.settimeout(20); s.connect(("10.200.1.1", 8444))
                s.sendall(b"POST %s HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: %d\\r\\n\\r\\n" % (path.encode(), len(body)) + body)
                data = b""
                while True:
                    more = s.recv(65536)
                    if not more: break
                    data += more
                print(data.split()[1].decode())
            """
    }
}
