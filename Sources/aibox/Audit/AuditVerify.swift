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
            "Compare with the checkpoints in this folder, or at this address as in audit.checkpoint_places. May be repeated.",
            valueName: "place"))
    var place: [String] = []

    @Option(help: ArgumentHelp("Demand that the log contains the checkpoint in this file.", valueName: "file"))
    var fromCheckpoint: String?

    @Flag(help: "The folder is a copy without the key state.")
    var copy = false

    func run() throws {
        let (folders, addresses, unknown) = try places()
        let verifier = AuditVerifier(
            folder: audit.folder, keyFile: key, secondPlaces: folders, places: addresses,
            checkpointFile: fromCheckpoint, isCopy: copy)
        let result = try verifier.run()
        global.output.answer(.text(AuditReport.text(result), AuditReport.document(result)))
        if result.finding != nil { throw ExitCode(AiboxError.Code.integrity.exitStatus) }
        // What was not asked was not verified.
        if let unknown {
            throw AiboxError(
                .failed, "the log was compared with no place beside this machine", why: "\(unknown)",
                remedy: "--place names one, whatever the settings say")
        }
        if !result.silentPlaces.isEmpty { throw ExitCode(AiboxError.Code.failed.exitStatus) }
    }

    /// Those given, else the standard one of the user's own log and those that are configured.
    ///
    /// The log itself is verified also where the settings cannot be read.
    private func places() throws -> (folders: [String], addresses: [PlaceAddress], unknown: (any Error)?) {
        if !place.isEmpty || audit.log != nil {
            return try (
                place.filter { !$0.contains("://") },
                place.filter { $0.contains("://") }.map { text throws(AiboxError) in try PlaceAddress(text) }, nil
            )
        }
        let standard = Paths.current.auditCheckpoints
        let folders = File.isDirectory(standard) ? [standard] : []
        let addresses = Result { try CheckpointPlaces(global).addresses }
        switch addresses {
        case .success(let addresses): return (folders, addresses, nil)
        case .failure(let error): return (folders, [], error)
        }
    }
}
