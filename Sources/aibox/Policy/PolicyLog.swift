import AiboxAudit
import AiboxContainer
import AiboxSystem
import AiboxWire
import ArgumentParser

struct PolicyLog: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show the decisions: what was asked, the answer, the rule.",
        discussion: "The decisions are events of the audit log; -o jsonl prints each with all that is known of it.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var audit: AuditOptions

    @Option(help: "Decisions about this sandbox.", completion: .sandboxes) var sandbox: String?
    @Option(help: "Decisions since: 30m, 12h, 7d, 2026-03-01, 2026-03-01T09:30:00Z.") var since: String?
    @Flag(help: "Denials only.") var denied = false
    @Option(help: "The newest so many.") var limit = 1000

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit takes a number above zero") }
        if let since, AuditTime.parse(since, now: .now) == nil {
            throw ValidationError("--since does not take \(since)")
        }
    }

    func run() throws {
        var query = AuditIndex.Query()
        query.sandbox = sandbox
        query.types = denied ? [.policyDeny, .networkDeny] : LoggedDecision.types
        query.limit = limit
        query.since = since.flatMap { AuditTime.parse($0, now: .now) }
        let decisions = try AuditIndex(folder: audit.folder).search(query).compactMap(LoggedDecision.init)
        if global.format != .text {
            return global.output.answer(.text("", .list(decisions.map(DecisionReport.document))))
        }
        global.output.answer(.listing(DecisionReport.listing(decisions)))
        if decisions.count == limit { global.output.note("the newest \(limit) decisions; --limit shows more") }
    }
}

/// Decisions as answers.
enum DecisionReport {
    static func listing(_ decisions: [LoggedDecision]) -> Listing {
        Listing(
            columns: ["seq", "time", "decision", "action", "subject", "rule", "layer", "sandbox"],
            rows: decisions.map { decision in
                let record = decision.record
                let time = AuditTime.parse(record.time, now: Timestamp(seconds: 0))?.local ?? record.time
                return [
                    .integer(Int(record.sequence)), .text(time), .text(decision.decision), .text(decision.action),
                    .text(record.subject), .text(decision.rule), .text(decision.layer), .text(record.sandbox),
                ]
            })
    }

    static func document(_ decision: LoggedDecision) -> OutputValue { .object(fields(decision)) }

    static func fields(_ decision: LoggedDecision) -> [OutputValue.Field] {
        let record = decision.record
        func text(_ name: String) -> OutputValue {
            let text = decision.detail(name)
            return text.isEmpty ? .null : .text(text)
        }
        return [
            .init("id", .text(record.id)), .init("seq", .integer(Int(record.sequence))),
            .init("time", .text(record.time)), .init("action", .text(decision.action)),
            .init("subject", .text(record.subject)), .init("user", .text(record.user)),
            .init("sandbox", .text(record.sandbox)), .init("session", .text(record.session)),
            .init("decision", .text(decision.decision)), .init("risk", .text(decision.risk)),
            .init("rule", .text(decision.rule)), .init("layer", .text(decision.layer)), .init("origin", text("origin")),
            .init("reason", text("reason")), .init("review", text("review")), .init("approval", text("approval")),
            .init("approver", text("approver")), .init("policy", .text(decision.policy)),
            .init("policies", text("policies")), .init("input", text("input")),
            .init("duration_us", decision.microseconds.map { .integer(Int($0)) } ?? .null),
            .init(
                "question",
                record.json["details"]?["question"].map(AuditReport.document) ?? .null),
        ]
    }
}
