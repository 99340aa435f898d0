import ArgumentParser

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Work with policies written in Rego.",
        subcommands: [PolicyEval.self, PolicyTest.self, PolicyCheck.self, PolicyFmt.self, PolicyBench.self])
}
