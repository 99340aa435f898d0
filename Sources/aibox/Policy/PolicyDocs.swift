import AiboxPolicy
import ArgumentParser

/// Prints `docs/policy.md`, or `configs/policy.schema.json`.
struct PolicyDocs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docs", abstract: "Print the documentation of all fields, or their JSON schema.",
        shouldDisplay: false)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "The JSON schema.")
    var schema = false

    func run() throws {
        let text = schema ? PolicyJSONSchema.text : PolicyDocumentation.markdown
        global.output.answer(.text(text, .object([.init(schema ? "schema" : "markdown", .text(text))])))
    }
}
