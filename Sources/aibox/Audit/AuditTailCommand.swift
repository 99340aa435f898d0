import AiboxAudit
import AiboxSystem
import ArgumentParser
import Glibc

struct AuditTailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "tail", abstract: "Show the newest events.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var audit: AuditOptions

    @Option(name: [.customShort("n"), .customLong("lines")], help: "How many events to begin with.")
    var count = 20

    @Flag(name: .shortAndLong, help: "Go on with the events that come.")
    var follow = false

    func validate() throws {
        if count < 0 { throw ValidationError("-n takes a number that is not negative") }
    }

    func run() throws {
        var tail = try AuditTail(folder: audit.folder, count: count)
        var output = global.output
        // A stream has no end at which one document could close.
        if follow, output.format == .json { output.format = .jsonl }
        output.answer(AuditReport.listing(try tail.next(), output.format))
        while follow {
            usleep(200_000)
            let records = try tail.next()
            if !records.isEmpty { output.answer(AuditReport.listing(records, output.format)) }
        }
    }
}
