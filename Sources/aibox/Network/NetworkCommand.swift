import ArgumentParser

struct NetworkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network", abstract: "See, test and change where the sandbox may connect.",
        subcommands: [
            NetworkShow.self, NetworkLog.self, NetworkTest.self, NetworkAllow.self, NetworkDeny.self,
        ])
}
