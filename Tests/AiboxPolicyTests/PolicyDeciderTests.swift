import AiboxSystem
import AiboxWire
import Testing

@testable import AiboxPolicy

@Suite("Decisions by the policies in Rego")
struct PolicyDeciderTests {
    private static let policies = Path.parent(Path.parent(Path.parent(#filePath))) + "/aibox-policies/org"

    private static func decider(_ policy: EffectivePolicy) throws -> PolicyDecider {
        PolicyDecider(policy, engine: try PolicyEngine(try modules()))
    }

    static func modules() throws -> PolicyModules {
        PolicyModules(
            try Folder.names(policies).sorted().map { name in
                PolicyModules.Source(name: name, text: try File.read(policies + "/" + name))
            })
    }

    private static func policy(_ org: String, project: String = "") throws -> EffectivePolicy {
        try PolicySet([
            PolicySet.Source(layer: .org, file: "org", bytes: Array("version: 1\n\(org)\n".utf8)),
            PolicySet.Source(layer: .project, file: "project", bytes: Array("version: 1\n\(project)\n".utf8)),
        ]).effective()
    }

    private static let org = """
        tools:
          rules:
            - {match: [git], allow: true, risk: safe}
            - {id: push, match: [git, push], allow: true, risk: review-required, async: true}
        credentials: {git_token_ttl: 4h}
        push: {protected: [main], unreviewed: [agent/*]}
        llm: {models: [small-*]}
        mcp: {servers: [{id: files, tools: {read_*: safe}}]}
        filesystem: {deny: [/etc/shadow]}
        """

    @Test(
        "each kind of question is answered, with the rule and the layer that say so",
        arguments: [
            (PolicyQuestion.tool(["git", "status"]), "allow git org"),
            (.tool(["/usr/bin/git", "push"]), "review push org"),
            (.tool(["git", "push", "--force"]), "deny force project"), (.tool(["nc"]), "deny tools.default org"),
            (.tool([]), "deny tools.default org"),
            (.file(path: "/etc/shadow", write: false), "deny filesystem.deny:/etc/shadow org"),
            (.file(path: "/workspace/a", write: true), "allow filesystem.workspace_root org"),
            (.file(path: "/workspace/../etc/shadow", write: false), "deny filesystem.normal org"),
            (.file(path: "/usr/a", write: true), "deny filesystem.default org"),
            (.credential(type: "git_token", seconds: 3600), "allow credentials.git_token_ttl org"),
            (.credential(type: "git_token", seconds: 90_000), "deny credentials.ttl org"),
            (.credential(type: "mirror_token", seconds: 60), "deny credentials.default org"),
            (.push(ref: "refs/heads/agent/x", force: false, delete: false), "allow push.unreviewed:agent/* org"),
            (.push(ref: "refs/heads/main", force: true, delete: false), "deny push.protected:main org"),
            (.push(ref: "refs/heads/main", force: false, delete: false), "review push.default org"),
            (.push(ref: "main", force: false, delete: false), "deny push.request org"),
            (.model("small-1"), "allow llm.models:small-* org"), (.model("large"), "deny llm.default org"),
            (.server(id: "files", tool: "read_x"), "allow files org"),
            (.server(id: "db", tool: "x"), "deny mcp.default org"),
        ])
    func answers(question: PolicyQuestion, expected: String) throws {
        let policy = try Self.policy(
            Self.org, project: "tools: {rules: [{id: force, match: [git, push, --force], allow: false}]}")
        let decision = try Self.decider(policy).decide(question)
        #expect("\(decision.outcome) \(decision.rule) \(decision.layer)" == expected, "\(decision)")
    }

    @Test("the place of a rule is found by its name")
    func places() throws {
        let policy = try Self.policy(Self.org)
        #expect(policy.origin(ofRule: "git", field: "tools.rules")?.line == 4)
        #expect(policy.origin(ofRule: "push.unreviewed:agent/*", field: "push.unreviewed")?.line == 7)
        #expect(policy.origin(ofRule: "tools.default", field: "tools.rules") == nil)
    }

    @Test("policies that fail, answer nothing or answer nonsense deny")
    func failures() throws {
        let policy = try Self.policy(Self.org)
        for body in [
            "decision := 1 / 0", "decision := {\"decision\": \"allow\"}", "decision := \"allow\"", "other := 1",
            "decision := {\"decision\": \"yes\", \"risk\": \"\", \"rule\": \"\", \"layer\": \"\", \"reason\": \"\", \"obligations\": []}",
        ] {
            let module = PolicyModules.Source(name: "m", text: Array("package aibox\n\n\(body)\n".utf8))
            let decider = PolicyDecider(policy, engine: try PolicyEngine(PolicyModules([module])))
            let decision = decider.decide(.tool(["git"]))
            #expect(decision.outcome == .deny && decision.rule == "error", "\(body): \(decision)")
        }
    }

    @Test("Rego and the merge mean the same by a rule about tools")
    func agreement() throws {
        var random = RandomPolicy(seed: 77)
        for _ in 0..<60 {
            var org = PolicyDocument(layer: .org, file: "org")
            org.fields["tools.rules"] = random.family(.tools).org
            let policy = try EffectivePolicy(organisation: org, day: RandomPolicy.day)
            let decider = try Self.decider(policy)
            for argv in (0..<5).map({ _ in random.command() }) {
                let own = ToolRule.decide(policy["tools.rules"].map { ToolRule.tools($0) } ?? [], argv)
                let answer = decider.decide(.tool(argv))
                let isLater = answer.obligations == ["review-async"]
                let outcome: ToolRule.Outcome =
                    switch answer.outcome {
                    case .allow: .allow
                    case .review: isLater ? .reviewLater : .review
                    case .deny: .deny
                    }
                #expect(outcome == own.outcome, "\(argv) \(org.fields) \(answer)")
                // What nobody is asked about runs, for all of them alike.
                let effect = ToolRule.effect(policy["tools.rules"].map { ToolRule.tools($0) } ?? [], argv).outcome
                let unasked = policy.unasked(.tool(argv))
                #expect(unasked == nil ? effect == own.outcome : effect == .allow, "\(argv) \(org.fields)")
                let file = ToolFile(paths: [argv[0]], aliases: [argv[0]])
                #expect(
                    ToolCoverage(policy, files: [file]).programs.isEmpty == (unasked != nil), "\(argv) \(org.fields)")
            }
        }
    }

    @Test("the judge of the random policies says what Rego says, about actions of every kind that Rego decides")
    func judge() throws {
        var random = RandomTriples(seed: 78)
        let engine = try PolicyEngine(try Self.modules())
        var asked: Set<String> = []
        for _ in 0..<60 {
            var org = random.next().org
            org.fields["network.inspection"] = nil
            let policy = try EffectivePolicy(organisation: org, day: RandomPolicy.day)
            let decider = PolicyDecider(policy, engine: engine)
            let judge = PolicyJudge(policy)
            for request in (0..<6).map({ _ in random.request() }) {
                guard let question = request.question(policy) else { continue }
                asked.insert(question.action)
                let answer = decider.decide(question).outcome
                #expect(
                    (answer != .deny) == (judge.freedom(request).grade > 0), "\(request) \(answer) \(policy.json.text)")
            }
        }
        #expect(asked == ["file", "credential", "push", "llm", "mcp"])
    }

    @Test(
        "of rules that are as strict the most specific counts, then org before team before project, for the merge and for Rego",
        arguments: [
            ("more words", ["{id: a, match: [git], allow: false}", "{id: z, match: [git, push], allow: false}"], "z"),
            (
                "words before asterisks",
                [
                    "{id: a, match: [git, \"*\"], allow: true, risk: review-required}",
                    "{id: z, match: [git, push], allow: true, risk: review-required}",
                ], "z"
            ),
            (
                "a review before the one afterwards, however specific",
                [
                    "{id: a, match: [git], allow: true, risk: review-required}, {id: z, match: [git, push, x], allow: true, risk: review-required, async: true}"
                ], "a"
            ),
            (
                "the layer, where they are as specific",
                ["{id: z, match: [git, push], allow: false}", "{id: a, match: [git, push], allow: false}"], "z"
            ),
            (
                "team before project",
                ["", "{id: z, match: [git, push], allow: false}", "{id: a, match: [git, push], allow: false}"], "z"
            ),
            (
                "a project's, more specific than the organisation's",
                ["{id: z, match: [git], allow: false}", "", "{id: a, match: [git, push], allow: false}"], "a"
            ),
            (
                "the name, where all else is the same",
                ["{id: b, match: [git, push], allow: false}, {id: a, match: [git, \"push\"], allow: false}"], "a"
            ),
        ])
    func order(what: String, layers: [String], expected: String) throws {
        let sources = zip([PolicyLayer.org, .team, .project], layers).map { layer, rules in
            PolicySet.Source(
                layer: layer, file: layer.rawValue, bytes: Array("version: 1\ntools: {rules: [\(rules)]}\n".utf8))
        }
        let policy = try PolicySet(sources).effective()
        let rules = ToolRule.tools(try #require(policy["tools.rules"]))
        #expect(ToolRule.decide(rules, ["git", "push", "x"]).rule?.id == expected, "\(what)")
        #expect(try Self.decider(policy).decide(.tool(["git", "push", "x"])).rule == expected, "\(what)")
    }

    @Test("an explanation names the rules that fired and, for the others, the first condition that was not met")
    func explanation() throws {
        let policy = try Self.policy("resources:\n  memory: 4g\n")
        let engine = try PolicyEngine(try Self.modules())
        let sandbox: JSONValue = [
            "runtime": ["engine": "crun", "privileged": false], "resources": ["memory": 8_589_934_592], "mounts": [],
        ]
        let question = PolicyQuestion.start(sandbox)
        let decider = PolicyDecider(policy, engine: engine, user: "u")
        let (decision, findings) = try engine.explain(decider.input(question))
        #expect(decision == decider.decide(question))
        func finding(_ rule: String) -> PolicyFinding? { findings.first { $0.rule == rule } }
        #expect(finding("runtime.engine")?.condition == nil && finding("runtime.engine") != nil)
        #expect(finding("data.aibox.resources.deny")?.condition == nil)
        let privileged = try #require(finding("runtime.privileged"))
        #expect(privileged.condition == "not input.sandbox.runtime.privileged == false", "\(privileged)")
        #expect(privileged.place.hasPrefix("runtime.rego:"))
        #expect(
            privileged.values == [PolicyFinding.Operand("input.sandbox.runtime.privileged", "false")], "\(privileged)")
        #expect(findings.contains { $0.rule == "mounts.host" && $0.condition == "some folder in shown" }, "\(findings)")
    }

    @Test("a rule's place is the document's line, else the row in Rego, and says who may change it")
    func authority() throws {
        let policy = try Self.policy("resources:\n  memory: 4g\n", project: "resources:\n  pids: 100\n")
        let own = PolicyModules.Source(
            name: "/etc/aibox/policies/a.rego",
            text: Array("package aibox.org\n\ndeny contains {\"rule\": \"night\", \"reason\": \"\"} if true\n".utf8),
            isOwn: true)
        let authority = PolicyAuthority(policy, PolicyModules(try Self.modules().sources + [own]))
        #expect(authority.place("resources.memory") == "org:3" && authority.layer("resources.memory") == "org")
        #expect(authority.place("resources.pids") == "project:3" && authority.layer("resources.pids") == "project")
        #expect(authority.place("runtime.privileged")?.hasPrefix("runtime.rego:") == true)
        #expect(authority.place("night") == "/etc/aibox/policies/a.rego:3")
        #expect(authority.owner("resources.pids") == "who owns project (project) may change it")
        #expect(authority.owner("night") == "who owns /etc/aibox/policies/a.rego (org) may change it")
        #expect(authority.owner("runtime.privileged").contains("no policy changes"))
        #expect(authority.place("nothing of that name") == nil)
    }

    private static let owned = """
        tools:
          rules: [{match: [curl], allow: false}]
        mcp:
          servers:
            - {id: lab, tools: {drop: blocked-by-default}}
        llm:
          models: [small-*]
          budget_tokens: 10
        credentials: {git_token_ttl: 1h}
        network: {allow: [{id: git, hosts: [git.example.com]}]}
        push:
          protected: [main]
        filesystem: {deny: [/etc/shadow]}
        """

    @Test(
        "of every action it is said where the rule stands, and who may change the field that decides or add to it",
        arguments: [
            ("start", "resources.memory", "project:2", "who owns project (project) may change it"),
            ("tool", "curl", "org:3", "who owns org (org) may change it"),
            ("tool", "tools.default", "org:3", "who owns org (org) may add to tools.rules"),
            ("tool", "tools.options", "tools.rego", "a rule of aibox's own, which no policy changes"),
            ("mcp", "lab", "org:6", "who owns org (org) may change it"),
            ("mcp", "mcp.default", "org:5", "who owns org (org) may add to mcp.servers"),
            ("llm", "llm.default", "project:4", "who owns project (project) may add to llm.models"),
            ("llm", "llm.budget", "org:9", "who owns org (org) may change llm.budget_tokens"),
            ("credential", "credentials.ttl", "org:10", "who owns org (org) may change credentials.git_token_ttl"),
            ("network", "git", "org:11", "who owns org (org) may change it"),
            ("network", "default-deny", "org:11", "who owns org (org) may add to network.allow"),
            ("push", "push.protected:main", "org:13", "who owns org (org) may change it"),
            ("push", "push.default", "push.rego", "who owns org (org) may add to push.unreviewed"),
            ("push", "push.request", "push.rego", "a rule of aibox's own, which no policy changes"),
            ("file", "filesystem.deny:/etc/shadow", "org:14", "who owns org (org) may change it"),
        ])
    func owners(action: String, rule: String, place: String, owner: String) throws {
        let policy = try Self.policy(
            Self.owned, project: "resources: {memory: 1g}\nllm:\n  models: [small-1]")
        let authority = PolicyAuthority(policy, try Self.modules(), action: action, credential: "git_token")
        let found = try #require(authority.place(rule))
        #expect(found == place || found.hasPrefix(place + ":"), "\(found)")
        #expect(authority.owner(rule) == owner)
    }

    @Test(
        "a list that a later document began is that one's to add to; a credential that nobody lends is the organisation's to set"
    )
    func unlent() throws {
        let begun = PolicyAuthority(
            try Self.policy("", project: "tools: {rules: [{match: [git, push], allow: false}]}"), try Self.modules(),
            action: "tool")
        #expect(begun.place("tools.default") == "project:2")
        #expect(begun.owner("tools.default") == "who owns project (project) may add to tools.rules")
        let authority = PolicyAuthority(
            try Self.policy(Self.owned), try Self.modules(), action: "credential", credential: "mirror_token")
        #expect(authority.owner("credentials.default") == "who owns org (org) may set credentials.mirror_token_ttl")
    }

    @Test("what is compiled for one action answers it as the whole does")
    func parts() throws {
        let policy = try Self.policy(Self.org)
        let whole = PolicyDecider(policy, engine: try PolicyEngine(try Self.modules()))
        let start: JSONValue = ["runtime": ["engine": "gvisor"], "mounts": [["source": "/etc"]]]
        for question in [
            PolicyQuestion.tool(["git", "push"]), .tool(["nc"]), .file(path: "/etc/shadow", write: false),
            .credential(type: "git_token", seconds: 60), .push(ref: "refs/heads/main", force: true, delete: false),
            .model("small-1"), .server(id: "files", tool: "read_x"), .start(start), .start([:]),
        ] {
            let engine = try PolicyEngine(try Self.modules(), action: question.input.action)
            let part = PolicyDecider(policy, engine: engine)
            #expect(part.decide(question) == whole.decide(question))
            #expect(part.violations(of: question) == whole.violations(of: question))
        }
        // Nothing of aibox's own is left out where the organisation may look at it.
        let own = PolicyModules.Source(
            name: "own", text: Array("package aibox.org\n\ndeny := set()\n".utf8), isOwn: true)
        let both = PolicyModules(try Self.modules().sources + [own])
        #expect(both.sources(for: "start") == both.sources)
        #expect(try Self.modules().sources(for: "start").count < Self.modules().sources.count)
    }

    @Test("what was kept is what decided: modules go through JSON unchanged")
    func kept() throws {
        let modules = try Self.modules()
        #expect(try PolicyModules(json: modules.json) == modules)
        #expect(try PolicyModules(json: modules.json).digest() == modules.digest())
    }
}
