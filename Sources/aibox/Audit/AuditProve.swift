import AiboxAudit
import AiboxSystem
import ArgumentParser

struct AuditProve: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove", abstract: "Print the proof that an event is in the signed log.",
        discussion: "Anyone can check it with the log's public key: aibox audit check-proof, or the script in docs/.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var audit: AuditOptions

    @Argument(help: "The event's id or number.")
    var event: String

    func run() throws {
        let record = try AuditIndex(folder: audit.folder).require(event)
        let proof = try InclusionProof(folder: audit.folder, sequence: record.sequence).text
        global.output.answer(.text(proof, .object([.init("proof", .text(proof))])))
    }
}
