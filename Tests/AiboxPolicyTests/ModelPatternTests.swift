import AiboxConfig
import AiboxSystem
import Testing

@testable import AiboxPolicy

@Suite("Models that an ARN names")
struct ModelPatternTests {
    @Test(
        "what the proxy would let through under a project's list and not under the organisation's is refused",
        arguments: [
            (#"["*"]"#, #"["arn:*"]"#, false), (#"["*sonnet*"]"#, #"["arn:aws:bedrock:eu:1:sonnet-x"]"#, false),
            (#"["*", "arn:aws:*"]"#, #"["arn:aws:bedrock:*"]"#, true), (#"["arn:*"]"#, #"["arn:aws:x"]"#, true),
            (#"["*"]"#, #"["sonnet-*"]"#, true), (#"["arn:*"]"#, #"["arm-*"]"#, false), (#"["*"]"#, #"["arn*"]"#, true),
            (#"["arn*"]"#, #"["arn:aws:x"]"#, false),
        ])
    func merged(_ org: String, _ project: String, _ isValid: Bool) throws {
        let merged = try PolicyMergeTests.merge("llm: {models: \(org)}", project: "llm: {models: \(project)}")
        switch merged {
        case .success: #expect(isValid)
        case .failure(let violations):
            #expect(!isValid && violations.problems.first?.description.contains("which is not permitted") == true)
        }
    }

    @Test("prices for ARNs make no ARN permitted")
    func permitted() throws {
        let text =
            #"llm: {models: ["*"], prices: [{model: "arn:aws:x", input: 1, output: 1}, {model: small, input: 1, output: 1}]}"#
        guard case .success(let policy) = try PolicyMergeTests.merge(text) else {
            Issue.record("it is no policy")
            return
        }
        #expect(CredentialPolicy(policy).permittedModels.map(\.name) == ["*", "small"])
    }

    @Test("a difference says that ARNs become possible")
    func difference() throws {
        func policy(_ models: String) throws -> EffectivePolicy {
            try PolicyMergeTests.merge("llm: {models: \(models)}").get()
        }
        let rows = PolicyDifference(from: try policy(#"["*"]"#), to: try policy(#"["*", "arn:*"]"#)).rows
        #expect(rows.map { "\($0.direction) \($0.what)" } == ["opens arn:*"])
    }

    @Test("what was learned asks the organisation for an ARN that its list of names does not permit")
    func learned() throws {
        var wants = LearnedWants()
        wants.add(LearnedWants.Model(name: "arn:aws:small-1", rule: "llm.default", reason: "refused"))
        let sources = [
            (PolicyLayer.org, #"llm: {models: ["*"]}"#), (.project, "llm: {models: [small-1]}"),
        ].map { layer, text in
            PolicySet.Source(layer: layer, file: layer.rawValue, bytes: Array("version: 1\n\(text)\n".utf8))
        }
        let learned = try LearnedPolicy(PolicySet(sources, day: "2026-11-22"), wants) { _ throws(AiboxError) in
            throw AiboxError(.failed, "no connection is asked about")
        }
        #expect(learned.additions.isEmpty && learned.beyond.map(\.what) == ["the model arn:aws:small-1"])
    }
}
