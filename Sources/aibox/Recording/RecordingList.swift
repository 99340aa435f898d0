import AiboxAudit
import AiboxConfig
import AiboxSystem
import ArgumentParser

struct RecordingList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the recordings.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var recordings: RecordingOptions

    func run() throws {
        let (entries, damaged) = try recordings.store.list()
        global.output.answer(
            .listing(
                Listing(
                    columns: ["id", "started", "sandbox", "kind", "user", "session", "size"],
                    rows: entries.map { entry in
                        [
                            .text(entry.header.id), entry.started, .text(entry.header.sandbox),
                            .text(entry.header.kind), .text(entry.header.user), .text(entry.header.session),
                            .size(ByteSize(bytes: Int64(entry.size))),
                        ]
                    })))
        for path in damaged { global.output.note("\(path) is no recording, or its beginning is damaged") }
    }
}

extension RecordingStore.Entry {
    fileprivate var started: OutputValue {
        AuditTime.parse(header.started, now: Timestamp(seconds: 0)).map(OutputValue.time) ?? .text(header.started)
    }
}
