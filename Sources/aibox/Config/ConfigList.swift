import AiboxConfig
import ArgumentParser

struct ConfigList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List every setting with the value in effect.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "Show where each value comes from.")
    var origin = false

    func run() throws {
        let loaded = try global.layers().load()
        let rows = ConfigurationSchema.keys.map { key in
            [.text(key.name), OutputValue(loaded.value(of: key))]
                + (origin ? [.text(loaded.origin(of: key).description)] : [])
        }
        global.output.answer(
            .listing(Listing(columns: ["key", "value"] + (origin ? ["origin"] : []), rows: rows)))
    }
}
