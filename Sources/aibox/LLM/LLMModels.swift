import AiboxContainer
import AiboxPolicy
import AiboxSystem
import AiboxWire
import ArgumentParser

struct LLMModels: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "Show the language models that the policy permits, and their prices.",
        discussion: """
            As llm.models and llm.prices name them: * stands for anything. Prices are for a million tokens, in the currency of \
            llm.prices; - where there is none that fits all of a line's names.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var documents: PolicyDocumentOptions

    @Option(help: ArgumentHelp("What this sandbox is held to.", valueName: "sandbox"), completion: .sandboxes)
    var name: String?

    func validate() throws {
        if name != nil, documents.isNamed { throw ValidationError("--name goes without files.") }
    }

    func run() throws {
        let models = CredentialPolicy(try set().effective()).permittedModels
        let rows = models.map { model in
            [OutputValue.text(model.name)]
                + [\LLMPrice.input, \.output, \.cached, \.cacheWrite, \.hourWrite].map { part in
                    .optional(model.price.map { LLMAmount.text(micros: $0[keyPath: part]) })
                }
        }
        global.output.answer(
            .listing(
                Listing(
                    columns: ["model", "input", "output", "cached", "cache_write", "cache_write_1h"], rows: rows)))
        if models.isEmpty { global.output.note("llm.models of the policy permits no model") }
    }

    private func set() throws -> PolicySet {
        guard let name else { return try documents.set(global) }
        if let kept = try global.context().keptPolicy(of: name) { return kept }
        throw AiboxError(.failed, "no policy was kept of a sandbox \(SafeText.escaped(name))", remedy: "aibox list")
    }
}
