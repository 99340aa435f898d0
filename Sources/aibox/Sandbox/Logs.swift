import AiboxContainer
import AiboxSystem
import ArgumentParser

struct Logs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show what the sandbox's programs on either side have logged.")

    enum Source: String, ExpressibleByArgument, CaseIterable { case container, gateway }

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    @Flag(name: .shortAndLong, help: "Go on with what is logged from now on.")
    var follow = false

    @Argument(help: "Whose log: container or gateway.")
    var source: Source = .container

    func run() throws {
        let context = try global.context()
        let record = try global.sandbox(sandbox, in: context)
        try SandboxLog(context: context, record: record).become(
            source == .gateway ? .gateway : .container, follow: follow)
    }
}
