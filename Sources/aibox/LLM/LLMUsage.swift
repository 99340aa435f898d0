import AiboxAudit
import AiboxConfig
import AiboxSystem
import AiboxWire
import ArgumentParser

struct LLMUsage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Show what sandboxes asked of language models, and what it cost.",
        discussion: """
            Counted from the audit log, with the providers' own counts of tokens. The cost is that of the answers for whose model the \
            policy has a price (llm.prices), in the currency of these prices.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(
        name: .customLong("name"), help: ArgumentHelp("One sandbox only.", valueName: "sandbox"),
        completion: .sandboxes)
    var sandbox: String?

    @Option(name: .customLong("by"), help: "One line for each of them: day, model or sandbox.")
    var grouping: Grouping = .day

    @Option(help: ArgumentHelp("Not before: 2026-03-01, 24h, 7d.", valueName: "when"))
    var since: String?

    enum Grouping: String, ExpressibleByArgument, CaseIterable { case day, model, sandbox }

    func run() throws {
        let paths = global.layers().paths
        var query = AuditIndex.Query()
        query.sandbox = sandbox
        query.types = [.llmRequest, .llmResponse]
        query.since = try since.map { text throws(AiboxError) in
            guard let time = AuditTime.parse(text, now: .now) else {
                throw AiboxError(
                    .usage, "cannot read the time \(SafeText.escaped(text))", remedy: "2026-03-01, 24h or 7d")
            }
            return time
        }
        var sums: [String: Sum] = [:]
        if File.exists(paths.auditFolder) {
            try AuditIndex(folder: paths.auditFolder).forEach(query) { record throws(AiboxError) in
                sums[key(of: record), default: Sum()].take(record)
            }
        }
        global.output.answer(
            .listing(
                Listing(
                    columns: [
                        grouping.rawValue, "requests", "refused", "failed", "input_tokens", "output_tokens",
                        "cached_tokens", "cost",
                    ],
                    rows: sums.sorted { $0.key < $1.key }.map { key, sum in
                        [.text(key)]
                            + [sum.requests, sum.refused, sum.failed, sum.input, sum.output, sum.cached].map {
                                .integer($0)
                            } + [.optional(sum.cost.map { LLMAmount.text(micros: $0) })]
                    })))
    }

    private func key(of record: AuditRecord) -> String {
        switch grouping {
        // Days of UTC, as everywhere in the log.
        case .day: String(record.time.prefix(10))
        case .model: record.subject.isEmpty ? "-" : record.subject
        case .sandbox: record.sandbox
        }
    }

    /// What one line tells.
    private struct Sum {
        var requests = 0
        var refused = 0
        var failed = 0
        var input = 0
        var output = 0
        var cached = 0
        /// In millionths, of the answers whose price was known; nil where none was.
        var cost: Int?

        mutating func take(_ record: AuditRecord) {
            let details = record.json["details"]
            func number(_ name: String) -> Int { Int(clamping: max(0, details?[name]?.wholeNumber ?? 0)) }
            switch (record.type, record.outcome) {
            // With a reason it goes on to another gateway: it is counted already.
            case ("llm.request", "allowed"): if details?["reason"] == nil { requests += 1 }
            case ("llm.request", "denied"): refused += 1
            case ("llm.request", _): failed += 1
            default:
                if record.outcome == "failure" { failed += 1 }
                input += number("input_tokens")
                output += number("output_tokens")
                cached += number("cached_tokens")
                if details?["cost_microdollars"] != nil { cost = (cost ?? 0) + number("cost_microdollars") }
            }
        }
    }
}
