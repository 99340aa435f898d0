import ArgumentParser

struct AuthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "auth",
        abstract: "Keep the credentials of sandboxes outside of them.",
        subcommands: [
            AuthAdd.self, AuthList.self, AuthRemove.self, AuthStatus.self, AuthLogin.self, AuthGitGet.self,
        ])

    @OptionGroup(title: "Global options") var global: GlobalOptions
}
