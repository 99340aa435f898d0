import ArgumentParser

struct LearnCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "learn", abstract: "Find out what a team's or project's policy lacks, within the organisation's.",
        subcommands: [LearnStart.self, LearnStop.self, LearnShow.self])
}
