import AiboxContainer
import AiboxPolicy
import AiboxState
import AiboxSystem
import AiboxWire
import ArgumentParser

struct LearnStart: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Let a sandbox do for a time what the organisation permits and team or project refuse.",
        discussion: """
            Each such request and call is in the audit log with what would be refused; aibox learn show makes a policy of \
            them. All else stays: the isolation, the organisation's own policy, its reviews. The organisation has to permit \
            it (learn.mode).
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    @Option(name: .customLong("for"), help: ArgumentHelp("How long: 90s, 30m, 8h, up to 1d.", valueName: "time"))
    var time = "1h"

    func validate() throws {
        if seconds == nil { throw ValidationError("--for takes a time such as 90s, 30m, 8h, up to 1d") }
    }

    private var seconds: Int? {
        guard let unit = time.last, let factor = ["s": 1, "m": 60, "h": 3600, "d": 86_400][unit],
            let number = Int(time.dropLast()), 1...LearnChange.longest ~= number
        else { return nil }
        let seconds = number * factor
        return seconds <= LearnChange.longest ? seconds : nil
    }

    func run() throws {
        let context = try global.context()
        let record = try global.sandbox(sandbox, in: context)
        let policy = try context.policy(of: record.name)
        guard policy.permitsLearning else {
            throw AiboxError(
                .denied, "\(record.name) must not learn",
                why: "\(policy.learningPlace) does not permit it (learn.mode)",
                remedy: "ask who owns that policy")
        }
        guard let seconds else { return }
        try GatewayClient(runFolder: record.runFolder).change(LearnChange.start(seconds: seconds))
        global.output.answer(
            .text(
                "\(record.name) learns for \(time): what the organisation permits passes, and is logged. Then: aibox learn show",
                .object([
                    .init("sandbox", .text(record.name)), .init("learning", true), .init("seconds", .integer(seconds)),
                ])))
    }
}
