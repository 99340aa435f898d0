import ArgumentParser

struct LLMCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "llm", abstract: "Language models, as sandboxes use them.",
        subcommands: [LLMModels.self, LLMUsage.self, LLMShow.self])
}
