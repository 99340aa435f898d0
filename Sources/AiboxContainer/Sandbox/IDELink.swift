public import AiboxState
public import AiboxSystem

/// The address under which an IDE finds a sandbox.
public struct IDELink: Sendable {
    public enum IDE: String, Sendable, CaseIterable { case vscode, jetbrains }

    let ide: IDE
    let record: SandboxRecord

    public init(ide: IDE, record: SandboxRecord) {
        self.ide = ide
        self.record = record
    }

    /// VS Code: the remote URI of Remote-SSH. JetBrains: Gateway's connection link
    /// (https://www.jetbrains.com/help/idea/remote-development-troubleshooting.html).
    public var address: String {
        switch ide {
        case .vscode: "vscode://vscode-remote/ssh-remote+\(record.container)/workspace"
        case .jetbrains:
            "jetbrains-gateway://connect#type=ssh&host=\(record.container)&user=dev&port=\(record.sshPort)"
                + "&projectPath=/workspace"
        }
    }

    /// Opens the IDE where its command line is at hand; returns the program's name, or nil.
    public func open(runner: any CommandRunner) throws(AiboxError) -> String? {
        let command: Command
        switch ide {
        case .vscode:
            guard ExecutableSearch.find("code") != nil else { return nil }
            command = Command("code", ["--folder-uri", "vscode-remote://ssh-remote+\(record.container)/workspace"])
        case .jetbrains:
            guard ExecutableSearch.find("xdg-open") != nil, Environment.value("DISPLAY") != nil else { return nil }
            command = Command("xdg-open", [address])
        }
        try runner.require(command, "cannot open \(ide.rawValue)")
        return command.executable
    }
}
