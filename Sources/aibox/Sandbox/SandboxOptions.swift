import AiboxConfig
import AiboxContainer
import AiboxState
import AiboxSystem
import ArgumentParser

/// `--name`, for the commands that are about one sandbox.
struct SandboxOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The sandbox; else the one whose workspace holds the current folder, else the only one.",
            valueName: "sandbox"))
    var name: String?
}

extension GlobalOptions {
    /// Who, where, with which settings, on what machine.
    func context(_ overrides: [ConfigurationOverride] = []) throws -> SandboxContext {
        let layers = layers(overrides)
        return SandboxContext(
            user: .current, paths: layers.paths, configuration: try layers.load().configuration, host: .current,
            profiles: try BuiltIn.profiles())
    }

    /// The sandboxes that run; remains of others are cleared away and told.
    func running(_ context: SandboxContext) throws -> [SandboxRecord] {
        try context.runningSandboxes { output.note("aibox: " + $0) }
    }

    /// The sandbox that a command means.
    func sandbox(_ options: SandboxOptions, in context: SandboxContext) throws -> SandboxRecord {
        try SandboxSelection.choose(options.name, currentFolder: Path.current, among: try running(context))
    }
}
