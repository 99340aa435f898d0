import AiboxWire
public import Rego

/// Answers questions by the policies in Rego, on the effective policy of one sandbox.
///
/// No rule, an error and a time-out mean deny. Answers are remembered by the question: the policy is this value's own,
/// and the same question has the same answer.
public final class PolicyDecider {
    private let policy: JSONValue
    private let query: PreparedQuery
    private var answers: [[UInt8]: PolicyDecision] = [:]

    /// - Parameter modules: the policies; those of the organisation, or the baseline that is part of aibox.
    public init(_ policy: EffectivePolicy, modules: [Engine.Module]) throws(RegoErrors) {
        self.policy = policy.decisionDocument
        let engine = try Engine(modules: modules, data: Array("{}".utf8), allowNondeterminism: false)
        query = try engine.prepare("data.aibox.decision")
    }

    public func decide(_ question: PolicyQuestion) -> PolicyDecision {
        let (action, name, value) = question.input
        let key = JSONValue.array([.string(action), value]).bytes
        if let known = answers[key] { return known }
        let answer = answer(["action": .string(action), "policy": policy, "sandbox": [:], "subject": [:]], name, value)
        // A sandbox chooses what it asks: what is remembered has an end.
        if answers.count >= 4096 { answers.removeAll() }
        answers[key] = answer
        return answer
    }

    private func answer(_ input: JSONObject, _ name: String, _ value: JSONValue) -> PolicyDecision {
        var input = input
        input[name] = value
        var options = PreparedQuery.Options()
        options.strictBuiltinErrors = true
        do {
            guard let bytes = try query.evaluate(json: JSONValue.object(input).bytes, options: options) else {
                return .refusal("no rule answered")
            }
            var fields = try WireFields(try JSONParser.parse(bytes), in: "decision")
            guard let outcome = PolicyDecision.Outcome(rawValue: try fields.string("decision")) else {
                return .refusal("the policies gave an answer that is none")
            }
            let decision = PolicyDecision(
                outcome: outcome, risk: try fields.string("risk"), rule: try fields.string("rule"),
                layer: try fields.string("layer"), reason: try fields.string("reason"),
                obligations: try fields.texts("obligations"))
            try fields.finish()
            return decision
        } catch {
            return .refusal("the policies cannot be evaluated: \(error)")
        }
    }
}

extension EffectivePolicy {
    /// The policy as the policies in Rego read it: entries have an id and the layer that says so.
    var decisionDocument: JSONValue {
        func entries(_ field: String, _ member: String) -> JSONValue {
            .array(
                (values[field]?.elements ?? []).map { item in
                    [
                        "id": .string("\(field):\(item.text ?? "")"), "layer": .string(item.origin.layer.rawValue),
                        member: .string(item.text ?? ""),
                    ]
                })
        }
        var llm: JSONObject = ["models": entries("llm.models", "model")]
        for name in ["budget_tokens", "requests_per_minute", "logging", "redact"] {
            llm[name] = values["llm." + name]?.json
        }
        return [
            "filesystem": [
                "workspace_root": .string(text("filesystem.workspace_root")),
                "deny": entries("filesystem.deny", "path"), "protected": entries("filesystem.protected", "path"),
            ],
            "tools": ["rules": .array((values["tools.rules"]?.elements ?? []).map(Self.rule))],
            "credentials": .object(credentials), "llm": .object(llm),
            "push": [
                "protected": entries("push.protected", "pattern"), "unreviewed": entries("push.unreviewed", "pattern"),
            ],
            "mcp": ["servers": .array((values["mcp.servers"]?.elements ?? []).map(Self.server))],
        ]
    }

    private static func rule(_ item: PolicyItem) -> JSONValue {
        var rule = JSONObject(
            item.members.sorted { $0.key < $1.key }.map { JSONObject.Member($0.key, $0.value.json) })
        rule["id"] = rule["id"] ?? .string((item["match"]?.texts ?? []).joined(separator: " "))
        rule["layer"] = .string(item.origin.layer.rawValue)
        return .object(rule)
    }

    private static func server(_ item: PolicyItem) -> JSONValue {
        [
            "id": item["id"]?.json ?? .null, "tools": item["tools"]?.json ?? [:],
            "layer": .string(item.origin.layer.rawValue),
        ]
    }

    private var credentials: JSONObject {
        var types: [JSONValue] = []
        for type in ["git_token", "llm_api_key", "mirror_token"] {
            guard let item = values["credentials.\(type)_ttl"], let seconds = item.integer, seconds > 0 else {
                continue
            }
            types.append([
                "id": .string("credentials.\(type)_ttl"), "type": .string(type),
                "ttl_seconds": .integer(Int64(seconds)),
                "layer": .string(item.origin.layer.rawValue),
            ])
        }
        var object: JSONObject = ["types": .array(types)]
        for name in ["injection", "revoke_on_stop", "no_persist_to_workspace"] {
            object[name] = values["credentials." + name]?.json
        }
        return object
    }
}
