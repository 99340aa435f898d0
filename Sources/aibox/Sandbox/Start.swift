import AiboxConfig
import AiboxContainer
import AiboxSystem
import ArgumentParser

struct Start: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start a sandbox for a workspace.",
        discussion: """
            The sandbox sees the workspace at /workspace and nothing else of this machine. Home folder and caches of \
            the package managers are kept from start to start, for each workspace its own.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("The project's folder.", valueName: "dir"), completion: .directory)
    var workspace: String?

    @Option(help: ArgumentHelp("Run this image.", valueName: "reference"))
    var image: String?

    @Option(help: ArgumentHelp("CPUs at most.", valueName: "count"))
    var cpus: Int?

    @Option(help: ArgumentHelp("Memory at most, such as 8g.", valueName: "size"))
    var memory: String?

    @Option(help: "Resources for a kind of work: jetbrains asks for 4 CPUs and 8g at least.")
    var profile: ResourceProfile?

    func run() throws {
        Interruption.hold()
        LeaseCare(global).sweep()
        let auth = try AuthStores(global)
        let lent = try LentCredentials(auth.stores)
        try PolicyBundles(global).renew()
        var context = try global.context(overrides, pinned: true)
        profile?.raise(&context.configuration.resources)
        let folder = workspace ?? context.configuration.workspace.defaultPath
        let output = global.output
        // Before anything is done: an address with a mistake in it is told, not passed over.
        let places = try CheckpointPlaces(context.configuration)
        _ = try global.running(context)
        let started = try SandboxStart(
            context: context, workspace: context.paths.absolute(folder, base: Path.current), name: sandbox.name,
            llmKeys: lent.llmKeys, places: lent.places,
            kept: KeptCredentials(names: lent.kept, settings: auth.settings)
        ).run()
        places.wake(global)
        if started.asksPeople { ApprovalNotifier.wake(global) }
        for step in started.timings { output.detail("  \(step.time.milliseconds) ms  \(step.step)") }
        for note in started.notes { output.note("aibox: \(note)") }
        output.answer(StartReport.answer(started))
    }

    private var overrides: [ConfigurationOverride] {
        [
            image.map { ConfigurationOverride("image", $0, flag: "--image") },
            cpus.map { ConfigurationOverride("resources.cpus", String($0), flag: "--cpus") },
            memory.map { ConfigurationOverride("resources.memory", $0, flag: "--memory") },
        ].compactMap { $0 }
    }
}

/// A minimum of resources for a kind of work.
enum ResourceProfile: String, ExpressibleByArgument, CaseIterable {
    case jetbrains

    /// Raises what is below the minimum and leaves the rest.
    func raise(_ resources: inout Configuration.Resources) {
        resources.cpus = max(resources.cpus, 4)
        resources.memory = max(resources.memory, ByteSize(gibibytes: 8))
    }
}
