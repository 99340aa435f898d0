import AiboxAudit
import AiboxSystem
import ArgumentParser

struct AuditShow: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one event in full.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var audit: AuditOptions

    @Argument(help: "The event's id or number.")
    var event: String

    func run() throws {
        let record = try AuditIndex(folder: audit.folder).require(event)
        global.output.answer(AuditReport.record(record))
    }
}

extension AuditIndex {
    /// The event with an id or a number.
    func require(_ name: String) throws(AiboxError) -> AuditRecord {
        if let record = try event(name) { return record }
        throw AiboxError(.usage, "there is no event \(name)", remedy: "aibox audit search finds events and their ids")
    }
}
