import AiboxContainer
import AiboxState
import AiboxSystem
import AiboxWire
import ArgumentParser

struct Shell: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell", abstract: "Open a shell in the sandbox, or run a command there.",
        usage: "aibox shell [--name <sandbox>] [-- <command> ...]",
        discussion: "Ends with the exit status of the command.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.")
    var command: [String] = []

    func run() throws {
        let context = try global.context()
        let record = try global.sandbox(sandbox, in: context)
        if let left = try? GatewayClient(runFolder: record.runFolder).status().learning {
            global.output.note(
                "aibox: \(record.name) learns for \(left) s: what the organisation permits passes, and is logged (aibox learn stop)"
            )
        }
        let status = try ShellSession(context: context, record: record).run(command)
        if status != 0 { throw ExitCode(status) }
    }
}
