import AiboxAudit
import AiboxSystem
import ArgumentParser

struct RecordingKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Make a key for whoever reviews recordings.",
        discussion: """
            The file is the secret half and belongs to the reviewer, best on another machine. The public half, which \
            is printed, is what audit.recording_recipient or the organisation's policy names.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The file to write; it must not exist.")
    var file: String

    func run() throws {
        if File.exists(file) { throw AiboxError(.usage, "\(file) exists already", remedy: "name another file") }
        let key = try RecordingKey()
        try File.replace(file, with: key.text, mode: 0o600)
        global.output.answer(
            .text(
                key.recipient.text,
                .object([
                    .init("recipient", .text(key.recipient.text)),
                    .init("fingerprint", .text(key.recipient.fingerprint)),
                    .init("file", .text(file)),
                ])))
    }
}
