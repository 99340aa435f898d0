import AiboxPolicy
import AiboxSystem
import AiboxWire

/// What the organisation alone says of a call: asked about its own policy, and about the sandbox's with the organisation's
/// rules about tools. The stricter counts.
final class ToolLearning {
    private let tools: [PolicyDecider]
    private let servers: [PolicyDecider]

    /// - Parameters:
    ///   - policy: the sandbox's own, as the policies in Rego read it.
    ///   - organisation: the organisation's alone.
    init(
        _ policy: JSONValue, organisation: JSONValue, engine: PolicyEngine, user: String, sandbox: String
    ) throws(AiboxError) {
        guard case .object(var mixed) = policy, case .object = organisation else {
            throw AiboxError(.usage, "cannot read the gateway's settings", why: "a policy is no object")
        }
        for section in ["tools", "mcp"] { mixed[section] = organisation[section] }
        let documents: [JSONValue] = [.object(mixed), organisation]
        tools = documents.map { PolicyDecider(document: $0, engine: engine, user: user, sandbox: sandbox) }
        let mcp = try PolicyEngine(engine.modules, action: "mcp")
        servers = documents.map { PolicyDecider(document: $0, engine: mcp, user: user, sandbox: sandbox) }
    }

    func decide(_ question: PolicyQuestion) -> PolicyDecision? {
        let isServer = if case .server = question { true } else { false }
        return (isServer ? servers : tools).map { $0.decide(question) }
            .max { ToolJudge.strictness($0) < ToolJudge.strictness($1) }
    }
}
