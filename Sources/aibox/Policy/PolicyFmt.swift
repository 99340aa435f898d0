import AiboxSystem
import ArgumentParser
import Rego

struct PolicyFmt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fmt", abstract: "Format policies in the common style; prints the result unless told otherwise.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Write the files.")
    var write = false

    @Flag(name: .shortAndLong, help: "List the files that would change, and end with status 1 if there are any.")
    var list = false

    @Argument(help: "Policy files, or folders with .rego files.")
    var policies: [String]

    func validate() throws {
        if write, list { throw ValidationError("--write and --list exclude each other.") }
    }

    func run() throws {
        var changed: [String] = []
        for file in try PolicySources.files(policies) {
            let text = try File.readRegular(file)
            let formatted = try PolicySources.reporting("cannot format \(file)") {
                try Formatter().format(text, name: file)
            }
            if !write, !list { Output.write(String(decoding: formatted, as: UTF8.self)) }
            if formatted == text { continue }
            changed.append(file)
            if write { try File.replace(file, with: formatted, mode: 0o644) }
        }
        if list || write { for file in changed { Output.write(SafeText.escaped(file) + "\n") } }
        if list, !changed.isEmpty { throw ExitCode(1) }
    }
}
