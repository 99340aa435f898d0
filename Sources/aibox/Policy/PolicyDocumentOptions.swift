import AiboxConfig
import AiboxContainer
import AiboxPolicy
import AiboxSystem
import ArgumentParser

/// `--org`, `--team` and `--project`: which documents a command is about.
struct PolicyDocumentOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The organisation's policy.", valueName: "file"), completion: .file())
    var org: String?

    @Option(help: ArgumentHelp("The team's policy.", valueName: "file"), completion: .file())
    var team: String?

    @Option(help: ArgumentHelp("The project's policy.", valueName: "file"), completion: .file())
    var project: String?

    /// Whether a document is named at all.
    var isNamed: Bool { org != nil || team != nil || project != nil }

    /// The documents that are named; where none is, those in effect for the current folder. The organisation's is always
    /// among them.
    ///
    /// - Parameter named: what names the organisation's, for messages.
    func set(_ global: GlobalOptions, org named: String = "--org") throws -> PolicySet {
        let layers = global.layers()
        var settings = Configuration().policy
        if org == nil {
            let loaded = try layers.load()
            try layers.requireOrgPolicy(loaded)
            settings = loaded.configuration.policy
        }
        let configured = ConfiguredPolicy(settings, paths: layers.paths)
        var sources = [
            try org.map { try PolicySet.source($0, .org, named: named) }
                ?? configured.organisation(embedded: try BuiltIn.file("configs/policy/org-baseline.yaml"))
        ]
        if let team { sources.append(try PolicySet.source(team, .team, named: "--team")) }
        if let project { sources.append(try PolicySet.source(project, .project, named: "--project")) }
        if !isNamed {
            if let team = try configured.team() { sources.append(team) }
            let file = settings.projectPolicyPath
            // An agent may have written there: what a start would not read nobody else reads either.
            if let bytes = try SandboxContext.projectPolicy(file, Path.real(Path.current) ?? Path.current) {
                sources.append(PolicySet.Source(layer: .project, file: file, bytes: bytes))
            }
        }
        return PolicySet(sources)
    }

    /// The policies in Rego that go with them: another document in the place of the organisation's takes its bundle's away.
    func modules(_ global: GlobalOptions) throws -> PolicyModules {
        let layers = global.layers()
        if org != nil { return try BuiltIn.rego().adding(layers.paths.orgRego) }
        return try ConfiguredPolicy(try layers.load().configuration.policy, paths: layers.paths).modules(BuiltIn.rego())
    }
}

extension PolicySet {
    /// A document that a person names.
    ///
    /// - Parameter named: by which option or argument.
    /// - Throws: `policyInvalid` where there is no such file.
    static func source(_ path: String, _ layer: PolicyLayer, named: String) throws -> Source {
        guard File.exists(path) else {
            throw AiboxError(
                .policyInvalid, "\(layer.words) is missing: there is no \(SafeText.escaped(path))",
                why: "\(named) names it")
        }
        return Source(layer: layer, file: path, bytes: try read(path))
    }
}
