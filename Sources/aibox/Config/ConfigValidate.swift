import AiboxConfig
import AiboxSystem
import ArgumentParser

struct ConfigValidate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Show everything that is wrong with a file, or with all layers together.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The file; without it, all layers that are in effect.", completion: .file())
    var file: String?

    func run() throws {
        let problems = try global.layers().validate(file)
        let rows = problems.map(OutputValue.init(problem:))
        let text =
            problems.isEmpty ? "The configuration is valid." : problems.map(\.description).joined(separator: "\n")
        global.output.answer(
            .text(
                SafeText.escaped(text, keepingLines: true),
                .object([.init("valid", .boolean(problems.isEmpty)), .init("problems", .list(rows))])))
        if !problems.isEmpty { throw ExitCode.failure }
    }
}
