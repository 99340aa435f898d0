import AiboxSystem
import ArgumentParser
import Glibc
import Rego

struct PolicyEval: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval", abstract: "Evaluate a query against policies and print its value as JSON.",
        discussion: "Ends with status 2 if the query is undefined or an error.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "Policy files, or folders with .rego files.")
    var policies: [String] = []

    @Option(name: .shortAndLong, help: "A JSON file with the document data.")
    var data: String?

    @Option(name: .shortAndLong, help: "A JSON file with the document input; - reads standard input.")
    var input: String?

    @Option(name: .long, help: "What to evaluate, such as data.aibox.tools.decision.")
    var query: String?

    @Flag(help: "Show which rules fired, and why the others did not.")
    var explain = false

    @Flag(help: "An error in a built-in function is an error, not undefined.")
    var strict = false

    @Flag(help: "Answer one JSON request a line from standard input (docs/rego.md).")
    var jsonl = false

    func validate() throws {
        if !jsonl, query == nil { throw ValidationError("Say what to evaluate with --query.") }
        if jsonl, query != nil || explain { throw ValidationError("--jsonl takes its queries from standard input.") }
    }

    func run() throws {
        if jsonl { return Self.answerLines() }
        guard let query else { return }
        let modules = policies.isEmpty ? [] : try PolicySources.modules(policies)
        try PolicySources.reporting("cannot evaluate the query") {
            let engine = try Engine(modules: modules, data: try PolicySources.document(data) ?? Array("{}".utf8))
            let input = try PolicySources.document(input).map { try engine.value(json: $0) }
            var options = PreparedQuery.Options()
            options.strictBuiltinErrors = strict
            if explain {
                let explanation = try engine.explain(query, input: input, options: options)
                return Output.write(SafeText.escaped(explanation.text, keepingLines: true) + "\n")
            }
            guard let value = try engine.prepare(query).value(input: input, options: options) else {
                throw AiboxError(.denied, "the query is undefined", remedy: "--explain shows which condition failed")
            }
            Output.write(String(decoding: value.json, as: UTF8.self) + "\n")
        }
    }

    private static func answerLines() {
        let session = JSONLinesSession()
        while let line = readLine(strippingNewline: true) {
            Output.write(String(decoding: session.answer(Array(line.utf8)), as: UTF8.self) + "\n")
        }
    }
}
