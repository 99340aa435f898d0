import ArgumentParser

@main
struct Aibox: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aibox",
        abstract: "Runs AI coding agents in a sandbox whose limits your organisation sets.",
        version: "0.1.0"
    )
}
