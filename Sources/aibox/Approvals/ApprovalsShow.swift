import AiboxWire
import ArgumentParser

struct ApprovalsShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one question in full: every word, where, by which rule.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    @Argument(help: "The question's id, or its beginning.", completion: .approvals) var id: String

    func run() throws {
        let entry = try OpenApprovals(global, sandbox).one(id)
        global.output.answer(.record(Self.fields(entry)))
    }

    static func fields(_ entry: OpenApprovals.Entry) -> [OutputValue.Field] {
        let question = entry.question
        return [
            .init("id", .text(question.id)), .init("sandbox", .text(entry.sandbox)),
            .init("program", .text(question.program)), .init("argv", .list(question.argv.map { .text($0) })),
            .init("command", .text(question.command())), .init("directory", .text(question.directory)),
            .init("rule", .text(question.rule)), .init("layer", .text(question.layer)),
            .init("policy", .text(question.policy)), .init("waiting", .integer(question.waiting)),
            .init("seconds_left", .integer(question.left)),
        ]
    }
}
