import AiboxContainer
import AiboxState
import AiboxSystem
import ArgumentParser

struct Stop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop a sandbox; workspace, home folder and caches stay.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    @Flag(help: "Stop all of them.")
    var all = false

    func run() throws {
        Interruption.hold()
        let context = try global.context()
        let records = all ? try global.running(context) : [try global.sandbox(sandbox, in: context)]
        for record in records {
            try context.stop(record)
            global.output.note("Sandbox \(record.name) is stopped; its workspace, home folder and caches stay.")
        }
        global.output.answer(.text("", .object([.init("stopped", .list(records.map { .text($0.name) }))])))
    }
}
