import AiboxAudit
import AiboxSystem
import ArgumentParser

struct RecordingExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Decrypt a recording into an asciicast v2 file.",
        discussion: "What the file holds is no longer protected: keep it where the recording may be seen.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var recordings: RecordingOptions

    @Argument(help: "A recording's id, the beginning of one, or a session.")
    var recording: String

    @Argument(help: "The file to write; it must not exist.")
    var file: String

    func run() throws {
        let entry = try recordings.store.find(recording)
        let key = try recordings.requireKey()
        if File.exists(file) { throw AiboxError(.usage, "\(file) exists already", remedy: "name another file") }
        // The whole is checked before anything is written.
        var text = try RecordingText(try RecordingReader(entry.path, key: key))
        while try text.next() != nil {}
        let isComplete = text.isComplete
        text = try RecordingText(try RecordingReader(entry.path, key: key))
        var bytes = text.header + [0x0a]
        while let event = try text.next() { bytes += event.exported + [0x0a] }
        try File.replace(file, with: bytes)
        global.output.answer(
            .text(
                "\(SafeText.escaped(file)): \(bytes.count) bytes, readable by you alone.",
                .object([
                    .init("file", .text(file)), .init("bytes", .integer(bytes.count)),
                    .init("complete", .boolean(isComplete)),
                ])))
        if !isComplete { global.output.note("the end of the recording is missing") }
    }
}
