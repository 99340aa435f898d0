import AiboxConfig
import AiboxContainer
import AiboxPolicy
import AiboxState
import AiboxSystem
import ArgumentParser

/// `--name`, for the commands that are about one sandbox.
struct SandboxOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The sandbox; else the one whose workspace holds the current folder, else the only one.",
            valueName: "sandbox"), completion: .sandboxes)
    var name: String?
}

extension GlobalOptions {
    /// Who, where, with which settings, on what machine.
    ///
    /// - Parameters:
    ///   - pinned: holds the settings to the pins of the organisation's and the team's policy.
    ///   - evenExpired: also where these are signed bundles whose time is over, for the audit log.
    func context(
        _ overrides: [ConfigurationOverride] = [], pinned: Bool = false, evenExpired: Bool = false
    ) throws -> SandboxContext {
        var layers = layers(overrides)
        let loaded = try layers.load()
        try layers.requireOrgPolicy(loaded)
        var context = SandboxContext(
            user: .current, paths: layers.paths, configuration: loaded.configuration, host: .current,
            profiles: try BuiltIn.profiles())
        if pinned {
            layers.pins = try context.policySet(workspace: nil, evenExpired: evenExpired).effective().pins
            if !layers.pins.isEmpty { context.configuration = try layers.load().configuration }
        }
        return context
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
