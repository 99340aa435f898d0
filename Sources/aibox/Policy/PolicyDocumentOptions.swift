import AiboxConfig
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
    func set(_ global: GlobalOptions) throws -> PolicySet {
        let layers = global.layers()
        var settings = Configuration().policy
        if org == nil {
            let loaded = try layers.load()
            try layers.requireOrgPolicy(loaded)
            settings = loaded.configuration.policy
        }
        let configured = ConfiguredPolicy(settings, paths: layers.paths)
        var sources = [
            try org.map { try read($0, .org) }
                ?? configured.organisation(embedded: try BuiltIn.file("configs/policy/org-baseline.yaml"))
        ]
        if let team { sources.append(try read(team, .team)) }
        if let project { sources.append(try read(project, .project)) }
        if !isNamed {
            if let team = try configured.team() { sources.append(team) }
            if File.exists(settings.projectPolicyPath) {
                sources.append(try read(settings.projectPolicyPath, .project))
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

    private func read(_ path: String, _ layer: PolicyLayer) throws -> PolicySet.Source {
        guard File.exists(path) else {
            throw AiboxError(
                .policyInvalid, "\(layer.words) is missing: there is no \(SafeText.escaped(path))",
                why: "--\(layer.rawValue) names it")
        }
        return PolicySet.Source(
            layer: layer, file: path, bytes: try File.read(path, limit: YAMLDocument.Limits().bytes))
    }
}
