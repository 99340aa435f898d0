import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxSystem
import ArgumentParser

struct AuditArchiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive", abstract: "Copy finished files of the log to where nothing changes them any more.",
        discussion: """
            The place is a folder, in which files become read-only and, where possible, immutable; or a bucket with \
            object lock: s3://BUCKET/PREFIX?endpoint=HOST&region=REGION. Each file gets a signed manifest. Can be \
            interrupted and run again at any time.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The folder, or the bucket's address.")
    var place: String

    @Flag(help: "Finish the newest file first, so that every event is copied.")
    var all = false

    @Flag(help: "Do not copy; read everything back and check it. Ends with status 4 if it is not as it was sealed.")
    var verify = false

    @Option(help: ArgumentHelp("Trust this log.pub when checking; else your own log's.", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("Keep the copies so many days at least.", valueName: "days"))
    var days = AuditRetention.tier1.days

    @Option(help: ArgumentHelp("Remove this sealed file, if its time has passed.", valueName: "name"))
    var remove: String?

    func validate() throws {
        if days < AuditRetention.tier1.days {
            throw ValidationError("--days takes \(AuditRetention.tier1.days) or more")
        }
    }

    func run() throws {
        let context = try global.context()
        let archive = AuditArchive(
            place.hasPrefix("s3://")
                ? try S3Store(place) as any ArchiveStore
                : FolderStore(folder: context.paths.absolute(place, base: Path.current)))
        if let remove {
            try archive.remove(remove)
            global.output.answer(.text("Removed \(remove).", .object([.init("removed", .text(remove))])))
        } else if verify {
            try check(archive, context.paths.auditFolder + "/log.pub")
        } else {
            let sealed = try archive.seal(
                log: context.paths.auditFolder, context: AuditContext(source: .cli, user: context.user.name),
                options: try SandboxAudit.options(context), rotating: all, days: days)
            global.output.answer(
                .text(
                    "\(sealed.files.count) files sealed, \(sealed.known) were there already.",
                    .object([
                        .init("sealed", .list(sealed.files.map(OutputValue.text))),
                        .init("known", .integer(sealed.known)),
                    ])))
        }
    }

    private func check(_ archive: AuditArchive, _ own: String) throws {
        let trusted = key ?? (File.exists(own) ? own : nil)
        let result = try archive.verify(key: try trusted.map { try File.text($0, limit: 65_536) })
        let text =
            result.findings.isEmpty
            ? "\(result.files) files with events \(result.first) to \(result.last), \(result.bytes) bytes, are as they were sealed."
            : "The archive is NOT as it was sealed:\n" + result.findings.map { "  " + $0 }.joined(separator: "\n")
        global.output.answer(
            .text(
                text,
                .object([
                    .init("ok", .boolean(result.findings.isEmpty)), .init("files", .integer(result.files)),
                    .init("first", .integer(Int(result.first))), .init("last", .integer(Int(result.last))),
                    .init("findings", .list(result.findings.map(OutputValue.text))),
                ])))
        if !result.findings.isEmpty { throw ExitCode(AiboxError.Code.integrity.exitStatus) }
    }
}
