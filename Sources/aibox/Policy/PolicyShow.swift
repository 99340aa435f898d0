import AiboxContainer
import AiboxPolicy
import AiboxSystem
import ArgumentParser

struct PolicyShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what the policies in effect here say.",
        discussion: """
            Without a file: the policies in effect for the current folder; with --name, those that a sandbox was started \
            with and is held to.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var documents: PolicyDocumentOptions

    @Option(help: ArgumentHelp("What this sandbox is held to.", valueName: "sandbox"), completion: .sandboxes)
    var name: String?

    @Flag(help: "Also what holds because nobody said otherwise.")
    var effective = false

    @Flag(help: "Where each value comes from.")
    var origin = false

    func validate() throws {
        if name != nil, documents.org != nil || documents.team != nil || documents.project != nil {
            throw ValidationError("--name goes without files.")
        }
    }

    func run() throws {
        let policy = try set().effective()
        var rows: [[OutputValue]] = []
        for field in PolicySchema.fields {
            guard let item = policy[field.name], effective || !item.origin.isBuiltIn else { continue }
            for (value, place) in field.rows(item) {
                let start: [OutputValue] = [.text(field.name), .text(value)]
                rows.append(
                    start
                        + (origin
                            ? [.text(place.layer.rawValue), .text(place.isBuiltIn ? "default" : "\(place)")] : [])
                        + [.text(field.isEnforced(item) ? "yes" : "not yet")])
            }
        }
        for note in policy.notes { global.output.note("note: " + note) }
        global.output.answer(
            .listing(
                Listing(columns: ["field", "value"] + (origin ? ["layer", "origin"] : []) + ["enforced"], rows: rows)))
    }

    private func set() throws -> PolicySet {
        guard let name else { return try documents.set(global) }
        if let kept = try global.context().keptPolicy(of: name) { return kept }
        throw AiboxError(.failed, "no policy was kept of a sandbox \(SafeText.escaped(name))", remedy: "aibox list")
    }
}

extension PolicyField {
    /// A value as lines of a table: each entry of a list of entries by itself, with its own place.
    func rows(_ item: PolicyItem) -> [(String, PolicyOrigin)] {
        let entries = item.elements
        if entries.isEmpty || entries.contains(where: { $0.members.isEmpty && $0.text == nil }) {
            return [(words(of: item), item.origin)]
        }
        return entries.map { entry in (entryWords(entry), entry.origin) }
    }
}
