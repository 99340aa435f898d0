import AiboxSystem
import AiboxTestSupport
import Testing

@testable import AiboxPolicy

@Suite("What was learned about MCP servers and models")
struct LearnedQuestionsTests {
    private static func learned(
        _ layers: [(PolicyLayer, String)], _ wants: LearnedWants
    ) throws -> LearnedPolicy {
        let sources = layers.map { layer, text in
            PolicySet.Source(layer: layer, file: "\(layer.rawValue).yaml", bytes: Array("version: 1\n\(text)\n".utf8))
        }
        return try LearnedPolicy(PolicySet(sources, day: "2026-11-22"), wants) { _ throws(AiboxError) in
            throw AiboxError(.failed, "no connection is asked about")
        }
    }

    private static func tools(_ tools: [(String, String)]) -> LearnedWants {
        var wants = LearnedWants()
        for (server, tool) in tools { wants.add(LearnedWants.ServerTool(server: server, tool: tool)) }
        return wants
    }

    private static let servers =
        "learn: {mode: permitted}\nmcp: {servers: [{id: lab, tools: {\"read_*\": safe, \"write_*\": review-required, drop: blocked-by-default}}]}"

    @Test("rules of team and project about tools of servers are named, and what the organisation holds is told")
    func servers() throws {
        let team =
            "mcp:\n  servers:\n    - id: lab\n      tools:\n        read_x: blocked-by-default\n        read_*: review-required"
        let project = "mcp:\n  servers:\n    - id: lab\n      tools: {read_x: blocked-by-default}"
        let wants = Self.tools([
            ("lab", "read_x"), ("lab", "read_x"), ("lab", "read_y"), ("lab", "write_a"), ("lab", "drop"),
            ("other", "t"),
        ])
        let learned = try Self.learned([(.org, Self.servers), (.team, team), (.project, project)], wants)
        #expect(
            learned.removals.map { "\($0.origin) \($0.field) \($0.rule) \($0.seen)" } == [
                "team.yaml:6 mcp.servers lab/read_x 2", "team.yaml:7 mcp.servers lab/read_* 3",
                "project.yaml:5 mcp.servers lab/read_x 2",
            ])
        #expect(
            learned.beyond.map { "\($0.what) \($0.rule) \($0.isReviewed)" } == [
                "lab/drop lab/drop false", "lab/write_a lab/write_* true", "other/t mcp.default false",
            ])
        #expect(learned.beyond.allSatisfy { $0.owner?.contains("org.yaml:3") == true }, "\(learned.beyond)")
        #expect(learned.additions.isEmpty && learned.lacking.isEmpty && learned.left.isEmpty)
    }

    @Test("where the organisation has no list, the list that would have to name a tool is told")
    func lacking() throws {
        let team = "mcp:\n  servers:\n    - {id: lab, tools: {read: safe, drop: blocked-by-default}}"
        let wants = Self.tools([("lab", "read"), ("lab", "write"), ("other", "t"), ("lab", "drop")])
        let learned = try Self.learned([(.org, "learn: {mode: permitted}"), (.team, team)], wants)
        #expect(learned.passing == 1)
        #expect(
            learned.lacking.map { "\($0.origin) \($0.server)/\($0.tool)" } == [
                "team.yaml:3 lab/drop", "team.yaml:3 lab/write", "team.yaml:3 other/t",
            ])
        #expect(learned.removals.map(\.rule) == ["lab/drop"])
        #expect(learned.beyond.isEmpty)
    }

    private static func models(_ models: [(String, String)]) -> LearnedWants {
        var wants = LearnedWants()
        for (name, rule) in models { wants.add(LearnedWants.Model(name: name, rule: rule, reason: "refused")) }
        return wants
    }

    @Test("models become names for each list that lacks them, never above the organisation's")
    func models() throws {
        let org = "learn: {mode: permitted}\nllm: {models: [small-*, large-1]}"
        let team = "llm: {models: [small-1, small-2]}"
        let project = "llm: {models: [small-1]}"
        let wants = Self.models([
            ("small-2", "llm.default"), ("small-2", "llm.default"), ("small-3", "llm.default"),
            ("large-9", "llm.default"),
            ("small-1", "llm.budget"), ("small-1", "llm.default"), ("small-*", "llm.default"),
        ])
        let layers = [(PolicyLayer.org, org), (.team, team), (.project, project)]
        let learned = try Self.learned(layers, wants)
        #expect(
            learned.additions.map { "\($0.file) \($0.fields) \($0.text)" } == [
                "team.yaml [\"llm.models\"] version: 1\nllm:\n  models:\n    # seen once\n    - \"small-3\"\n",
                "project.yaml [\"llm.models\"] version: 1\nllm:\n  models:\n    # seen 2 times\n    - \"small-2\"\n    # seen once\n    - \"small-3\"\n",
            ])
        #expect(
            learned.beyond.map { "\($0.what), \($0.owner ?? "")" } == [
                "the model large-9, who owns org.yaml:3 (org) may add it"
            ])
        #expect(
            learned.left.map { "\($0.what) \($0.rule)" } == [
                "the model small-* llm.default", "the model small-1 llm.budget",
            ])
        #expect(learned.passing == 1)
    }

    @Test("with what is printed the policies go together, and permit no model that the organisation does not")
    func neverAbove() throws {
        var random = SeededGenerator(seed: 9)
        let lists = [
            "[]", "[small-*]", "[small-1, large]", "[\"*\"]", "[large-*]", "[small-1]", "[\"*\", \"arn:*\"]",
            "[\"arn:eu:*\"]",
        ]
        let names = ["small-1", "small-2", "large", "large-2", "x", "arn:eu:small-1"]
        var additions = 0
        for _ in 0..<200 {
            let org = lists.randomElement(using: &random) ?? ""
            let layers = [
                (PolicyLayer.org, "learn: {mode: permitted}\nllm: {models: \(org)}"),
                (.project, "llm: {models: \(lists.randomElement(using: &random) ?? "")}"),
            ]
            let wanted = names.filter { _ in Bool.random(using: &random) }
            guard let learned = try? Self.learned(layers, Self.models(wanted.map { ($0, "llm.default") })) else {
                continue
            }
            let own = try PolicySet([
                PolicySet.Source(layer: .org, file: "org", bytes: Array("version: 1\n\(layers[0].1)\n".utf8))
            ]).effective()
            func permits(_ policy: EffectivePolicy, _ name: String) -> Bool {
                (policy["llm.models"]?.texts ?? []).contains { pattern in
                    PolicyPattern(pattern).matches(name) && (pattern.hasPrefix("arn:") || !name.hasPrefix("arn:"))
                }
            }
            let merged = try #require(learned.merged(learned.additions))
            additions += learned.additions.count
            for name in names {
                #expect(!permits(merged, name) || permits(own, name), "\(layers) \(name)")
                if wanted.contains(name) { #expect(permits(merged, name) == permits(own, name), "\(layers) \(name)") }
            }
        }
        #expect(additions > 10)
    }
}
