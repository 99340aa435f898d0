import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxPolicy
import AiboxSystem
import ArgumentParser

struct PolicyReplay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Show which logged decisions other policies would change.",
        discussion: """
            Every decision is made again under the policies of then, with the candidates in the place of the organisation's, \
            every team's and every project's. What they refuse to be merged with refuses everything. Decisions about the same with the same answer are one row. What policies said is compared: a \
            review stays one, whether a person agreed or not (review-async: it goes on, and is looked at later).
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The folder of an audit log; else your own.", completion: .directory)
    var log: String?

    @OptionGroup var candidates: PolicyCandidateOptions

    @Option(help: ArgumentHelp("Decisions about this sandbox.", valueName: "sandbox"), completion: .sandboxes)
    var sandbox: String?

    func validate() throws {
        if !candidates.isNamed { throw ValidationError("Name a candidate: --with, --with-team or --with-project.") }
    }

    /// What makes decisions one row.
    private struct Change: Hashable {
        var action: String
        var subject: String
        var was: String
        var would: String
        var rule: String
        var reason: String
    }

    func run() throws {
        let context = try global.context()
        var replay = DecisionReplay(context, candidates: try candidates.sources())
        var query = AuditIndex.Query()
        query.sandbox = sandbox
        query.types = LoggedDecision.types
        var changes: [Change: (count: Int, first: Int)] = [:]
        var order: [Change] = []
        var total = 0
        var silent = 0
        try AuditIndex(folder: log ?? context.paths.auditFolder).forEach(query) { (record) throws(AiboxError) in
            guard let logged = LoggedDecision(record) else { return }
            total += 1
            guard let decision = try replay.decide(logged) else {
                silent += 1
                return
            }
            let would = logged.verdict(decision)
            if would == logged.verdict { return }
            let change = Change(
                action: logged.action, subject: record.subject, was: logged.verdict, would: would,
                rule: decision.rule, reason: decision.reason)
            if changes[change] == nil { order.append(change) }
            changes[change, default: (0, Int(record.sequence))].count += 1
        }
        let rows = order.map { change -> [OutputValue] in
            let (count, first) = changes[change] ?? (0, 0)
            return [
                .text(change.was), .text(change.would), .text(change.action), .text(change.subject),
                .text(change.rule), .integer(count), .integer(first), .text(change.reason),
            ]
        }
        global.output.answer(
            .listing(
                Listing(
                    columns: ["was", "would", "action", "subject", "rule", "decisions", "first_seq", "reason"],
                    rows: rows)))
        let changed = changes.values.reduce(0) { $0 + $1.count }
        global.output.note(
            "\(changed) of \(total) decisions change" + (silent > 0 ? "; \(silent) cannot be asked again" : ""))
    }
}
