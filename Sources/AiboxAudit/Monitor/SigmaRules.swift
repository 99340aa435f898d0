import AiboxWire

/// Detection rules as Sigma documents (sigmahq.io, specification 2).
enum SigmaRules {
    /// File names with their content.
    static var files: [(name: String, text: String)] {
        DetectionRule.all.flatMap { rule in
            [("sigma/\(rule.name).yml", text(rule))]
                + (correlation(rule).map { [("sigma-correlations/\(rule.name)-count.yml", $0)] } ?? [])
        }
    }

    /// The rule for one event.
    static func text(_ rule: DetectionRule) -> String {
        """
        title: \(quoted(rule.threshold == nil ? rule.title : rule.title + " (one event)"))
        id: \(rule.id)
        \(rule.threshold == nil ? "" : "name: \(rule.name.replacing("-", with: "_"))_event\n")status: experimental
        description: \(quoted(rule.description))
        author: aibox
        date: 2026-01-01
        references:
            - https://attack.mitre.org/techniques/\(technique(rule))/
        tags:
        \(rule.tags.map { "    - \($0)" }.joined(separator: "\n"))
        logsource:
            product: aibox
            service: audit
        detection:
            selection:
        \(rule.conditions.map(condition).joined(separator: "\n"))
            condition: selection
        falsepositives:
            - \(quoted(rule.falsePositives))
        level: \(rule.threshold == nil ? rule.level : "informational")

        """
    }

    /// The rule for so many of them, with that for one before it; only some programs can convert it.
    static func correlation(_ rule: DetectionRule) -> String? {
        guard let threshold = rule.threshold else { return nil }
        return text(rule) + """
            ---
            title: \(quoted(rule.title))
            id: \(rule.id.prefix(34))f\(rule.id.suffix(1))
            status: experimental
            description: \(quoted(rule.description))
            author: aibox
            date: 2026-01-01
            tags:
            \(rule.tags.map { "    - \($0)" }.joined(separator: "\n"))
            correlation:
                type: event_count
                rules:
                    - \(rule.name.replacing("-", with: "_"))_event
                group-by:
                    - session
                timespan: \(threshold.minutes)m
                condition:
                    gte: \(threshold.count)
            falsepositives:
                - \(quoted(rule.falsePositives))
            level: \(rule.level)

            """
    }

    private static func technique(_ rule: DetectionRule) -> String {
        let name = rule.tags.first { $0.hasPrefix("attack.t") && ($0.dropFirst(8).first?.isNumber ?? false) } ?? ""
        return name.dropFirst(7).uppercased().replacing(".", with: "/")
    }

    private static func condition(_ condition: DetectionRule.Condition) -> String {
        let head = "        \(condition.field)\(condition.comparison.rawValue):"
        if condition.values.count == 1 { return head + " " + value(condition.values[0]) }
        return ([head] + condition.values.map { "            - " + value($0) }).joined(separator: "\n")
    }

    private static func value(_ value: JSONValue) -> String { value.stringValue.map(quoted) ?? value.text }

    private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
}
