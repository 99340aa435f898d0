import AiboxConfig
import AiboxPolicy
import AiboxSystem
import ArgumentParser

struct PolicyDiff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show what a policy permits that another one does not, and what it stops.",
        usage: """
            aibox policy diff A B [--team F] [--project F]
            aibox policy diff [--org F] [--team F] [--project F] --with-team F ...
            """,
        discussion: """
            A and B are policies of an organisation's; team's and project's stand below both. Or the policies in effect here, \
            or those of --org, --team and --project, beside the same with each document of a --with- in the place of its \
            layer's: --with-team new.yaml shows what changes in the effective policy. A file with nothing but `version: 1` \
            takes a layer away. opens: becomes possible; closes: stops being possible; changes: neither is tighter.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: ArgumentHelp("The organisation's policy of now.", valueName: "A"), completion: .file())
    var before: String?

    @Argument(help: ArgumentHelp("The one that would take its place.", valueName: "B"), completion: .file())
    var after: String?

    @OptionGroup var documents: PolicyDocumentOptions
    @OptionGroup var candidates: PolicyCandidateOptions

    func validate() throws {
        if before == nil, !candidates.isNamed {
            throw ValidationError("Name A and B, or what would take a place: --with-org, --with-team, --with-project.")
        }
        if before != nil, after == nil { throw ValidationError("A goes with B.") }
        if before != nil, documents.org != nil || candidates.org != nil {
            throw ValidationError("A and B are the organisation's policies: they go without --org and --with-org.")
        }
    }

    func run() throws {
        var (documents, candidates) = (documents, candidates)
        if let before, let after { (documents.org, candidates.org) = (before, after) }
        let (first, second) = before == nil ? ("--org", "--with-org") : ("A", "B")
        let now = try documents.set(global, org: first)
        let difference = PolicyDifference(
            from: try now.effective(), to: try now.replacing(try candidates.sources(org: second)).effective())
        let rows = difference.rows.map { row -> [OutputValue] in
            [
                .text(row.direction.rawValue), .text(row.field), .text(row.what),
                .text(row.origin.isBuiltIn ? "default" : "\(row.origin)"),
            ]
        }
        if rows.isEmpty { global.output.note("Both permit the same.") }
        global.output.answer(.listing(Listing(columns: ["change", "field", "what", "origin"], rows: rows)))
    }
}
