import ArgumentParser

struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Print the completion script of a shell.",
        discussion: """
            bash   aibox completion bash > ~/.local/share/bash-completion/completions/aibox
            zsh    aibox completion zsh > ~/.zfunc/_aibox      (with ~/.zfunc in fpath)
            fish   aibox completion fish > ~/.config/fish/completions/aibox.fish
            """)

    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    @Argument(help: "bash, zsh, or fish.")
    var shell: Shell

    func run() {
        let kind: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        Output.write(Aibox.completionScript(for: kind) + "\n")
    }
}
