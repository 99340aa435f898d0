import AiboxAudit
import AiboxSystem
import ArgumentParser
import Glibc

struct RecordingPlay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "play", abstract: "Play a recording on this terminal, or search in it.",
        discussion: """
            Sequences that would make your terminal answer, set its title or write to its clipboard are left out.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var recordings: RecordingOptions

    @Option(help: "So many times as fast.")
    var speed = 1.0

    @Option(help: ArgumentHelp("Shorten pauses to so many seconds.", valueName: "seconds"))
    var idle = 2.0

    @Option(help: ArgumentHelp("Begin so many seconds after the start.", valueName: "seconds"))
    var from = 0.0

    @Option(help: ArgumentHelp("Do not play, but show where this text was shown.", valueName: "text"))
    var search: String?

    @Argument(help: "A recording's id, the beginning of one, or a session.")
    var recording: String

    func validate() throws {
        if !(speed > 0 && speed.isFinite) { throw ValidationError("--speed takes a number above zero") }
        if !(idle >= 0 && from >= 0) { throw ValidationError("--idle and --from take numbers that are not negative") }
    }

    func run() throws {
        let entry = try recordings.store.find(recording)
        var text = try RecordingText(try RecordingReader(entry.path, key: try recordings.requireKey()))
        if let search {
            try find(search, &text)
        } else {
            try play(&text)
        }
        if !text.isComplete {
            global.output.note("the end of the recording is missing: it was cut, or the recorder died")
        }
    }

    private func play(_ text: inout RecordingText) throws {
        var filter = TerminalFilter()
        var last = from
        while let event = try text.next() {
            if event.time > last {
                let pause = min(event.time - last, idle) / speed
                usleep(UInt32(min(pause, 3600) * 1e6))
                last = event.time
            }
            guard event.code == "o" else { continue }
            let bytes = filter.filter(AuditText.bytes(event.data))
            try File.writeAll(bytes, to: Self.terminal, "the terminal")
        }
        try File.writeAll(Array("\u{1b}[0m\r\n".utf8), to: Self.terminal, "the terminal")
    }

    private static let terminal = Descriptor(dup(STDOUT_FILENO))

    private func find(_ wanted: String, _ text: inout RecordingText) throws {
        var lines = RecordingLines()
        var rows: [[OutputValue]] = []
        while let event = try text.next(), rows.count < 1000 {
            guard event.code == "o" else { continue }
            for line in lines.add(event) where line.text.contains(wanted) {
                rows.append([.number((line.time * 10).rounded() / 10), .text(line.text)])
            }
        }
        for line in lines.rest() where line.text.contains(wanted) {
            rows.append([.number((line.time * 10).rounded() / 10), .text(line.text)])
        }
        global.output.answer(.listing(Listing(columns: ["seconds", "line"], rows: rows)))
    }
}
