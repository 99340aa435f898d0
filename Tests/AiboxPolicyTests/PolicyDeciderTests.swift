import AiboxSystem
import Rego
import Testing

@testable import AiboxPolicy

@Suite("Decisions by the policies in Rego")
struct PolicyDeciderTests {
    private static let policies = Path.parent(Path.parent(Path.parent(#filePath))) + "/aibox-policies/org"

    private static func decider(_ policy: EffectivePolicy) throws -> PolicyDecider {
        let modules = try Folder.names(policies).sorted().map { name in
            Engine.Module(name: name, text: try File.read(policies + "/" + name))
        }
        return try PolicyDecider(policy, modules: modules)
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
            let module = Engine.Module(name: "m", text: "package aibox\n\n\(body)\n")
            let decision = try PolicyDecider(policy, modules: [module]).decide(.tool(["git"]))
            #expect(decision.outcome == .deny && decision.rule == "error", "\(body): \(decision)")
        }
    }

    @Test("Rego and the merge mean the same by a rule about tools")
    func agreement() throws {
        var random = RandomPolicy(seed: 77)
        for _ in 0..<60 {
            let org = random.triple(.tools).0
            let policy = try EffectivePolicy(organisation: org, day: RandomPolicy.day)
            let decider = try Self.decider(policy)
            for case .tool(let argv) in random.requests(.tools) {
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
            }
        }
    }
}
