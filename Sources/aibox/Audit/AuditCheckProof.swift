import AiboxAudit
import AiboxSystem
import ArgumentParser

struct AuditCheckProof: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-proof", abstract: "Check the proof of an event, without the log.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var audit: AuditOptions

    @Option(help: ArgumentHelp("The log's public key: its log.pub. Without it, your own log's.", valueName: "file"))
    var key: String?

    @Argument(help: "The file with the proof.")
    var file: String

    func run() throws {
        let proof = try InclusionProof(try File.text(file, limit: 1 << 22), from: file)
        let statement = try proof.check(key: try File.text(key ?? audit.folder + "/log.pub", limit: 65_536))
        let event = statement.event
        let text = """
            The proof holds: event \(event.sequence) (\(event.type), \(event.time)) is in the log
              \(statement.origin)
            which was signed over \(statement.size) events at \(statement.time).
              \(SafeText.escaped(String(decoding: event.line, as: UTF8.self)))
            """
        global.output.answer(
            .text(
                text,
                .object([
                    .init("ok", true), .init("origin", .text(statement.origin)),
                    .init("size", .integer(Int(statement.size))), .init("signed", .text(statement.time)),
                    .init("event", AuditReport.document(event.json)),
                ])))
    }
}
