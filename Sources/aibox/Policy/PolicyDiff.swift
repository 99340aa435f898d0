import AiboxConfig
import AiboxPolicy
import AiboxSystem
import ArgumentParser

struct PolicyDiff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show what a policy permits that another one does not, and what it stops.",
        discussion: "Both are read as an organisation's. opens: becomes possible with B; closes: stops being possible.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The policy of now.", completion: .file())
    var before: String

    @Argument(help: "The policy that would take its place.", completion: .file())
    var after: String

    func run() throws {
        let difference = PolicyDifference(from: try policy(before), to: try policy(after))
        let rows = difference.rows.map { row -> [OutputValue] in
            [
                .text(row.direction.rawValue), .text(row.field), .text(row.what),
                .text(row.origin.isBuiltIn ? "default" : "\(row.origin)"),
            ]
        }
        if rows.isEmpty { global.output.note("Both permit the same.") }
        global.output.answer(.listing(Listing(columns: ["change", "field", "what", "origin"], rows: rows)))
    }

    private func policy(_ path: String) throws -> EffectivePolicy {
        let bytes = try File.read(path, limit: YAMLDocument.Limits().bytes)
        return try PolicySet([PolicySet.Source(layer: .org, file: path, bytes: bytes)]).effective()
    }
}
