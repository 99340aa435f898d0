import ArgumentParser

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Check, show and compare policies, and work with those written in Rego.",
        subcommands: [
            PolicyValidate.self, PolicyShow.self, PolicyDiff.self, PolicyWhy.self, PolicyLog.self,
            PolicyExplain.self, PolicyReplay.self, PolicyPull.self, PolicyStatus.self, PolicyBundleCommand.self,
            PolicyDocs.self, PolicyEval.self,
            PolicyTest.self,
            PolicyCheck.self, PolicyFmt.self, PolicyBench.self,
        ])
}
