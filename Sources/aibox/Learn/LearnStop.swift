import AiboxContainer
import AiboxState
import AiboxWire
import ArgumentParser

struct LearnStop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Hold the sandbox to its own policy again; what passed by learning is closed.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    func run() throws {
        let context = try global.context()
        let record = try global.sandbox(sandbox, in: context)
        try GatewayClient(runFolder: record.runFolder).change(LearnChange.stop)
        global.output.answer(
            .text(
                "\(record.name) is held to its own policy.",
                .object([.init("sandbox", .text(record.name)), .init("learning", false)])))
    }
}
