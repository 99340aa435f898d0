import AiboxConfig
import AiboxContainer
import AiboxSystem
import AiboxWire
import ArgumentParser

struct ApprovalsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List what waits for your answer.",
        discussion: "Of all sandboxes that run; with --name of one.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    func run() throws {
        let open = try OpenApprovals(global, sandbox)
        for words in open.silent { global.output.note(words) }
        for standing in NotifierStanding.all(Paths.current.stateFolder) {
            global.output.note("aibox: the \(standing.way) has told nobody since \(standing.since): \(standing.reason)")
        }
        global.output.answer(.listing(Self.listing(open.entries)))
    }

    static func listing(_ entries: [OpenApprovals.Entry]) -> Listing {
        Listing(
            columns: ["id", "sandbox", "command", "directory", "rule", "waiting", "seconds_left"],
            rows: entries.map { entry in
                [
                    .text(entry.question.id), .text(entry.sandbox), .text(entry.question.command(most: 200)),
                    .text(SafeText.cut(entry.question.directory, to: 200)), .text(entry.question.rule),
                    .integer(entry.question.waiting), .integer(entry.question.left),
                ]
            })
    }
}
