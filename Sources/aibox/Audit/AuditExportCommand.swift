import AiboxAudit
import AiboxSystem
import ArgumentParser
import Glibc

struct AuditExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write events to standard output in the form of another program.",
        discussion:
            "jsonl: the lines as they are. cef: ArcSight. ocsf: Open Cybersecurity Schema Framework. csv: RFC 4180.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var audit: AuditOptions

    @Option(name: .customLong("format"), help: "jsonl, cef, ocsf or csv.")
    var form = "jsonl"

    @Option(help: "Events of this session.") var session: String?
    @Option(help: "Events of this sandbox.", completion: .sandboxes) var sandbox: String?
    @Option(help: "Events of this type, or of a group.") var type: String?
    @Option(help: "Events since: 30m, 12h, 7d, 2026-03-01, 2026-03-01T09:30:00Z.") var since: String?
    @Option(help: "Events until: as --since.") var until: String?

    func run() throws {
        guard let form = AuditExportFormat(rawValue: form) else {
            throw ValidationError("--format takes jsonl, cef, ocsf or csv")
        }
        var query = AuditIndex.Query()
        query.session = session
        query.sandbox = sandbox
        query.type = type
        query.since = try moment("since", since)
        query.until = try moment("until", until)
        let target = Descriptor(dup(STDOUT_FILENO))
        var pending = Array(form.preamble.utf8)
        try AuditIndex(folder: audit.folder).forEach(query) { (record) throws(AiboxError) in
            pending += form.render(record)
            if pending.count >= 1 << 16 {
                try File.writeAll(pending, to: target, "standard output")
                pending = []
            }
        }
        try File.writeAll(pending, to: target, "standard output")
    }

    private func moment(_ name: String, _ text: String?) throws -> Timestamp? {
        guard let text else { return nil }
        guard let moment = AuditTime.parse(text, now: .now) else {
            throw ValidationError("--\(name) does not take \(text)")
        }
        return moment
    }
}
