import AiboxAudit
import AiboxContainer
import AiboxPolicy
import AiboxSystem
import ArgumentParser

struct PolicyExplain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show why a logged decision was what it was, and what would change it.",
        discussion: """
            The question is asked again under the policy of then, which is kept by its digest. aibox policy log lists the \
            decisions.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var audit: AuditOptions

    @Option(help: ArgumentHelp("The decision's id or number.", valueName: "id"), completion: .decisions)
    var logEntry: String

    func run() throws {
        let record = try AuditIndex(folder: audit.folder).require(logEntry)
        guard let logged = LoggedDecision(record) else {
            throw AiboxError(
                .usage, "event \(record.sequence) is no decision", why: "it is of type \(record.type)",
                remedy: "aibox policy log lists the decisions")
        }
        let explanation = try global.context().explain(logged)
        global.output.answer(ExplanationReport.answer(explanation))
    }
}

/// An explanation as an answer.
enum ExplanationReport {
    static func answer(_ explanation: DecisionExplanation) -> Answer {
        .text(
            SafeText.escaped(lines(explanation).joined(separator: "\n"), keepingLines: true), document(explanation))
    }

    private static func lines(_ explanation: DecisionExplanation) -> [String] {
        let logged = explanation.logged
        let record = logged.record
        let time = AuditTime.parse(record.time, now: Timestamp(seconds: 0))?.local ?? record.time
        var lines = ["\(logged.decision): \(logged.action) \(record.subject)"]
        func line(_ name: String, _ text: String) {
            lines.append("  " + name + String(repeating: " ", count: max(1, 10 - name.count)) + text)
        }
        if !logged.reason.isEmpty { line("reason", logged.reason) }
        line("rule", "\(logged.rule), \(logged.layer)" + (explanation.place.map { " (\($0))" } ?? ""))
        if !logged.approval.isEmpty {
            let who = logged.approver.isEmpty ? "nobody answered in time" : "answered by \(logged.approver)"
            line("approval", "\(logged.approval), \(who)")
        }
        if logged.verdict == "review-async" { line("review", "afterwards: it went on") }
        line("when", "\(time), sandbox \(record.sandbox), user \(record.user)")
        if !logged.policy.isEmpty { line("policy", String(logged.policy.prefix(12))) }
        if let again = explanation.again {
            let same = explanation.agrees == true ? "the same" : "NOT the same"
            line("again", "\(logged.verdict(again)) by \(again.rule), \(again.layer): \(same)")
        }
        lines += FindingReport.lines(explanation.findings)
        for change in explanation.changes { line("change", change) }
        for note in explanation.notes { line("note", note) }
        return lines
    }

    private static func document(_ explanation: DecisionExplanation) -> OutputValue {
        var fields = DecisionReport.fields(explanation.logged)
        if let place = explanation.place, let at = fields.firstIndex(where: { $0.name == "origin" }) {
            fields[at].value = .text(place)
        }
        return .object(
            fields + [
                .init(
                    "again",
                    explanation.again.map { again in
                        .object([
                            .init("decision", .text(again.outcome.rawValue)), .init("rule", .text(again.rule)),
                            .init("layer", .text(again.layer)), .init("reason", .text(again.reason)),
                        ])
                    } ?? .null),
                .init("agrees", explanation.agrees.map { .boolean($0) } ?? .null),
                .init("rules", FindingReport.document(explanation.findings)),
                .init("changes", .list(explanation.changes.map { .text($0) })),
                .init("notes", .list(explanation.notes.map { .text($0) })),
            ])
    }
}
