import AiboxContainer
import AiboxState
import AiboxSystem
import ArgumentParser

struct Repair: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Put things right that have gone bad.", subcommands: [RepairCache.self])
}

struct RepairCache: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Empty the caches of the package managers; home folders and workspaces stay.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    func run() throws {
        let context = try global.context()
        let running = try global.running(context)
        let name = try sandbox.name.map { try SandboxName($0) }
        let busy = running.filter { name == nil || $0.name == name?.text }
        if let record = busy.first {
            throw AiboxError(
                .failed, "the caches are in use", why: "the sandbox \(record.name) is running",
                remedy: "aibox stop --name \(record.name)")
        }
        let removed = try CacheRepair(context: context).empty(name)
        global.output.answer(
            .text(
                removed.isEmpty ? "There are no caches." : "Emptied \(removed.count) caches.",
                .object([.init("removed", .list(removed.map(OutputValue.text)))])))
    }
}
