import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxState
import AiboxSystem
import AiboxWire
import ArgumentParser
import Glibc

struct NetworkLog: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show what the sandbox asked the network for, and what it got.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    @Flag(name: .shortAndLong, help: "Go on with what comes.")
    var follow = false

    @Flag(help: "Refusals only.")
    var denied = false

    @Option(name: [.customShort("n"), .customLong("lines")], help: "The newest so many.")
    var count = 100

    func validate() throws {
        if count < 1 { throw ValidationError("-n takes a number above zero") }
    }

    func run() throws {
        let context = try global.context()
        // A sandbox that has stopped has a log too.
        let name = try sandbox.name ?? global.sandbox(sandbox, in: context).name
        var output = global.output
        if follow, output.format == .json { output.format = .jsonl }
        var query = AuditIndex.Query()
        query.sandbox = name
        query.limit = count * 4
        var tail = try AuditTail(folder: context.paths.auditFolder, count: 0)
        var known: [AuditRecord] = []
        for type in ["network", "dns"] {
            query.type = type
            known += try AuditIndex(folder: context.paths.auditFolder).search(query)
        }
        known.sort { $0.sequence < $1.sequence }
        let ended = NetworkRow.ends(known)
        let rows = known.compactMap { NetworkRow($0, ended) }.filter { !denied || $0.isRefused }
        output.answer(NetworkRow.listing(rows.suffix(count), output.format))
        while follow {
            usleep(200_000)
            let records = try tail.next().filter { $0.sandbox == name }
            let ended = NetworkRow.ends(records)
            let rows = records.compactMap { NetworkRow($0, ended) }.filter { !denied || $0.isRefused }
            if !rows.isEmpty { output.answer(NetworkRow.listing(rows[...], output.format)) }
        }
    }
}

/// One request of the sandbox, as the audit log has it.
struct NetworkRow {
    private let record: AuditRecord
    private let details: JSONValue
    private let end: JSONValue?

    /// What requests that are over have cost, by the id of their event.
    static func ends(_ records: [AuditRecord]) -> [String: JSONValue] {
        var ends: [String: JSONValue] = [:]
        for record in records where record.type == "network.end" {
            if let details = record.json["details"], let id = details["allow"]?.stringValue { ends[id] = details }
        }
        return ends
    }

    /// nil for an event that is no request.
    init?(_ record: AuditRecord, _ ends: [String: JSONValue]) {
        guard ["network.allow", "network.deny", "dns.response"].contains(record.type) else { return nil }
        self.record = record
        details = record.json["details"] ?? .object([:])
        // A request in an opened tunnel is written when it ends, with what it has cost.
        end = ends[record.id] ?? details
    }

    var isRefused: Bool { record.outcome == "denied" }

    private func text(_ name: String) -> OutputValue { .optional(details[name]?.stringValue) }
    private func number(_ name: String, _ source: JSONValue?) -> OutputValue {
        source?[name]?.wholeNumber.map { .integer(Int($0)) } ?? .null
    }

    private static let columns = [
        "time", "verdict", "protocol", "host", "port", "method", "path", "rule", "reason", "bytes_out", "bytes_in",
        "duration_ms",
    ]

    private var values: [OutputValue] {
        let isName = record.type == "dns.response"
        return [
            AuditTime.parse(record.time, now: .now).map(OutputValue.time) ?? .text(record.time),
            .text(isRefused ? "denied" : "allowed"), isName ? "dns" : text("protocol"),
            isName
                ? .text(record.subject) : details["host"]?.stringValue.map(OutputValue.text) ?? .text(record.subject),
            number("port", details), isName ? text("record") : text("method"), text("path"),
            isName ? text("code") : text("rule"), text("reason"), number("bytes_out", end), number("bytes_in", end),
            number("duration_ms", end),
        ]
    }

    /// A table with what a person needs, or all of it for a program.
    static func listing(_ rows: ArraySlice<NetworkRow>, _ format: OutputFormat) -> Answer {
        if format == .text {
            let shown = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10]
            return .listing(
                Listing(
                    columns: shown.map { columns[$0] },
                    rows: rows.map { row in
                        let values = row.values
                        return shown.map { values[$0] }
                    }))
        }
        return .listing(Listing(columns: columns, rows: rows.map(\.values)))
    }
}
