public import AiboxSystem
import AiboxWire

/// Counts the events that the log gains from one moment on, of one sandbox, whoever writes them.
///
/// Reads each line once, and only what the figures need of it. One thread at a time.
public final class AuditCounter {
    private let folder: LogFolder
    private let sandbox: String
    private var segment: UInt64
    private var offset: Int
    private var figures = AuditFigures()

    /// - Parameters:
    ///   - folder: the audit folder.
    ///   - sandbox: its events are counted; those of others and of none are not.
    public init(folder: String, sandbox: String) throws(AiboxError) {
        self.folder = LogFolder(path: folder)
        self.sandbox = sandbox
        segment = try self.folder.segments().last ?? 1
        let path = self.folder.path(segment: segment)
        offset = 0
        if File.exists(path) {
            let file = try MappedFile(path)
            // What follows the last newline is a line in the making. The bytes live as long as `file`.
            withExtendedLifetime(file) { offset = file.bytes.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0 }
        }
    }

    /// What was counted until now.
    public func read() throws(AiboxError) -> AuditFigures {
        while true {
            let path = folder.path(segment: segment)
            // Expired files are gone; the next one is not.
            if File.exists(path) {
                let file = try MappedFile(path)
                while let line = file.line(from: offset) {
                    count(line)
                    offset += line.count + 1
                }
            }
            guard let next = try folder.segments().first(where: { $0 > segment }) else { return figures }
            (segment, offset) = (next, 0)
        }
    }

    private func count(_ line: UnsafeRawBufferPointer) {
        let fields = LineFields(line)
        figures.saw(fields["time"])
        guard fields["sandbox"] == sandbox else { return }
        figures.count(type: fields["type"], outcome: fields["outcome"])
        figures.count(severity: fields["severity"])
        guard fields["type"] == AuditEventType.llmResponse.rawValue else { return }
        figures.spend((try? JSONParser.parse(line))?["details"])
    }
}
