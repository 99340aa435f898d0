import AiboxAudit
import AiboxConfig
import AiboxSystem
import ArgumentParser

struct AuditReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Report on one stay in a sandbox, as a page or as JSON.",
        discussion: """
            The page is one HTML file that loads nothing; with -o json the same is one document. The log is verified \
            first, and the report says how that ended and which second places agree; its status is 4 if the log is not as \
            it was written, and 1 if a place did not answer.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var audit: AuditOptions

    @Option(help: "The session; see aibox audit search --type sandbox.start.")
    var session: String

    @Option(help: ArgumentHelp("Write the page to this file instead of standard output.", valueName: "file"))
    var file: String?

    func run() throws {
        let place = Paths.current.auditCheckpoints
        let isOwn = audit.log == nil
        let result = try AuditVerifier(
            folder: audit.folder, secondPlaces: isOwn && File.isDirectory(place) ? [place] : [],
            places: isOwn ? try CheckpointPlaces(global).addresses : []
        ).run()
        let summary = try SessionSummary(folder: audit.folder, session: session, verification: result)
        let page = SessionPage(summary).html
        if let file { try File.replace(file, with: page) }
        global.output.answer(
            .text(
                file == nil ? page : "\(file ?? ""): \(summary.records.count) events",
                AuditReport.document(summary.json)))
        if result.finding != nil { throw ExitCode(AiboxError.Code.integrity.exitStatus) }
        // What was not asked was not verified.
        if !result.silentPlaces.isEmpty { throw ExitCode(AiboxError.Code.failed.exitStatus) }
    }
}
