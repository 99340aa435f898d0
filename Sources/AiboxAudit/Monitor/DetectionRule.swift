public import AiboxWire

/// Something worth a person's look, as a condition on events: the one source of the Sigma rules and of `monitor test`.
public struct DetectionRule: Sendable {
    /// A UUID, for good.
    public let id: String
    /// The file's name.
    public let name: String
    public let title: String
    public let description: String
    /// medium, high or critical.
    public let level: String
    /// MITRE ATT&CK, as Sigma tags: `attack.t1611`.
    public let tags: [String]
    /// All of these must hold; of the values of one, any.
    public let conditions: [Condition]
    /// nil: each event counts. Else so many within so many minutes in one session.
    public let threshold: (count: Int, minutes: Int)?
    public let falsePositives: String

    public struct Condition: Sendable {
        public enum Operator: String, Sendable { case equals = "", contains = "|contains", atLeast = "|gte" }
        /// A dotted path into the line.
        public let field: String
        public let comparison: Operator
        public let values: [JSONValue]

        init(_ field: String, _ comparison: Operator = .equals, _ values: JSONValue...) {
            self.field = field
            self.comparison = comparison
            self.values = values
        }

        func holds(in event: JSONValue) -> Bool {
            var value: JSONValue? = event
            for name in field.split(separator: ".") { value = value?[String(name)] }
            guard let value else { return false }
            switch comparison {
            case .equals: return values.contains { Self.folded($0) == Self.folded(value) }
            case .contains:
                guard let text = value.stringValue?.lowercased() else { return false }
                return values.contains { $0.stringValue.map { text.contains($0.lowercased()) } ?? false }
            case .atLeast:
                guard let number = value.wholeNumber else { return false }
                return values.contains { $0.wholeNumber.map { number >= $0 } ?? false }
            }
        }

        /// Sigma compares text without regard to case.
        private static func folded(_ value: JSONValue) -> JSONValue {
            value.stringValue.map { .string($0.lowercased()) } ?? value
        }
    }

    init(
        _ name: String, id: String, _ title: String, _ level: String, tags: [String], threshold: (Int, Int)? = nil,
        falsePositives: String, _ description: String, _ conditions: Condition...
    ) {
        self.name = name
        self.id = id
        self.title = title
        self.level = level
        self.tags = tags
        self.threshold = threshold
        self.falsePositives = falsePositives
        self.description = description
        self.conditions = conditions
    }

    /// The events at which the rule fires, of a list in the order of time.
    public func firings(in records: [AuditRecord]) -> [AuditRecord] {
        let matching = records.filter { record in conditions.allSatisfy { $0.holds(in: record.json) } }
        guard let threshold else { return matching }
        var firings: [AuditRecord] = []
        for (session, events) in Dictionary(grouping: matching, by: \.session) where !session.isEmpty {
            let times = events.map { Int64(CEFForm.milliseconds($0.time)) ?? 0 }
            var start = 0
            var quietUntil: Int64 = .min
            for (index, time) in times.enumerated() {
                while time - times[start] > Int64(threshold.minutes) * 60_000 { start += 1 }
                if index - start + 1 >= threshold.count, time > quietUntil {
                    firings.append(events[index])
                    quietUntil = time + Int64(threshold.minutes) * 60_000
                }
            }
        }
        return firings.sorted { $0.sequence < $1.sequence }
    }
}
