public import AiboxSystem
public import AiboxWire
import Rego

/// The policies in Rego, compiled once; any number of deciders share it, on any thread.
public struct PolicyEngine: Sendable {
    public let modules: PolicyModules
    /// For one decision; what takes longer is no answer.
    private let patience: Duration
    private let engine: Engine
    private let query: PreparedQuery

    static let question = "data.aibox.decision"

    /// - Parameters:
    ///   - action: the one that will be asked about; what answers others is not compiled. Nil for all.
    ///   - patience: for one decision.
    /// - Throws: `policyInvalid` with every error of the compilation.
    public init(
        _ modules: PolicyModules, action: String? = nil, patience: Duration = .seconds(5)
    ) throws(AiboxError) {
        self.modules = modules
        self.patience = patience
        do {
            engine = try Engine(
                modules: modules.sources(for: action).map { Engine.Module(name: $0.name, text: $0.text) },
                data: Array("{}".utf8), allowNondeterminism: false)
            query = try engine.prepare(Self.question)
        } catch {
            throw Self.unusable("\(error)")
        }
        if modules.hasOwn, violations("data.aibox.org.deny", [:]) == nil {
            throw Self.unusable("the organisation's policies say nothing: data.aibox.org.deny is no set of refusals")
        }
    }

    private static func unusable(_ why: String) -> AiboxError {
        AiboxError(
            .policyInvalid, "cannot use the policies in Rego", why: SafeText.escaped(why, keepingLines: true),
            remedy: "aibox policy check DIR shows every error of the organisation's own")
    }

    /// The answer to an input document. No rule, an error and a time-out mean deny.
    public func decide(_ input: JSONValue) -> PolicyDecision {
        answer { engine throws in try engine.value(json: input.bytes) }
    }

    /// A policy that many questions will be asked about, read once; nil if it cannot be read.
    func read(_ policy: JSONValue) -> Value? { try? engine.value(json: policy.bytes) }

    /// As `decide`, with what `read` gave in the place of the input's policy.
    func decide(_ input: JSONValue, policy: Value?) -> PolicyDecision {
        guard let policy else { return .refusal("the policies cannot be evaluated: the policy cannot be read") }
        return answer { engine throws in
            try engine.value(json: input.bytes, exchanging: "policy", for: policy)
        }
    }

    private func answer(_ input: (Engine) throws -> Value) -> PolicyDecision {
        do {
            guard let bytes = try query.evaluate(input: try input(engine), options: options) else {
                return .refusal("no rule answered")
            }
            return try PolicyDecision(json: try JSONParser.parse(bytes))
        } catch {
            return .refusal("the policies cannot be evaluated: \(error)")
        }
    }

    /// Why something is refused, the organisation's own refusals first; of a start every violation.
    public func violations(of input: JSONValue) -> [PolicyDecision.Violation] {
        let own = violations("data.aibox.org.deny", input) ?? []
        if input["action"]?.stringValue != "start" { return own }
        return own + (violations("data.aibox.admission.violations", input) ?? [])
    }

    /// A set of `{rule, reason}`, sorted; nil where it is not defined or something else.
    func violations(_ query: String, _ input: JSONValue) -> [PolicyDecision.Violation]? {
        guard let prepared = try? engine.prepare(query),
            let bytes = try? prepared.evaluate(json: input.bytes, options: options),
            let entries = (try? JSONParser.parse(bytes))?.elements
        else { return nil }
        return entries.map {
            PolicyDecision.Violation(
                rule: $0["rule"]?.stringValue ?? "aibox.org", reason: $0["reason"]?.stringValue ?? $0.text)
        }.sorted { ($0.rule, $0.reason) < ($1.rule, $1.reason) }
    }

    func explanation(_ input: JSONValue) throws -> Explanation {
        try engine.explain(Self.question, input: try engine.value(json: input.bytes), options: options)
    }

    private var options: PreparedQuery.Options {
        var options = PreparedQuery.Options()
        options.strictBuiltinErrors = true
        options.limits.time = patience
        return options
    }
}
