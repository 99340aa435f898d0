import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxSystem
import ArgumentParser

struct AuditExpire: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "expire", abstract: "Remove the oldest files of events past their retention.",
        discussion: """
            A signed tombstone takes their place, from which verification goes on. A file goes as a whole, once each \
            of its events is past its retention. Does nothing without --confirm but tell what would go.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(help: ArgumentHelp("Keep events of tier 1 so many days; 730 at least.", valueName: "days"))
    var tier1 = AuditRetention.tier1.days

    @Option(help: ArgumentHelp("Keep events of tier 2 so many days; 365 at least.", valueName: "days"))
    var tier2 = AuditRetention.tier2.days

    @Flag(help: "Do it.")
    var confirm = false

    func run() throws {
        let context = try global.context()
        let days = try AuditRetentionDays(tier1: tier1, tier2: tier2)
        let expiry = try AuditLog.expire(
            folder: context.paths.auditFolder, context: AuditContext(source: .cli, user: context.user.name),
            options: try SandboxAudit.options(context), days: days, isTrial: !confirm)
        global.output.answer(
            .text(
                text(expiry),
                .object([
                    .init("removed", .boolean(confirm && !expiry.files.isEmpty)),
                    .init("files", .list(expiry.files.map(OutputValue.text))),
                    .init("first", .integer(Int(expiry.first))), .init("last", .integer(Int(expiry.last))),
                    .init("bytes", .integer(expiry.bytes)),
                ])))
    }

    private func text(_ expiry: AuditExpiry) -> String {
        if expiry.files.isEmpty { return "No file holds only events past their retention." }
        let what = "\(expiry.files.count) files with events \(expiry.first) to \(expiry.last), \(expiry.bytes) bytes"
        return confirm ? "Removed: \(what)." : "Would be removed with --confirm: \(what)."
    }
}
