import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxPolicy
import AiboxSystem
import AiboxWire
import ArgumentParser

struct ConfigSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change a setting in your file.",
        discussion: """
            The value, the whole resulting configuration and the pins of the organisation's and the team's policy are \
            checked before anything is written. Comments, order and layout of the file stay. Lists are separated by commas:

              aibox config set resources.memory 16g
              aibox config set network.allowed_domains git.example,packages.example
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The setting, such as resources.cpus.", completion: .settings)
    var key: String

    @Argument(help: "Its new value.")
    var value: String

    func run() throws {
        let change = try change()
        let output = global.output
        if let variable = change.overriddenBy {
            output.note("note: \(variable) is set and wins over the file")
        }
        for problem in change.remaining { output.note("still wrong: \(problem)") }
        output.answer(
            .text(
                "\(change.key) is \(change.isChanged ? "now " : "")\(OutputValue(change.value).display) in \(SafeText.escaped(change.file))",
                .object([
                    .init("key", .text(change.key)), .init("value", OutputValue(change.value)),
                    .init("file", .text(change.file)), .init("changed", .boolean(change.isChanged)),
                    .init("remaining_problems", .list(change.remaining.map { .text($0.description) })),
                ])))
    }

    /// The change, told to the audit log before the file is written; a refused one too.
    private func change() throws(AiboxError) -> ConfigurationChange {
        var layers = global.layers()
        do {
            layers.pins = try global.context().policySet(workspace: nil, evenExpired: true).effective().pins
        } catch {
            // What is wrong may be what is being corrected. Whatever it is, nothing starts with it.
            let reason = (error as? AiboxError)?.reason ?? "\(error)"
            global.output.note("note: not checked against the policy: \(SafeText.escaped(reason, keepingLines: true))")
        }
        let audit = CommandAudit(global: global)
        do throws(AiboxError) {
            return try layers.set(key, to: value) { (change, old) throws(AiboxError) in
                try audit.record(
                    .configChange, subject: key,
                    [
                        "file": .string(change.file), "from": .string(old.description),
                        "to": .string(change.value.description),
                    ])
            }
        } catch {
            guard error.code == .denied else { throw error }
            try audit.record(
                .configChange, subject: key, outcome: .denied,
                [
                    "file": .string(layers.writableFile), "to": .string(value),
                    "reason": .string(error.reason),
                ])
            throw error
        }
    }
}
