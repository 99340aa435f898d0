import AiboxAudit
import AiboxSystem
import AiboxWire

/// The answers of the audit commands.
enum AuditReport {
    static func text(_ result: AuditVerification) -> String {
        var lines: [String] = []
        if let finding = result.finding {
            lines.append("The audit log is NOT as it was written: \(finding.kind.rawValue).")
            lines.append("  " + finding.explanation)
            var place = finding.file
            if let line = finding.line { place += ", line \(line)" }
            if let offset = finding.offset { place += ", byte \(offset)" }
            lines.append("  in " + place)
        } else {
            lines.append(
                "The audit log is as it was written: \(result.events) events, \(result.covered) of them signed by \(result.checkpoints) checkpoints."
            )
            if result.removed > 0 {
                lines.append(
                    "  Events 1 to \(result.removed) were removed after their retention; a tombstone stands for them.")
            }
            if result.checkedMACs { lines.append("  The MAC of every event is right.") }
            for place in result.agreeingPlaces { lines.append("  \(place) agrees.") }
        }
        for notice in result.notices { lines.append("note: " + notice) }
        return lines.map { SafeText.escaped($0) + "\n" }.joined()
    }

    static func document(_ result: AuditVerification) -> OutputValue {
        .object([
            .init("ok", .boolean(result.finding == nil)), .init("origin", .text(result.origin)),
            .init("events", .integer(Int(result.events))), .init("removed", .integer(Int(result.removed))),
            .init("covered", .integer(Int(result.covered))),
            .init("checkpoints", .integer(result.checkpoints)), .init("files", .integer(result.files)),
            .init("bytes", .integer(Int(result.bytes))), .init("macs_checked", .boolean(result.checkedMACs)),
            .init("agreeing_places", .list(result.agreeingPlaces.map(OutputValue.text))),
            .init("silent_places", .list(result.silentPlaces.map(OutputValue.text))),
            .init("finding", result.finding.map(document) ?? .null),
            .init("notices", .list(result.notices.map(OutputValue.text))),
        ])
    }

    private static func document(_ finding: AuditFinding) -> OutputValue {
        .object([
            .init("kind", .text(finding.kind.rawValue)),
            .init("seq", finding.sequence.map { .integer(Int($0)) } ?? .null),
            .init("last_seq", finding.last.map { .integer(Int($0)) } ?? .null),
            .init("file", .text(finding.file)), .init("line", finding.line.map { .integer($0) } ?? .null),
            .init("offset", finding.offset.map { .integer(Int($0)) } ?? .null),
            .init("explanation", .text(finding.explanation)),
        ])
    }

    /// Events as a table, or as the documents that they are.
    static func listing(_ records: [AuditRecord], _ format: OutputFormat) -> Answer {
        if format != .text { return .text("", .list(records.map { document($0.json) })) }
        return .listing(
            Listing(
                columns: ["seq", "time", "type", "outcome", "sandbox", "subject"],
                rows: records.map { record in
                    [
                        .integer(Int(record.sequence)), .text(shortTime(record)), .text(record.type),
                        .text(record.outcome), .text(record.sandbox), .text(record.subject),
                    ]
                }))
    }

    /// One event in full.
    static func record(_ record: AuditRecord) -> Answer {
        guard case .object(let object) = record.json else { return .text("", document(record.json)) }
        return .record(object.members.map { .init($0.name, document($0.value)) })
    }

    static func document(_ json: JSONValue) -> OutputValue {
        switch json {
        case .null: .null
        case .bool(let value): .boolean(value)
        case .integer(let value): .integer(Int(value))
        case .number(let value): .number(value)
        case .string(let value): .text(value)
        case .array(let elements): .list(elements.map(document))
        case .object(let object): .object(object.members.map { .init($0.name, document($0.value)) })
        }
    }

    /// Local time to the second, as every listing has it.
    private static func shortTime(_ record: AuditRecord) -> String {
        AuditTime.parse(record.time, now: Timestamp(seconds: 0))?.local ?? record.time
    }
}
