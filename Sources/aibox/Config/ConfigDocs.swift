import AiboxConfig
import ArgumentParser

/// Prints `docs/configuration.md`.
struct ConfigDocs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docs", abstract: "Print the documentation of all settings.", shouldDisplay: false)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        let page = ConfigurationDocumentation.markdown
        global.output.answer(.text(page, .object([.init("markdown", .text(page))])))
    }
}
