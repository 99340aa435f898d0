import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxSystem
import ArgumentParser

struct RecordingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recording", abstract: "List, play, export and check recorded sessions.",
        subcommands: [
            RecordingList.self, RecordingPlay.self, RecordingExport.self, RecordingVerify.self,
            RecordingKeyCommand.self,
        ])
}

/// Which recordings a command reads, and with which key.
struct RecordingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Read the recordings in this folder instead of your own.", valueName: "dir"))
    var folder: String?

    @Option(help: ArgumentHelp("The key that they are encrypted for, instead of your own.", valueName: "file"))
    var key: String?

    var store: RecordingStore { RecordingStore(folder: folder ?? Paths.current.recordingsFolder) }

    /// The key given, else the user's own if there is one.
    func optionalKey() throws(AiboxError) -> RecordingKey? {
        if let key { return try RecordingKey(try File.text(key, limit: 65_536), from: key) }
        return File.exists(Paths.current.recordingKey) ? try RecordingRule.ownKey(.current) : nil
    }

    func requireKey() throws(AiboxError) -> RecordingKey {
        if let key = try optionalKey() { return key }
        throw AiboxError(
            .usage, "cannot read recordings without their key", remedy: "name the file with --key")
    }
}
