public import AiboxWire
import Rego

/// A rule of the policies in Rego that had its say in a decision, or had not.
public struct PolicyFinding: Sendable, Equatable {
    /// The rule's id, or its path where it has none.
    public var rule: String
    /// `file:row`.
    public var place: String
    /// The first condition that did not hold, as it is written; nil if the rule fired.
    public var condition: String?
    /// What stands in the condition, with the values that it had.
    public var values: [Operand]

    public struct Operand: Sendable, Equatable {
        public var text: String
        /// JSON, or `undefined`.
        public var value: String

        public init(_ text: String, _ value: String) {
            self.text = text
            self.value = value
        }
    }

    public init(rule: String, place: String, condition: String?, values: [Operand]) {
        self.rule = rule
        self.place = place
        self.condition = condition
        self.values = values
    }
}

extension PolicyEngine {
    /// The packages that answer an action, beside the organisation's own.
    static let packages = [
        "start": ["runtime", "mounts", "resources", "admission"], "tool": ["tools"], "file": ["filesystem"],
        "credential": ["credentials"], "push": ["push"], "llm": ["llm"], "mcp": ["mcp"], "network": ["network"],
    ]
    /// Rules that refuse or permit; the others only help them.
    private static let speaking: Set = ["deny", "incomplete", "candidates", "refusals", "free", "problems"]

    /// Decides again with probes: the answer, and every rule that was looked at with the first condition that was not
    /// met. Slower than a decision.
    public func explain(_ input: JSONValue) throws -> (decision: PolicyDecision, findings: [PolicyFinding]) {
        let explanation = try self.explanation(input)
        let packages = (Self.packages[input["action"]?.stringValue ?? ""] ?? []) + ["org"]
        let findings = explanation.bodies.compactMap { body -> PolicyFinding? in
            let parts = body.path.split(separator: ".")
            guard parts.count >= 4, parts[1] == "aibox", packages.contains(String(parts[2])),
                Self.speaking.contains(String(parts[parts.count - 1].prefix { $0 != "[" }))
            else { return nil }
            return PolicyFinding(
                rule: modules.rule(inRow: body.row, of: body.file) ?? body.path, place: "\(body.file):\(body.row)",
                condition: body.failure.map { $0.text.split(separator: "\n").joined(separator: " ") },
                values: (body.failure?.operands ?? []).filter { $0.text != $0.value?.text }.map {
                    PolicyFinding.Operand($0.text, $0.value?.text ?? "undefined")
                })
        }
        return (decide(input), findings)
    }
}

extension PolicyModules {
    /// The rule that a row gives its name to: what follows `"rule": ` in it.
    func rule(inRow row: Int, of file: String) -> String? {
        guard let source = sources.first(where: { $0.name == file }) else { return nil }
        let rows = String(decoding: source.text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard rows.indices.contains(row - 1), let range = rows[row - 1].firstRange(of: "\"rule\": \"") else {
            return nil
        }
        return String(rows[row - 1][range.upperBound...].prefix { $0 != "\"" })
    }
}
