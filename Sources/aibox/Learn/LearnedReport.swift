import AiboxNetwork
import AiboxPolicy
import AiboxSystem

/// What was learned, as an answer: the text is YAML, what is no entry stands in comments.
struct LearnedReport {
    let sandbox: String
    let learned: LearnedPolicy

    var text: String {
        var parts: [String] = learned.additions.map { addition in
            comment(
                "\(addition.file) (\(addition.layer.rawValue)): these entries for its "
                    + addition.fields.joined(separator: " and "))
                + addition.text
        }
        if parts.isEmpty { parts.append(comment("no entry of network.allow is missing")) }
        var text = parts.joined(separator: "---\n")
        for removal in learned.removals {
            text += comment(
                "\(removal.origin): take out the rule \(removal.rule) of \(removal.field), or "
                    + (removal.isNarrowing ? "let this run beside it: " : "narrow it: ")
                    + "\(command(removal.example)), \(times(removal.seen))")
        }
        for lacking in learned.lacking {
            text += comment(
                "\(lacking.origin): mcp.servers does not name the tool \(lacking.tool) of the server \(lacking.server), "
                    + "and the organisation would let it be used: add it, \(times(lacking.seen))")
        }
        for refused in learned.left {
            text += comment(
                "no entry that can be added lets through \(refused.what), \(times(refused.seen)): \(refused.reason)")
        }
        for (isReviewed, words) in [
            (false, "the organisation refuses, and no team or project can permit:"),
            (true, "the organisation has reviewed, and no team or project can change that:"),
        ] {
            let group = learned.beyond.filter { $0.isReviewed == isReviewed }
            if !group.isEmpty { text += comment(words) }
            for refused in group {
                text += comment("  \(refused.what), \(times(refused.seen)): \(refused.owner ?? refused.reason)")
            }
        }
        text = String(text.dropLast())
        return SafeText.escaped(text, keepingLines: true)
    }

    var document: OutputValue {
        .object([
            .init("sandbox", .text(sandbox)),
            .init(
                "additions",
                .list(
                    learned.additions.map { addition in
                        .object([
                            .init("layer", .text(addition.layer.rawValue)), .init("file", .text(addition.file)),
                            .init("fields", .list(addition.fields.map { .text($0) })),
                            .init("entries", .list(addition.entries.map(entry))),
                            .init("models", .list(addition.models.map { .text($0.name) })),
                            .init("yaml", .text(addition.text)),
                        ])
                    })),
            .init(
                "removals",
                .list(
                    learned.removals.map { removal in
                        .object([
                            .init("layer", .text(removal.origin.layer.rawValue)),
                            .init("origin", .text(removal.origin.description)), .init("field", .text(removal.field)),
                            .init("rule", .text(removal.rule)),
                            .init("match", .list(removal.words.map { .text($0) })),
                            .init("seen", .integer(removal.seen)),
                            .init("example", .list(removal.example.map { .text($0) })),
                        ])
                    })),
            .init(
                "lacking",
                .list(
                    learned.lacking.map { lacking in
                        .object([
                            .init("origin", .text(lacking.origin.description)), .init("field", "mcp.servers"),
                            .init("server", .text(lacking.server)), .init("tool", .text(lacking.tool)),
                            .init("seen", .integer(lacking.seen)),
                        ])
                    })), .init("left", .list(learned.left.map(refused))),
            .init("beyond", .list(learned.beyond.map(refused))), .init("passing", .integer(learned.passing)),
        ])
    }

    private func entry(_ entry: LearnedEntry) -> OutputValue {
        let source = entry.source
        func texts(_ values: [String]?) -> OutputValue { values.map { .list($0.map { .text($0) }) } ?? .null }
        return .object([
            .init("id", .text(source.id)), .init("hosts", texts(source.hosts)),
            .init("ports", .list(source.ports.map { .integer($0) })), .init("schemes", texts(source.schemes)),
            .init("methods", texts(source.methods)), .init("paths", texts(source.paths)),
            .init("seen", .integer(entry.seen)),
        ])
    }

    private func refused(_ refused: LearnedPolicy.Refused) -> OutputValue {
        .object([
            .init("what", .text(refused.what)), .init("seen", .integer(refused.seen)),
            .init("rule", .text(refused.rule)), .init("reason", .text(refused.reason)),
            .init("owner", .optional(refused.owner)), .init("reviewed", .boolean(refused.isReviewed)),
        ])
    }

    private func times(_ seen: Int) -> String { seen == 1 ? "seen once" : "seen \(seen) times" }

    private func command(_ words: [String]) -> String {
        let text = words.map(ShellQuoting.quoted).joined(separator: " ")
        return text.count <= 200 ? text : text.prefix(199) + "…"
    }

    /// One line, whatever is in it.
    private func comment(_ text: String) -> String { "# " + SafeText.escaped(text) + "\n" }
}
