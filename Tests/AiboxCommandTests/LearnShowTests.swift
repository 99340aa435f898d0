import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxAudit

@Suite("aibox learn show")
struct LearnShowTests {
    @Test("models that the proxy refused by its list are learned from the requests that it wrote down")
    func models() throws {
        let command = try BuiltCommand()
        func asked(_ model: String, _ outcome: AuditOutcome, _ reason: String?) -> AuditEvent {
            var details: JSONObject = ["request": "r1", "provider": "api.anthropic.com", "path": "/v1/messages"]
            details["reason"] = reason.map { .string($0) }
            return AuditEvent(.llmRequest, subject: model, outcome: outcome, details: details, severity: .warning)
        }
        func unlisted(_ model: String) -> AuditEvent {
            asked(model, .denied, "llm.models: the policy does not permit the model \(model)")
        }
        let folder = command.folder.path + "/log"
        let log = try AuditLog.open(
            folder: folder, context: AuditContext(source: .llmProxy, session: "s", sandbox: "t", user: "u"))
        try log.append([
            AuditEvent(.learnStart, subject: "t", outcome: .success, details: ["person": "u", "seconds": 60]),
            unlisted("small-2"),
            unlisted("small-2"), unlisted("large"), unlisted("arn:aws:bedrock:eu:1:small-2"),
            asked("small-3", .denied, "llm.budget: the budget of this sandbox is spent"),
            asked("small-4", .failure, "llm.upstream: it cannot be reached"), asked("small-5", .allowed, nil),
        ])
        try log.close()
        let org = try command.folder.write(
            "org.yaml", "version: 1\nlearn: {mode: permitted}\nllm: {models: [small-*]}\n")
        let project = try command.folder.write("project.yaml", "version: 1\nllm: {models: [small-1]}\n")
        let said = try command.run(
            "learn", "show", "--name", "t", "--log", folder, "--org", org, "--project", project)
        #expect(said.succeeded, "\(said.errorText)")
        #expect(said.text.contains("llm:\n  models:\n    # seen 2 times\n    - \"small-2\"\n"), "\(said.text)")
        #expect(said.text.contains("the model large, "), "\(said.text)")
        #expect(said.text.contains("the model arn:aws:bedrock:eu:1:small-2, "), "\(said.text)")
        for other in ["small-3", "small-4", "small-5"] { #expect(!said.text.contains(other)) }
    }
}
