import AiboxContainer
import AiboxSystem
import ArgumentParser

/// What the host's sshd runs for every client where sessions are recorded.
struct SSHSession: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ssh-session", abstract: "Carry out what an SSH client asked for, recorded.", shouldDisplay: false)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    func run() throws {
        let context = try global.context()
        let record = try global.sandbox(sandbox, in: context)
        let request = Environment.value("SSH_ORIGINAL_COMMAND") ?? ""
        let status = try HostSSHSession(context: context, record: record).run(request)
        if status != 0 { throw ExitCode(status) }
    }
}
