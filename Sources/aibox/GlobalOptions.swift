import AiboxConfig
import AiboxSystem
import ArgumentParser

/// The options that every command takes, before or after its name.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Answer as text, json, or jsonl (policy test: or junit).", valueName: "format"))
    var format: OutputFormat = .text

    @Option(
        name: .customLong("config"),
        help: ArgumentHelp("Use this file instead of ~/.config/aibox/config.yaml.", valueName: "file"))
    var configurationFile: String?

    @Flag(name: .shortAndLong, help: "Say more about what is done.")
    var verbose = false

    @Flag(name: .shortAndLong, help: "Say nothing but the answer and errors.")
    var quiet = false

    @Option(name: .customLong("color"), help: ArgumentHelp("Colour: auto, always, or never.", valueName: "when"))
    var colour: ColourChoice = .auto

    /// Where the command's answer and notes go.
    var output: Output { Output(format: format, colour: colour, quiet: quiet, verbose: verbose) }
}

// The values are spelled out because finding them through `CaseIterable` costs every start a third of a millisecond.
extension OutputFormat: ExpressibleByArgument {
    static let allValueStrings = ["text", "json", "jsonl", "junit"]
}

extension ColourChoice: ExpressibleByArgument {
    static let allValueStrings = ["auto", "always", "never"]
}

extension GlobalOptions {
    /// Every place that may set a value, with this command's flags on top.
    ///
    /// - Parameter overrides: the command's own flags that stand for settings.
    func layers(_ overrides: [ConfigurationOverride] = []) -> ConfigurationLayers {
        Self.layers(file: configurationFile, overrides)
    }

    static func layers(file: String? = nil, _ overrides: [ConfigurationOverride] = []) -> ConfigurationLayers {
        let environment = Environment.all
        return ConfigurationLayers(
            paths: Paths(identity: .current, environment: environment), file: file, environment: environment,
            overrides: overrides)
    }
}
