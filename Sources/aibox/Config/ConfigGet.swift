import AiboxConfig
import ArgumentParser

struct ConfigGet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Print the value of a setting that is in effect.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The setting, such as resources.cpus.", completion: .settings)
    var key: String

    func run() throws { try Self.answer(key, global.layers(), global.output) }

    static func answer(_ key: String, _ layers: ConfigurationLayers, _ output: Output) throws {
        let key = try ConfigurationSchema.known(key)
        let loaded = try layers.load()
        let value = OutputValue(loaded.value(of: key))
        output.answer(
            .text(
                value.display,
                .object([
                    .init("key", .text(key.name)), .init("value", value),
                    .init("origin", .text(loaded.origin(of: key).description)),
                ])))
    }
}
