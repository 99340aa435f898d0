import AiboxConfig
public import AiboxState
public import AiboxSystem
import Glibc

/// What a client of `RecordedDoor` asked for, carried out in the sandbox and recorded.
public struct HostSSHSession {
    let context: SandboxContext
    let record: SandboxRecord

    public init(context: SandboxContext, record: SandboxRecord) {
        self.context = context
        self.record = record
    }

    /// - Parameter request: the client's command as sshd hands it over (`SSH_ORIGINAL_COMMAND`); empty for a shell.
    /// - Returns: the exit status.
    public func run(_ request: String) throws(AiboxError) -> Int32 {
        guard let rule = try RecordingRule.load(context, sandbox: record.name),
            let configuration = RecordedDoor.innerConfiguration(of: record.name, context.paths)
        else {
            throw AiboxError(
                .failed, "cannot open a session", why: "this sandbox was started without recording",
                remedy: "aibox stop, then aibox start")
        }
        let terminal = isatty(STDIN_FILENO) == 1
        let isTransfer = request == RecordedDoor.sftp
        var arguments = [
            "-F", configuration, "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "EscapeChar=none",
            "-o", "SendEnv=COLORTERM LANG LC_*", terminal ? "-tt" : "-T",
        ]
        if isTransfer {
            arguments += ["-s", record.container, "sftp"]
        } else {
            // One argument, as the client sent it: it is for the shell inside and for no other.
            arguments += request.isEmpty ? [record.container] : [record.container, request]
        }
        return try RecordedSession(context: context, record: record, rule: rule).run(
            Command("ssh", arguments), title: isTransfer ? "sftp" : request, kind: "ssh", terminal: terminal,
            isKept: !isTransfer)
    }
}
