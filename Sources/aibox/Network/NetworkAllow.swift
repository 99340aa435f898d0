import AiboxContainer
import AiboxPolicy
import AiboxState
import AiboxSystem
import AiboxWire
import ArgumentParser

struct NetworkAllow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allow", abstract: "Let the sandbox reach a host, within the organisation's policy.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions
    @OptionGroup var change: NetworkChangeOptions

    func run() throws { try change.run(.allow, global, sandbox) }
}

struct NetworkDeny: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deny", abstract: "Take a host away from the sandbox; what is open to it is closed.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions
    @OptionGroup var change: NetworkChangeOptions

    func run() throws { try change.run(.deny, global, sandbox) }
}

/// The host, and for how long.
struct NetworkChangeOptions: ParsableArguments {
    @Argument(help: "A host, or *.domain for every name one label below.")
    var host: String

    @Option(name: .customLong("for"), help: ArgumentHelp("How long: 90s, 30m, 1h, 2d.", valueName: "time"))
    var time: String?

    @Flag(help: "As long as the sandbox runs (this is the default).")
    var session = false

    func validate() throws {
        if session, time != nil { throw ValidationError("--for and --session exclude each other") }
        if time != nil, seconds == nil { throw ValidationError("--for takes a time such as 90s, 30m, 1h or 2d") }
    }

    /// From one second to a year; nil for anything else.
    private var seconds: Int? {
        let seconds = time.flatMap { PolicyDuration($0)?.seconds }
        return seconds.flatMap { 1...31_536_000 ~= $0 ? $0 : nil }
    }

    func run(_ action: NetworkChange.Action, _ global: GlobalOptions, _ sandbox: SandboxOptions) throws {
        let context = try global.context()
        let record = try global.sandbox(sandbox, in: context)
        try GatewayClient(runFolder: record.runFolder).change(NetworkChange(action, host: host, seconds: seconds))
        let words = action == .allow ? "can be reached, as far as the policy permits" : "is refused"
        let until = time.map { " for \($0)" } ?? " as long as \(record.name) runs"
        global.output.answer(
            .text(
                "\(SafeText.escaped(host)) \(words)\(until).",
                .object([
                    .init("action", .text(action.rawValue)), .init("host", .text(host)),
                    .init("seconds", seconds.map { .integer($0) } ?? .null), .init("sandbox", .text(record.name)),
                ])))
    }
}
