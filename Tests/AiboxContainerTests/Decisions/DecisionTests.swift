import AiboxAudit
import AiboxConfig
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxContainer

@Suite("Decisions in the log")
struct DecisionTests {
    private static let policy = """
        version: 1
        resources: {memory: 8g}
        network:
          user_hosts: none
          allow:
            - {id: git, hosts: [git.example.com]}
            - {id: api, hosts: [api.example.com], ports: [443, 80], schemes: [http], methods: [GET], paths: [/v1/**]}
        """

    /// A log with decisions under a kept policy.
    private struct Fixture {
        let start: StartFixture
        let digest: String

        init(_ policy: String = DecisionTests.policy) throws {
            start = try StartFixture(policy: policy + "\nruntime: {fallback: [crun]}\n")
            let workspace = try Workspace.check(
                start.folder.path + "/project", user: .current, state: [], mounts: .current)
            let ruling = try StartRuling(start.context, workspace: workspace, sandbox: "t")
            try start.context.keepDecider(ruling, start.context.profiles.rego)
            digest = ruling.digest
        }

        /// The decisions in the log once these events are in it too.
        func logged(_ events: [AuditEvent]) throws -> [LoggedDecision] {
            let folder = start.context.paths.auditFolder
            let log = try AuditLog.open(
                folder: folder, context: AuditContext(source: .gateway, sandbox: "t", user: "u", policy: digest))
            for event in events { #expect(event.problems.isEmpty) }
            if !events.isEmpty { try log.append(events) }
            try log.close()
            var query = AuditIndex.Query()
            query.types = LoggedDecision.types
            return try AuditIndex(folder: folder).search(query).compactMap(LoggedDecision.init)
        }

        /// What a gateway writes of a connection that the policies in Rego were asked about.
        func regoDetails(_ request: EgressRequest, own: String) throws -> JSONObject {
            let modules = PolicyModules(
                start.context.profiles.rego.sources
                    + [.init(name: "own.rego", text: Array(own.utf8), isOwn: true)])
            let workspace = try Workspace.check(
                start.folder.path + "/project", user: .current, state: [], mounts: .current)
            let ruling = try StartRuling(start.context, workspace: workspace, sandbox: "t")
            try start.context.keepDecider(ruling, modules)
            let decider = PolicyDecider(
                document: ruling.policy.decisionDocument, engine: try PolicyEngine(modules), user: "u", sandbox: "t")
            return [
                "question": decider.asked(.network(request)),
                "input": .string(decider.answer(.network(request)).input), "policies": .string(try modules.digest()),
            ]
        }

        func explain(_ event: AuditEvent) throws -> DecisionExplanation {
            try start.context.explain(try #require(try logged([event]).last))
        }
    }

    private static func denied(
        _ host: String, _ port: Int64 = 443, rule: String, code: String, _ more: JSONObject = [:]
    )
        -> AuditEvent
    {
        var details: JSONObject = [
            "host": .string(host), "port": .integer(port), "protocol": "connect", "rule": .string(rule), "layer": "org",
            "reason": "words", "code": .string(code),
        ]
        for member in more.members { details[member.name] = member.value }
        return AuditEvent(.networkDeny, subject: "\(host):\(port)", outcome: .denied, details: details)
    }

    @Test("a connection that the organisation's Rego refused is explained by its rule, its row and the condition")
    func explainedByRego() throws {
        let own = """
            package aibox.org

            deny contains {"rule": "no-git", "reason": "not now"} if {
            	input.request.host == "git.example.com"
            	input.request.port == 443
            }

            deny contains {"rule": "no-ssh", "reason": "not that"} if input.request.port == 22
            """
        let fixture = try Fixture()
        let request = try EgressRequest("git.example.com:443")
        let details = try fixture.regoDetails(request, own: own)
        let explanation = try fixture.explain(
            Self.denied("git.example.com", rule: "no-git", code: "policy_refused", details))
        #expect(explanation.agrees == true && explanation.again?.reason == "not now", "\(explanation)")
        let rules = explanation.findings.filter { $0.place.hasPrefix("own.rego") }
        #expect(rules.contains { $0.rule == "no-git" && $0.condition == nil && $0.place == "own.rego:3" }, "\(rules)")
        let other = try #require(rules.first { $0.rule == "no-ssh" })
        #expect(other.condition == "input.request.port == 22" && other.values.map(\.value) == ["443"], "\(other)")
        #expect(explanation.changes == ["no-git: who owns own.rego (org) may change it"])
    }

    @Test("a refused start is in the log with all that makes the decision again, and is explained")
    func refusedStart() throws {
        let fixture = try Fixture()
        _ = try fixture.start.refusal { ["run", "--privileged"] + $0.dropFirst() }
        let logged = try #require(try fixture.logged([]).first)
        #expect(logged.decision == "deny" && logged.action == "start" && logged.rule == "runtime.privileged")
        #expect(logged.policy == fixture.digest && logged.record.user == UserIdentity.current.name)
        #expect(logged.detail("origin").hasPrefix("aibox-policies/org/runtime.rego:"))
        #expect(logged.detail("input").utf8.count == 64 && logged.microseconds != nil)
        let explanation = try fixture.start.context.explain(logged)
        #expect(explanation.agrees == true, "\(explanation)")
        #expect(explanation.notes.isEmpty)
        let fired = explanation.findings.filter { $0.condition == nil }
        #expect(fired.map(\.rule) == ["runtime.privileged"])
        let readOnly = explanation.findings.first { $0.rule == "runtime.read_only" }
        #expect(readOnly?.condition == "not input.sandbox.runtime.read_only_root == true")
        #expect(explanation.changes == ["runtime.privileged: a rule of aibox's own, which no policy changes"])
    }

    @Test("a policy or a question that was changed afterwards is found, not explained away")
    func tampered() throws {
        let fixture = try Fixture()
        _ = try fixture.start.refusal { ["run", "--privileged"] + $0.dropFirst() }
        let logged = try #require(try fixture.logged([]).first)
        let folder = fixture.start.context.paths.policies
        for name in ["\(fixture.digest).json", "rego-\(logged.detail("policies")).json"] {
            let path = folder + "/" + name
            let kept = try File.text(path)
            let other = kept.replacing("8g", with: "9g").replacing("never privileged", with: "ever privileged")
            try File.replace(path, with: other)
            let error = #expect(throws: AiboxError.self) { try fixture.start.context.explain(logged) }
            #expect(error?.code == .integrity, "\(name)")
            try File.replace(path, with: kept)
        }
        #expect(try fixture.start.context.explain(logged).agrees == true)
        try File.remove(folder + "/\(fixture.digest).json")
        #expect(throws: AiboxError.self) { try fixture.start.context.explain(logged) }
    }

    @Test(
        "a refused connection is explained entry by entry, with the first condition that was not met",
        arguments: [
            (
                "a host on no list", denied("evil.example.com", rule: "default-deny", code: "host_not_allowed"),
                ["git: hosts has evil.example.com", "api: hosts has evil.example.com"]
            ),
            (
                "another port", denied("git.example.com", 22, rule: "git", code: "port_not_allowed"),
                ["git: ports has 22", "api: hosts has git.example.com"]
            ),
            (
                "another scheme", denied("api.example.com", rule: "api", code: "scheme_not_allowed"),
                ["git: hosts has api.example.com", "api: schemes has https"]
            ),
            (
                "another method",
                denied(
                    "api.example.com", 80, rule: "api", code: "method_not_allowed",
                    ["protocol": "http", "method": "POST", "path": "/v1/x"]),
                ["git: hosts has api.example.com", "api: methods has POST"]
            ),
            (
                "another path",
                denied(
                    "api.example.com", 80, rule: "api", code: "path_not_allowed",
                    ["protocol": "http", "method": "GET", "path": "/v2"]),
                ["git: hosts has api.example.com", "api: paths has /v2"]
            ),
        ])
    func connection(what: String, event: AuditEvent, expected: [String]) throws {
        let fixture = try Fixture()
        let explanation = try fixture.explain(event)
        #expect(explanation.findings.map { "\($0.rule): \($0.condition ?? "fired")" } == expected, "\(what)")
        #expect(explanation.agrees == true, "\(what): \(explanation)")
        let org = fixture.start.folder.path + "/org.yaml"
        #expect(explanation.findings.first?.place == org + ":6")
        #expect(explanation.changes == ["network.allow: who owns \(org) (org) may add to it"], "\(what)")
    }

    @Test("what the list did not decide is said to be aibox's own, a person's, or the targets'")
    func others() throws {
        let fixture = try Fixture()
        func changes(_ event: AuditEvent) throws -> String { try fixture.explain(event).changes.joined() }
        #expect(
            try changes(Self.denied("git.example.com", rule: "one-identity", code: "sni_mismatch"))
                == "the request itself: words")
        #expect(
            try changes(Self.denied("git.example.com", rule: "private-target", code: "private_target"))
                .hasPrefix("network.targets: who owns"))
        #expect(
            try changes(Self.denied("git.example.com", rule: "session-deny", code: "host_denied"))
                == "aibox network allow git.example.com: the person at this machine")
        let added = AuditEvent(
            .networkAllow, subject: "x.example.com:443",
            details: [
                "host": "x.example.com", "port": 443, "protocol": "tls", "rule": "session-allow", "layer": "session",
            ])
        #expect(
            try fixture.explain(added).notes == ["session-allow is what a person at this machine added, not the policy"]
        )
        // What had no request in it.
        let broken = AuditEvent(
            .networkDeny, subject: "", outcome: .denied,
            details: ["protocol": "http", "rule": "http-syntax", "layer": "org", "reason": "no request"])
        #expect(try fixture.explain(broken).changes == ["the request itself: no request"])
        // Squid's refusals name a URL.
        let squid = AuditEvent(
            .networkDeny, subject: "http://api.example.com/v2", outcome: .denied,
            details: ["method": "GET", "rule": "api", "layer": "org", "reason": "Squid refused"])
        #expect(try fixture.explain(squid).agrees == true)
    }

    @Test("an event without a policy is explained as such")
    func withoutPolicy() throws {
        let fixture = try Fixture()
        let event = AuditEvent(
            .policyDeny, subject: "t", outcome: .denied,
            details: ["action": "start", "rule": "policy", "reason": "broken"],
            context: AuditContext(source: .cli))
        let explanation = try fixture.explain(event)
        #expect(explanation.again == nil && explanation.agrees == nil)
        #expect(explanation.notes.first?.contains("refused before they were asked") == true)
    }

    @Test("a replay says what another policy would have answered")
    func replay() throws {
        let fixture = try Fixture()
        _ = try fixture.start.refusal { ["run", "--privileged"] + $0.dropFirst() }
        func allowed(_ host: String, _ rule: String, _ layer: String) -> AuditEvent {
            AuditEvent(
                .networkAllow, subject: "\(host):443",
                details: [
                    "host": .string(host), "port": 443, "protocol": "connect", "rule": .string(rule),
                    "layer": .string(layer),
                ])
        }
        let logged = try fixture.logged([
            allowed("git.example.com", "git", "org"), allowed("x.example.com", "allowed-domains", "user"),
            Self.denied("new.example.com", rule: "default-deny", code: "host_not_allowed"),
            Self.denied("new.example.com", rule: "session-deny", code: "host_denied", ["layer": "session"]),
            Self.denied("git.example.com", rule: "one-identity", code: "sni_mismatch"),
        ])
        func answers(_ text: String) throws -> [String] {
            var replay = DecisionReplay(
                fixture.start.context,
                candidates: [PolicySet.Source(layer: .org, file: "candidate", bytes: Array(text.utf8))])
            return try logged.map { logged in
                let answer = try replay.decide(logged)
                return answer.map { "\($0.outcome) \($0.rule)" } ?? "nothing"
            }
        }
        #expect(
            try answers(Self.policy + "\nruntime: {fallback: [crun]}\n") == [
                "deny runtime.privileged", "allow git", "deny default-deny", "deny default-deny", "deny session-deny",
                "deny one-identity",
            ])
        #expect(
            try answers(
                "version: 1\nnetwork: {user_hosts: any, allow: [{id: new, hosts: [new.example.com]}]}\n"
                    + "runtime: {fallback: [crun]}\n") == [
                    "deny runtime.privileged", "deny default-deny", "allow allowed-domains", "allow new",
                    "deny session-deny", "deny one-identity",
                ])
        // The answer names the first broken rule in the order of their names.
        #expect(try answers("version: 1\n")[0] == "deny runtime.engine")
    }

    private static let tools = """
        version: 1
        runtime: {fallback: [crun]}
        tools:
          rules:
            - {match: [git], allow: true, risk: safe}
            - {id: push, match: [git, push], allow: true, risk: review-required}
            - {id: fetch, match: [git, fetch], allow: true, risk: review-required, async: true}
            - {match: [curl], allow: false}
        mcp: {servers: [{id: lab, tools: {"*": safe, drop: blocked-by-default, ask: review-required}}]}
        llm: {models: [small-*]}
        credentials: {git_token_ttl: 1h}
        """

    private static func git(_ word: String) -> PolicyQuestion {
        .tool(["/usr/bin/git", word], called: [["/usr/bin/git"]], directory: "/w")
    }

    private static let questions: [PolicyQuestion] = [
        git("status"), git("push"), git("push"), git("fetch"),
        .tool(["/usr/bin/curl", "x"], called: [["/usr/bin/curl"]], directory: "/w"),
        .server(id: "lab", tool: "look"), .server(id: "lab", tool: "drop"), .server(id: "lab", tool: "ask"),
        .model("small-1"), .model("large"), .credential(type: "git_token", seconds: 60),
        .credential(type: "git_token", seconds: 7200),
    ]

    /// What gateway and start write of these questions: to the first review of a program a person agreed, to the second not.
    private static func events(_ fixture: Fixture) throws -> [AuditEvent] {
        let policy = try fixture.start.context.kept(fixture.digest)
        let modules = fixture.start.context.profiles.rego
        let decider = PolicyDecider(policy, engine: try PolicyEngine(modules), user: "u")
        var approvals = 0
        return try questions.map { question in
            let answer = decider.answer(question)
            let decision = answer.decision
            var isAllowed = decision.outcome == .allow
            var details: JSONObject = [
                "action": .string(question.action), "rule": .string(decision.rule), "layer": .string(decision.layer),
                "reason": .string(decision.reason), "question": decider.asked(question),
                "input": .string(answer.input), "policies": .string(try modules.digest()),
            ]
            if decision.isAfterwards {
                details["review"] = "afterwards"
                isAllowed = true
            } else if question.action == "tool", decision.outcome == .review {
                approvals += 1
                isAllowed = approvals == 1
                details["approval"] = .string("5f2c09b\(approvals)")
                details["approver"] = "ann"
            }
            return AuditEvent(
                isAllowed ? .policyAllow : .policyDeny, subject: "x", outcome: isAllowed ? .allowed : .denied,
                details: details, risk: AuditRisk(rawValue: decision.risk))
        }
    }

    @Test(
        "a replay of tools, MCP, models and credentials compares what policies said, and knows what nobody asks about")
    func replayQuestions() throws {
        let fixture = try Fixture(Self.tools.replacing("runtime: {fallback: [crun]}\n", with: ""))
        let logged = try fixture.logged(try Self.events(fixture))
        let then = [
            "allow git", "review push", "review push", "review-async fetch", "deny curl", "allow lab", "deny lab",
            "review lab", "allow llm.models:small-*", "deny llm.default", "allow credentials.git_token_ttl",
            "deny credentials.ttl",
        ]
        #expect(logged.map { "\($0.verdict) \($0.rule)" } == then)
        func answers(_ text: String) throws -> [String] {
            var replay = DecisionReplay(
                fixture.start.context,
                candidates: [PolicySet.Source(layer: .org, file: "candidate", bytes: Array(text.utf8))])
            return try logged.map { logged in
                try replay.decide(logged).map { "\(logged.verdict($0)) \($0.rule)" } ?? "nothing"
            }
        }
        #expect(try answers(Self.tools) == then)
        #expect(
            try answers("version: 1\nllm: {models: [large]}\ncredentials: {git_token_ttl: 2h}\n") == [
                "allow tools.unnamed", "allow tools.unnamed", "allow tools.unnamed", "allow tools.unnamed",
                "allow tools.unnamed", "allow mcp.unnamed", "allow mcp.unnamed", "allow mcp.unnamed",
                "deny llm.default",
                "allow llm.models:large", "allow credentials.git_token_ttl", "allow credentials.git_token_ttl",
            ])
        // A rule about one command holds the whole program.
        #expect(
            try answers("version: 1\ntools: {rules: [{match: [git, push], allow: true, risk: review-required}]}\n")
                .prefix(5) == [
                    "deny tools.default", "review git push", "review git push", "deny tools.default",
                    "allow tools.unnamed",
                ])
        // So does one that lets a command run.
        #expect(
            try answers("version: 1\ntools: {rules: [{match: [git, status], allow: true, risk: safe}]}\n").prefix(5)
                == [
                    "allow git status", "deny tools.default", "deny tools.default", "deny tools.default",
                    "allow tools.unnamed",
                ])
    }

    @Test("a review agrees with its decision, whether a person agreed, did not, or looks at it later")
    func reviews() throws {
        let fixture = try Fixture(Self.tools.replacing("runtime: {fallback: [crun]}\n", with: ""))
        let logged = try fixture.logged(try Self.events(fixture))
        let explanations = try logged.map { try fixture.start.context.explain($0) }
        for explanation in explanations {
            #expect(explanation.agrees == true, "\(explanation.logged.rule): \(explanation)")
        }
        #expect(logged[1].isAllowed && logged[1].approval == "5f2c09b1" && logged[1].approver == "ann")
        #expect(!logged[2].isAllowed && logged[3].isAllowed)
        let org = fixture.start.folder.path + "/org.yaml"
        #expect(explanations[6].place == org + ":8", "\(explanations[6])")
        #expect(explanations[6].changes == ["lab: who owns \(org) (org) may change it"])
        #expect(explanations[9].changes == ["llm.default: who owns \(org) (org) may add to llm.models"])
        #expect(
            explanations[11].changes
                == ["credentials.ttl: who owns \(org) (org) may change credentials.git_token_ttl"])
        func findings(_ number: Int) -> [String] {
            explanations[number].findings.map { "\($0.rule): \($0.condition ?? "fired")" }
        }
        #expect(
            findings(0) == [
                "git: fired", "push: word 2 is status", "fetch: word 2 is status", "curl: the program is git",
            ])
        #expect(explanations[0].findings[1].values == [PolicyFinding.Operand("match", "git push")])
        #expect(findings(1) == ["git: fired", "push: fired", "fetch: word 2 is push", "curl: the program is git"])
        #expect(findings(6) == ["lab/*: fired", "lab/ask: the tool is drop", "lab/drop: fired"])
        #expect(findings(9) == ["llm.models:small-*: the model is large"])
        // What was let run although its rule denies does not agree.
        var details = try #require(try Self.events(fixture).last).details
        details["rule"] = "credentials.ttl"
        let wrong = try fixture.explain(
            AuditEvent(.policyAllow, subject: "x", outcome: .allowed, details: details, risk: .safe))
        #expect(wrong.agrees == false)
    }

    @Test("a candidate that the project's policy loosens refuses everything that the project's sandbox did")
    func incompatible() throws {
        var fixture = try StartFixture(policy: "version: 1\nruntime: {fallback: [crun]}\nresources: {memory: 8g}\n")
        fixture.context.configuration.resources.memory = ByteSize(bytes: 1 << 30)
        try fixture.folder.write("project/aibox/policy.yaml", "version: 1\nresources: {memory: 4g}\n")
        _ = try fixture.refusal { ["run", "--privileged"] + $0.dropFirst() }
        var query = AuditIndex.Query()
        query.types = [.policyDeny]
        let record = try #require(try AuditIndex(folder: fixture.context.paths.auditFolder).search(query).first)
        var replay = DecisionReplay(
            fixture.context,
            candidates: [
                PolicySet.Source(
                    layer: .org, file: "candidate", bytes: Array("version: 1\nresources: {memory: 1g}\n".utf8))
            ])
        let logged = try #require(LoggedDecision(record))
        // With a project's in the place of the project's it goes again.
        var other = DecisionReplay(
            fixture.context,
            candidates: ["version: 1\nruntime: {fallback: [crun]}\nresources: {memory: 1g}\n", "version: 1\n"]
                .enumerated()
                .map { place, text in
                    PolicySet.Source(
                        layer: place == 0 ? .org : .project, file: "candidate", bytes: Array(text.utf8))
                })
        #expect(try other.decide(logged)?.rule == "runtime.privileged")
        let answer = try #require(try replay.decide(logged))
        #expect(answer.outcome == .deny && answer.rule == "policy")
        #expect(answer.reason.contains("would loosen"), "\(answer.reason)")
    }
}
