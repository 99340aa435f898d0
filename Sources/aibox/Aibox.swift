import AiboxEmbedded
import AiboxSystem
import ArgumentParser
import Glibc

/// The command tree, and the one place where an error becomes words and an exit status.
///
/// Commands are synchronous (`ParsableCommand`): looking for an asynchronous `run` costs every start a scan of all
/// protocol conformances. A command with asynchronous work blocks on it itself. Each command of the tree names its
/// `commandName` for the same reason.
@main
struct Aibox: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aibox",
        abstract: "Runs AI coding agents in a sandbox whose limits your organisation sets.",
        version: "0.1.0",
        // One group a line.
        subcommands: [
            Start.self, Shell.self, Stop.self, Status.self, List.self, Logs.self, SSHConfigPrint.self, Code.self,
            PortForwardCommand.self,
            ConfigCommand.self,
            AuthCommand.self,
            PolicyCommand.self, LearnCommand.self, ApprovalsCommand.self,
            NetworkCommand.self,
            LLMCommand.self,
            AuditCommand.self, RecordingCommand.self, MonitorCommand.self, SSHSession.self,
            ImageCommand.self, Update.self,
            DoctorCommand.self, Setup.self, Repair.self, UninstallCommand.self,
            Completion.self, Man.self,
        ]
    )

    @OptionGroup(title: "Global options") var global: GlobalOptions

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            if arguments == ["--version"] { return Output.write(configuration.version + "\n") }
            // As `aibox help` prints it, which takes twice as long to find it out.
            if arguments == ["--help"] { return Output.write(EmbeddedFile.text("configs/help.txt") ?? helpMessage()) }
            // Prompts and scripts ask for one setting; parsing the question takes longer than answering it.
            if arguments.count == 3, arguments.starts(with: ["config", "get"]), !arguments[2].hasPrefix("-") {
                return try ConfigGet.answer(arguments[2], GlobalOptions.layers(), Output(format: .text))
            }
            try ProcessSecrets.take()
            var command = try direct(arguments) ?? parseAsRoot(arguments)
            try command.run()
            end(EXIT_SUCCESS)
        } catch let error as AiboxError {
            leave(saying: "aibox: " + SafeText.escaped(error.description, keepingLines: true), error.code.exitStatus)
        } catch {
            leave(with: error)
        }
    }

    /// The command if the arguments begin with its full name and are right; nil sends them through the whole tree,
    /// which also words what is wrong.
    ///
    /// Parsing each level of the tree takes about a millisecond; this skips all but the last.
    private static func direct(_ arguments: [String]) -> (any ParsableCommand)? {
        var command: any ParsableCommand.Type = Aibox.self
        var rest = arguments[...]
        while let name = rest.first,
            let next = command.configuration.subcommands.first(where: { $0.configuration.commandName == name })
        {
            command = next
            rest.removeFirst()
        }
        guard command.configuration.subcommands.isEmpty, rest.count < arguments.count else { return nil }
        return try? command.parseAsRoot(Array(rest))
    }

    /// Help, the version, an explicit exit status, or a mistake on the command line.
    private static func leave(with error: any Error) -> Never {
        let status = exitCode(for: error).rawValue
        let text = fullMessage(for: error)
        if status == EXIT_SUCCESS {
            if !text.isEmpty { Output.write(text + "\n") }
            end(EXIT_SUCCESS)
        }
        let said = text.hasPrefix("Error: ") ? "aibox: " + text.dropFirst("Error: ".count) : text
        leave(saying: SafeText.escaped(said, keepingLines: true), status)
    }

    private static func leave(saying text: String, _ status: Int32) -> Never {
        if !text.isEmpty { Output.writeError(text + "\n") }
        end(status)
    }

    /// Without what libraries do at an exit: OpenSSL would give up what the audit log's thread still uses.
    private static func end(_ status: Int32) -> Never {
        fflush(nil)
        _exit(status)
    }
}
