import AiboxConfig
public import AiboxState
public import AiboxSystem
import Glibc

/// A shell or a command inside, as the user `dev`. This process becomes podman's, so that terminal,
/// signals, resizing and exit status pass through untouched.
public struct ShellSession {
    let context: SandboxContext
    let record: SandboxRecord

    public init(context: SandboxContext, record: SandboxRecord) {
        self.context = context
        self.record = record
    }

    /// - Parameter command: nothing opens a login shell.
    /// - Throws: only if podman cannot be run; otherwise it does not return.
    public func become(_ command: [String]) throws(AiboxError) {
        let terminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
        let login = [context.configuration.shell == .zsh ? "/usr/bin/zsh" : "/bin/bash", "--login"]
        let arguments = Self.arguments(
            container: record.container, command: command.isEmpty ? login : command, terminal: terminal,
            folder: Self.folderInside(Path.current, workspace: record.workspace), variables: Self.variables(terminal))
        try ProcessReplacement.become(context.podman.command(arguments))
    }

    static func arguments(
        container: String, command: [String], terminal: Bool, folder: String, variables: [(String, String)]
    ) -> [String] {
        ["exec", "--interactive"] + (terminal ? ["--tty", "--detach-keys", ""] : [])
            + ["--user", "\(SandboxSpec.user):\(SandboxSpec.user)", "--workdir", folder]
            + variables.flatMap { ["--env", "\($0)=\($1)"] } + [container] + command
    }

    /// Where `current` is inside: a command typed in a folder of the workspace runs in that folder.
    static func folderInside(_ current: String, workspace: String) -> String {
        guard current != workspace, Path.isInside(current, workspace) else { return "/workspace" }
        return "/workspace" + current.dropFirst(workspace == "/" ? 0 : workspace.count)
    }

    /// What a terminal program wants to know; nothing else of the host's environment goes in.
    private static func variables(_ terminal: Bool) -> [(String, String)] {
        guard terminal else { return [] }
        return ["TERM", "COLORTERM"].compactMap { name in Environment.value(name).map { (name, $0) } }
    }
}
