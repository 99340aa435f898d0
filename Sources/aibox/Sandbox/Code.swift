public import AiboxContainer
import AiboxSystem
public import ArgumentParser

struct Code: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "code", abstract: "Open the sandbox's workspace in an IDE, or print how to.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    @Flag(help: "Print the address and open nothing.")
    var print = false

    @Argument(help: "The IDE: vscode or jetbrains.")
    var ide: IDELink.IDE = .vscode

    func run() throws {
        let context = try global.context()
        let record = try global.sandbox(sandbox, in: context)
        let link = IDELink(ide: ide, record: record)
        if !print, let opened = try link.open(runner: context.runner) {
            return global.output.answer(
                .text(
                    "Opened with \(opened).",
                    .object([.init("opened", .text(link.address)), .init("with", .text(opened))])))
        }
        global.output.answer(.text(link.address, .object([.init("address", .text(link.address))])))
    }
}

extension IDELink.IDE: ExpressibleByArgument {}
