import AiboxSystem
import Testing

@testable import AiboxContainer
@testable import AiboxPolicy

@Suite("Settings that agents are given")
struct AgentSettingsTests {
    private static func policy(_ rules: String) throws -> EffectivePolicy {
        let text = "version: 1\ntools: {rules: [\(rules)]}\n"
        return try EffectivePolicy(
            organisation: try PolicyDocument(Array(text.utf8), layer: .org, file: "org"), day: "2026-11-23")
    }

    @Test(
        "Codex's managed exec policy has what rules deny by exact words, and nothing else",
        arguments: [
            (
                "{id: no-curl, match: [curl], allow: false}",
                #"{ pattern = [{ token = "curl" }], decision = "forbidden", justification = "curl fits no-curl of the org policy; it stands in org:2" },"#
            ),
            (
                #"{id: a, match: [git, "pu\"sh\\"], allow: false}"#,
                #"{ pattern = [{ token = "git" }, { token = "pu\"sh\\" }], decision = "forbidden", justification = "git pu\"sh\\ fits a of the org policy; it stands in org:2" },"#
            ),
            ("{match: [git], allow: true, risk: safe}", nil),
            ("{match: [git, push], allow: true, risk: review-required}", nil),
            (#"{match: [git, "*"], allow: false}"#, nil), (#"{match: ["g*"], allow: false}"#, nil),
        ])
    func codex(rules: String, expected: String?) throws {
        let text = AgentSettings.codexRules(patience: 600, forbidden: try Self.policy(rules).forbiddenCommands)
        #expect(text.contains("timeout = 660\n"))
        guard let expected else {
            #expect(!text.contains("[rules]"), "\(text)")
            return
        }
        #expect(text.hasSuffix("\n\n[rules]\nprefix_rules = [\n  \(expected)\n]\n"), "\(text)")
    }

    @Test(
        "where learning is permitted, only the organisation's denials stand there: the list does not change while it runs"
    )
    func learning() throws {
        func denied(_ mode: String) throws -> [String] {
            let organisation = "version: 1\nlearn: {mode: \(mode)}\ntools: {rules: [{match: [curl], allow: false}]}\n"
            let project = "version: 1\ntools: {rules: [{match: [make], allow: false}]}\n"
            let set = PolicySet(
                [
                    .init(layer: .org, file: "org", bytes: Array(organisation.utf8)),
                    .init(layer: .project, file: "project", bytes: Array(project.utf8)),
                ], day: "2026-11-23")
            return try set.effective().forbiddenCommands.map { $0.words.joined(separator: " ") }
        }
        #expect(try denied("permitted") == ["curl"])
        #expect(try denied("forbidden") == ["curl", "make"])
    }
}
