import AiboxConfig
import AiboxSystem
import ArgumentParser

struct ConfigMigrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring a file of the first aibox to today's layout.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "Say what would be done and write nothing.")
    var dryRun = false

    func run() throws {
        let layers = global.layers()
        let (migration, backup) = try layers.migrate(dryRun: dryRun)
        let file = layers.writableFile
        var lines = migration.steps.map { "\(file):\($0.line): \($0.message)" }
        if let backup { lines.append("the old file is kept as \(backup)") }
        if migration.steps.isEmpty { lines.append("\(file) needs no migration") }
        if dryRun, !migration.steps.isEmpty { lines.append("nothing was written (--dry-run)") }
        global.output.answer(
            .text(
                SafeText.escaped(lines.joined(separator: "\n"), keepingLines: true),
                .object([
                    .init("file", .text(file)), .init("from", .integer(migration.from)),
                    .init("to", .integer(migration.to)), .init("written", .boolean(backup != nil)),
                    .init("backup", .optional(backup)),
                    .init(
                        "steps",
                        .list(
                            migration.steps.map {
                                .object([.init("line", .integer($0.line)), .init("message", .text($0.message))])
                            })),
                ])))
    }
}
