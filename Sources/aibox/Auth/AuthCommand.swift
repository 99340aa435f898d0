import ArgumentParser

struct AuthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "auth",
        abstract: "Keep the credentials that sandboxes get stand-ins for.",
        subcommands: [
            AuthAdd.self, AuthList.self, AuthRemove.self, AuthStatus.self, AuthLogin.self, AuthGitGet.self,
        ])

    @OptionGroup(title: "Global options") var global: GlobalOptions
}
