import AiboxConfig
public import AiboxState
public import AiboxSystem
import AiboxWire
import Glibc

/// A shell or a command inside, as the user `dev`. ssh is a child of this process and has its terminal, so that
/// resizing and everything typed pass through untouched; this process waits to tell the audit log of the end.
public struct ShellSession {
    let context: SandboxContext
    let record: SandboxRecord

    public init(context: SandboxContext, record: SandboxRecord) {
        self.context = context
        self.record = record
    }

    /// - Parameter command: nothing opens a login shell.
    /// - Returns: the exit status.
    public func run(_ command: [String]) throws(AiboxError) -> Int32 {
        // A gateway that does not answer is ssh's to report.
        if let reason = try? GatewayClient(runFolder: record.runFolder).status().cutOff {
            throw AiboxError(
                .layerMissing, "the sandbox \(record.name) is cut off", why: SafeText.escaped(reason),
                remedy: "aibox doctor --fix connects it again")
        }
        let terminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
        let login = [context.configuration.shell == .zsh ? "/usr/bin/zsh" : "/bin/bash", "--login"]
        let session = SandboxSession(paths: context.paths, record: record)
        session.keepConnection()
        let ssh = try session.command(
            command.isEmpty ? login : command,
            folder: Self.folderInside(Path.current, workspace: record.workspace), terminal: terminal)
        let title = command.map(ShellQuoting.quoted).joined(separator: " ")
        let kind = command.isEmpty ? "shell" : "command"
        guard let rule = try RecordingRule.load(context, sandbox: record.name), rule.isRequired || terminal else {
            let audit = try SandboxAudit(context, sandbox: record.name, session: record.session)
            return try PlainSession(audit: audit, title: title, kind: kind).run(ssh)
        }
        return try RecordedSession(context: context, record: record, rule: rule).run(
            ssh, title: title, kind: kind, terminal: terminal)
    }

    /// Where `current` is inside: a command typed in a folder of the workspace runs in that folder.
    static func folderInside(_ current: String, workspace: String) -> String {
        guard current != workspace, Path.isInside(current, workspace) else { return "/workspace" }
        return "/workspace" + current.dropFirst(workspace.count)
    }
}
