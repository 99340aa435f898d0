import AiboxAudit
import AiboxConfig
import AiboxSystem
import ArgumentParser

struct AuditVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that the log is as it was written.",
        discussion: "Ends with status 4 and names the first bad record if it is not.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var audit: AuditOptions

    @Option(help: ArgumentHelp("Trust this log.pub, or check all MACs with this auditor's key.", valueName: "file"))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "Compare with the copies of the checkpoints in this folder. May be repeated.", valueName: "dir"))
    var place: [String] = []

    @Option(help: ArgumentHelp("Demand that the log contains the checkpoint in this file.", valueName: "file"))
    var fromCheckpoint: String?

    @Flag(help: "The folder is a copy without the key state.")
    var copy = false

    func run() throws {
        let verifier = AuditVerifier(
            folder: audit.folder, keyFile: key, secondPlaces: places, checkpointFile: fromCheckpoint, isCopy: copy)
        let result = try verifier.run()
        global.output.answer(.text(AuditReport.text(result), AuditReport.document(result)))
        if result.finding != nil { throw ExitCode(AiboxError.Code.integrity.exitStatus) }
    }

    /// Those given, else the standard one of the user's own log.
    private var places: [String] {
        if !place.isEmpty || audit.log != nil { return place }
        let standard = Paths.current.auditCheckpoints
        return File.isDirectory(standard) ? [standard] : []
    }
}
