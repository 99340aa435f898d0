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
        var sources = [
            try org.map { try read($0, .org) }
                ?? PolicySet.organisation(
                    path: settings.orgBaselinePath, embedded: try BuiltIn.file("configs/policy/org-baseline.yaml"))
        ]
        if let team { sources.append(try read(team, .team)) }
        if let project { sources.append(try read(project, .project)) }
        if !isNamed {
            if !settings.teamPolicyPath.isEmpty {
                sources.append(
                    try read(layers.paths.absolute(settings.teamPolicyPath, base: layers.paths.home), .team))
            }
            if File.exists(settings.projectPolicyPath) {
                sources.append(try read(settings.projectPolicyPath, .project))
            }
        }
        return PolicySet(sources)
    }

    private func read(_ path: String, _ layer: PolicyLayer) throws -> PolicySet.Source {
        PolicySet.Source(layer: layer, file: path, bytes: try File.read(path, limit: YAMLDocument.Limits().bytes))
    }
}
