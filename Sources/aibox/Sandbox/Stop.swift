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

    @Flag(help: "Also remove the home folder and the caches, of a stopped sandbox too; only the workspace stays.")
    var volumes = false

    func run() throws {
        Interruption.hold()
        let context = try global.context()
        var stopped: [String] = []
        let leases = LeaseCare(global)
        for record in try chosen(context) {
            try context.stop(record)
            stopped.append(record.name)
            leases.settle(record.name)
            let kept = volumes ? "." : "; its workspace, home folder and caches stay."
            global.output.note("Sandbox \(record.name) is stopped\(kept)")
        }
        leases.sweep()
        let left = stopped.flatMap { leases.reports(of: $0, isOver: true) }
        for report in left { global.output.note("aibox: " + report.words) }
        var removed: [String] = []
        if volumes {
            let names = all || !stopped.isEmpty ? stopped : [sandbox.name].compactMap(\.self)
            for name in names {
                removed += try context.destroy(try SandboxName(name))
                global.output.note("Home folder and caches of \(name) are removed; its workspace stays.")
            }
        }
        // Stopping succeeds also with settings that the policy does not allow.
        try? CheckpointPlaces(global).wake(global)
        global.output.answer(
            .text(
                "",
                .object([
                    .init("stopped", .list(stopped.map(OutputValue.text))),
                    .init("removed", .list(removed.map(OutputValue.text))),
                    .init("leases_left", .list(left.map(\.value))),
                ])))
    }

    /// The running sandboxes that are meant; none where a name and `--volumes` mean a stopped one.
    private func chosen(_ context: SandboxContext) throws -> [SandboxRecord] {
        if all { return try global.running(context) }
        if volumes, let name = sandbox.name { return try global.running(context).filter { $0.name == name } }
        return [try global.sandbox(sandbox, in: context)]
    }
}
