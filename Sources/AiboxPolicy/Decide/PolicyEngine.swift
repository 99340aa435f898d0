public import AiboxSystem
public import AiboxWire
import Rego

/// The policies in Rego, compiled once; any number of deciders share it, on any thread.
public struct PolicyEngine: Sendable {
    public let modules: PolicyModules
    private let engine: Engine
    private let query: PreparedQuery

    static let question = "data.aibox.decision"

    /// - Parameter action: the one that will be asked about; what answers others is not compiled. Nil for all.
    /// - Throws: `policyInvalid` with every error of the compilation.
    public init(_ modules: PolicyModules, action: String? = nil) throws(AiboxError) {
        self.modules = modules
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
        do {
            guard let bytes = try query.evaluate(json: input.bytes, options: Self.options) else {
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
            let bytes = try? prepared.evaluate(json: input.bytes, options: Self.options),
            let entries = (try? JSONParser.parse(bytes))?.elements
        else { return nil }
        return entries.map {
            PolicyDecision.Violation(
                rule: $0["rule"]?.stringValue ?? "aibox.org", reason: $0["reason"]?.stringValue ?? $0.text)
        }.sorted { ($0.rule, $0.reason) < ($1.rule, $1.reason) }
    }

    func explanation(_ input: JSONValue) throws -> Explanation {
        try engine.explain(Self.question, input: try engine.value(json: input.bytes), options: Self.options)
    }

    private static var options: PreparedQuery.Options {
        var options = PreparedQuery.Options()
        options.strictBuiltinErrors = true
        options.limits.time = .seconds(5)
        return options
    }
}
