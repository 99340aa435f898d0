import AiboxConfig
import AiboxPolicy
import AiboxSystem
import ArgumentParser

/// `--with-org`, `--with-team` and `--with-project`: documents in the place of those that hold, of any layers.
struct PolicyCandidateOptions: ParsableArguments {
    @Option(
        name: [.customLong("with"), .customLong("with-org")],
        help: ArgumentHelp("In the place of the organisation's policy.", valueName: "file"), completion: .file())
    var org: String?

    @Option(
        name: .customLong("with-team"), help: ArgumentHelp("In the place of the team's.", valueName: "file"),
        completion: .file())
    var team: String?

    @Option(
        name: .customLong("with-project"), help: ArgumentHelp("In the place of the project's.", valueName: "file"),
        completion: .file())
    var project: String?

    /// Whether a document is named at all.
    var isNamed: Bool { org != nil || team != nil || project != nil }

    /// The documents that are named, each valid by itself.
    ///
    /// - Parameter named: what names the organisation's, for messages.
    func sources(org named: String = "--with-org") throws -> [PolicySet.Source] {
        try [(org, PolicyLayer.org), (team, .team), (project, .project)].compactMap { path, layer in
            guard let path else { return nil }
            let source = try PolicySet.source(path, layer, named: layer == .org ? named : "--with-\(layer.rawValue)")
            _ = try PolicyDocument(source.bytes, layer: layer, file: path)
            return source
        }
    }
}
