import AiboxConfig
import AiboxSystem
import ArgumentParser

/// Which log a command reads.
struct AuditOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Read the log in this folder instead of your own.", valueName: "dir"))
    var log: String?

    /// The folder of the log.
    var folder: String { log ?? Paths.current.auditFolder }
}
