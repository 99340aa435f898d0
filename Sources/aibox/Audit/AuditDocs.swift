import AiboxAudit
import ArgumentParser

/// Prints what docs/ and configs/ hold of the event types.
struct AuditDocs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docs", abstract: "Print the documentation or the JSON schema of the events.", shouldDisplay: false
    )

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "The JSON schema.")
    var schema = false

    func run() throws {
        let page = schema ? AuditEventSchema.json : AuditEventSchema.markdown
        global.output.answer(.text(page, .object([.init("text", .text(page))])))
    }
}
