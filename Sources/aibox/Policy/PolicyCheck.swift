import ArgumentParser
import Rego

struct PolicyCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Compile policies and report every error with its place.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "Policy files, or folders with .rego files.")
    var policies: [String]

    func run() throws {
        let modules = try PolicySources.modules(policies)
        try PolicySources.reporting("the policies do not compile") {
            _ = try Engine(modules: modules, data: Array("{}".utf8))
        }
        global.output.note("\(modules.count) files compile.")
    }
}
