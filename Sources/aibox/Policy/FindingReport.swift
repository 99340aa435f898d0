import AiboxPolicy

/// The rules that had their say in a decision, and those that had not, as a part of an answer.
enum FindingReport {
    static func lines(_ findings: [PolicyFinding]) -> [String] {
        let fired = findings.filter { $0.condition == nil }.map { "  fired     \($0.rule) (\($0.place))" }
        return fired
            + findings.flatMap { finding -> [String] in
                guard let condition = finding.condition else { return [] }
                return ["  not fired \(finding.rule) (\(finding.place)): \(condition)"]
                    + finding.values.map { "              \($0.text) is \(shortened($0.value))" }
            }
    }

    static func document(_ findings: [PolicyFinding]) -> OutputValue {
        .list(
            findings.map { finding in
                .object([
                    .init("rule", .text(finding.rule)), .init("origin", .text(finding.place)),
                    .init("fired", .boolean(finding.condition == nil)),
                    .init("condition", .optional(finding.condition)),
                    .init("values", .object(finding.values.map { .init($0.text, .text($0.value)) })),
                ])
            })
    }

    private static func shortened(_ text: String) -> String { text.count > 200 ? text.prefix(200) + "..." : text }
}
