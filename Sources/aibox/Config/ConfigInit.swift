public import AiboxConfig
import AiboxSystem
public import ArgumentParser

struct ConfigInit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write a configuration file to begin with.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(help: "minimal, dev, or enterprise.")
    var template: ConfigurationTemplate = .minimal

    @Flag(help: "Replace a file that is there; a backup of it is kept.")
    var force = false

    func run() throws {
        let (file, backup) = try global.layers().initialise(template, force: force)
        if let backup { global.output.note("the old file is kept as \(backup)") }
        global.output.answer(
            .text(
                "wrote \(SafeText.escaped(file)) from the template \(template.rawValue)",
                .object([
                    .init("file", .text(file)), .init("template", .text(template.rawValue)),
                    .init("backup", .optional(backup)),
                ])))
    }
}

extension ConfigurationTemplate: ExpressibleByArgument {}
