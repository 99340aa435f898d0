import AiboxContainer
import AiboxPolicy
import AiboxSystem
import AiboxWire
import ArgumentParser

struct ApprovalsApprove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Let a call that waits go on.",
        discussion: """
            The answer counts for the same program with the same words in the same directory of the same sandbox, and for \
            nothing else. It ends with the sandbox at the latest.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions
    @OptionGroup var answer: ApprovalAnswerOptions

    func run() throws { try answer.run(isApproved: true, global, sandbox) }
}

struct ApprovalsDeny: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "deny", abstract: "Refuse a call that waits.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions
    @OptionGroup var answer: ApprovalAnswerOptions

    func run() throws { try answer.run(isApproved: false, global, sandbox) }
}

/// Which question, and how far the answer reaches.
struct ApprovalAnswerOptions: ParsableArguments {
    @Argument(help: "The question's id, or its beginning.", completion: .approvals) var id: String

    @Flag(help: "This one call (this is the default).")
    var once = false

    @Flag(help: "The same call as often as it comes, as long as the sandbox runs.")
    var session = false

    @Option(
        name: .customLong("for"), help: ArgumentHelp("The same call for so long: 90s, 30m, 1h, 2d.", valueName: "time"))
    var time: String?

    @Option(help: ArgumentHelp("Why; stands in the log, and a refusal says it.", valueName: "text"))
    var reason: String?

    func validate() throws {
        if [once, session, time != nil].count(where: \.self) > 1 {
            throw ValidationError("--once, --session and --for exclude each other")
        }
        if time != nil, seconds == nil { throw ValidationError("--for takes a time such as 90s, 30m, 1h, up to 7d") }
        if (reason ?? "").utf8.count > ApprovalAnswer.reasonLimit {
            throw ValidationError("--reason takes \(ApprovalAnswer.reasonLimit) bytes")
        }
    }

    private var seconds: Int? {
        let seconds = time.flatMap { PolicyDuration($0)?.seconds }
        return seconds.flatMap { 1...ApprovalAnswer.longest ~= $0 ? $0 : nil }
    }

    private var scope: ApprovalAnswer.Scope { session ? .session : seconds.map { .seconds($0) } ?? .once }

    func run(isApproved: Bool, _ global: GlobalOptions, _ sandbox: SandboxOptions) throws {
        let entry = try OpenApprovals(global, sandbox).one(id)
        do throws(AiboxError) {
            try entry.client.answer(
                ApprovalAnswer(id: entry.question.id, isApproved: isApproved, scope: scope, reason: reason ?? ""))
        } catch {
            // Somebody else may have been faster.
            let now = try OpenApprovals(global, sandbox)
            let isOpen = now.entries.contains { $0.sandbox == entry.sandbox && $0.question.id == entry.question.id }
            throw isOpen ? error : now.absent(entry.question.id)
        }
        let reach = session ? " as long as \(entry.sandbox) runs" : time.map { " for \($0)" } ?? " once"
        global.output.answer(
            .text(
                "\(isApproved ? "Approved" : "Denied")\(reach): \(SafeText.escaped(entry.question.command(most: 500)))",
                .object([
                    .init("id", .text(entry.question.id)), .init("sandbox", .text(entry.sandbox)),
                    .init("approved", .boolean(isApproved)),
                    .init("scope", .text(session ? "session" : time ?? "once")),
                    .init("argv", .list(entry.question.argv.map { .text($0) })),
                ])))
    }
}
