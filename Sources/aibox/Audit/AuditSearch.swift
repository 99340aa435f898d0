import AiboxAudit
import AiboxSystem
import ArgumentParser

struct AuditSearch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Find events by session, sandbox, type, time or text.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var audit: AuditOptions

    @Option(help: "Events of this session.") var session: String?
    @Option(help: "Events of this sandbox.", completion: .sandboxes) var sandbox: String?
    @Option(help: "Events on behalf of this user.") var user: String?
    @Option(help: "Events of this type, or of a group: network, policy.deny.") var type: String?
    @Option(help: "Events of this severity: info, warning, high, critical.") var severity: String?
    @Option(help: "Events with this outcome: success, allowed, denied, pending, failure, unknown.") var outcome: String?
    @Option(help: "Events since: 30m, 12h, 7d, 2026-03-01, 2026-03-01T09:30:00Z.") var since: String?
    @Option(help: "Events until: as --since.") var until: String?
    @Option(help: "Events that contain this text.") var text: String?
    @Option(help: "The newest so many.") var limit = 1000

    func run() throws {
        let records = try AuditIndex(folder: audit.folder).search(try query())
        global.output.answer(AuditReport.listing(records, global.format))
        if records.count == limit { global.output.note("the newest \(limit) events; --limit shows more") }
    }

    private func query() throws -> AuditIndex.Query {
        guard limit > 0 else { throw ValidationError("--limit takes a number above zero") }
        var query = AuditIndex.Query()
        query.session = session
        query.sandbox = sandbox
        query.user = user
        query.type = type
        query.severity = try value("severity", severity, AuditSeverity.init)
        query.outcome = try value("outcome", outcome, AuditOutcome.init)
        query.since = try value("since", since) { AuditTime.parse($0, now: .now) }
        query.until = try value("until", until) { AuditTime.parse($0, now: .now) }
        query.text = text
        query.limit = limit
        return query
    }

    private func value<Value>(_ name: String, _ text: String?, _ make: (String) -> Value?) throws -> Value? {
        guard let text else { return nil }
        guard let value = make(text) else { throw ValidationError("--\(name) does not take \(text)") }
        return value
    }
}
