import AiboxConfig
import AiboxPolicy
import AiboxSystem
import ArgumentParser

struct PolicyStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show where the policies of the organisation and the team come from.",
        discussion: """
            For a signed bundle also its version, who signed it and how long it may be used. Ends with status 2 if a bundle cannot be \
            used or a file that the settings name is missing, so that nothing starts.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        let bundles = try PolicyBundles(global)
        let layers = global.layers()
        let settings = try layers.load().configuration.policy
        let configured = ConfiguredPolicy(settings, paths: layers.paths)
        var layerRows: [(fields: [OutputValue.Field], problem: AiboxError?)] = []
        for (layer, file) in [
            (PolicyLayer.org, settings.orgBaselinePath),
            (
                .team,
                settings.teamPolicyPath.isEmpty
                    ? "" : layers.paths.absolute(settings.teamPolicyPath, base: layers.paths.home)
            ),
        ] {
            if let store = bundles.stores.first(where: { $0.layer == layer }) {
                let standing = try store.standing()
                layerRows.append((Self.fields(layer, store.source, standing), standing.problem))
            } else if !file.isEmpty, File.exists(file) {
                layerRows.append((Self.fields(layer, file, nil, state: "file"), nil))
            } else if let problem = Self.missing(layer, configured) {
                layerRows.append((Self.fields(layer, file, nil, state: "absent", problem: problem), problem))
            } else {
                layerRows.append((Self.fields(layer, nil, nil, state: layer == .org ? "builtin" : "none"), nil))
            }
        }
        global.output.answer(.text(text(layerRows.map(\.fields)), .list(layerRows.map { .object($0.fields) })))
        let problems = layerRows.compactMap(\.problem)
        for problem in problems.dropLast() { global.output.note("aibox: \(problem)") }
        if let problem = problems.last { throw problem }
    }

    /// Why the file that the settings name for a layer is none; nil if they name none.
    private static func missing(_ layer: PolicyLayer, _ configured: ConfiguredPolicy) -> AiboxError? {
        do throws(AiboxError) {
            if layer == .org { _ = try configured.organisation(embedded: []) } else { _ = try configured.team() }
            return nil
        } catch { return error }
    }

    private static func fields(
        _ layer: PolicyLayer, _ source: String?, _ standing: BundleStanding?, state: String = "",
        problem: AiboxError? = nil
    ) -> [OutputValue.Field] {
        [
            .init("layer", .text(layer.rawValue)), .init("state", .text(standing?.state.rawValue ?? state)),
            .init("source", .optional(source)), .init("version", standing?.version.map { .integer($0) } ?? .null),
            .init("revision", .optional(standing?.revision)), .init("digest", .optional(standing?.digest)),
            .init("key", .optional(standing?.key)), .init("fetched", standing?.fetched.map { .time($0) } ?? .null),
            .init("expires", standing?.expires.map { .time($0) } ?? .null),
            .init("asked", standing?.asked.map { .time($0) } ?? .null),
            .init("last_error", .optional(standing?.lastError)),
            .init("problem", .optional((problem ?? standing?.problem)?.reason)),
        ]
    }

    /// A block for each layer: too much for the columns of a table.
    private func text(_ layers: [[OutputValue.Field]]) -> String {
        layers.map { fields in
            fields.compactMap { field in
                if field.value == .null { return nil }
                let name = field.name.replacing("_", with: " ")
                return name + String(repeating: " ", count: 12 - name.count) + field.value.display + "\n"
            }.joined()
        }.joined(separator: "\n")
    }
}
