import AiboxCrypto
public import AiboxSystem
import AiboxWire

/// The recordings in a folder, and what the audit log says of them.
public struct RecordingStore: Sendable {
    public let folder: String

    public init(folder: String) { self.folder = folder }

    public struct Entry: Sendable, Equatable {
        public var header: RecordingHeader
        public var path: String
        /// In bytes, on the disk.
        public var size: Int
    }

    /// Oldest first; files that are no recordings are told of.
    public func list() throws(AiboxError) -> (entries: [Entry], damaged: [String]) {
        var entries: [Entry] = []
        var damaged: [String] = []
        for name in File.isDirectory(folder) ? try Folder.names(folder) : []
        where name.hasSuffix(RecordingWriter.suffix) {
            let path = folder + "/" + name
            do throws(AiboxError) {
                let reader = try RecordingReader(path, key: nil)
                let file = try LogWriter.open(path, 0)
                entries.append(
                    Entry(header: reader.header, path: path, size: Int(try FileBytes.length(file, path))))
            } catch {
                damaged.append(path)
            }
        }
        return (entries.sorted { $0.header.id < $1.header.id }, damaged)
    }

    /// The recording with an id, the beginning of one, or of a session.
    public func find(_ name: String) throws(AiboxError) -> Entry {
        let entries = try list().entries
        let found = entries.filter { $0.header.id == name }
        let matches =
            found.isEmpty ? entries.filter { $0.header.id.hasPrefix(name) || $0.header.session == name } : found
        if matches.count == 1 || (matches.count > 1 && found.count == 1) { return matches[0] }
        throw AiboxError(
            .usage,
            matches.isEmpty ? "there is no recording \(name)" : "\(name) stands for \(matches.count) recordings",
            remedy: "aibox recording list shows them")
    }

    // MARK: Verification

    /// What checking one recording told.
    public struct Check: Sendable, Equatable {
        public var id: String
        public var path: String
        /// nil: it is as it was written.
        public var problem: String?
        /// Whether every chunk was decrypted, not only the file compared with the log.
        public var isOpened = false
        /// Whether the audit log vouches for this very file.
        public var isInLog = false
        public var notices: [String] = []
    }

    /// Checks a recording: its chunks with the key, its digest with the audit log.
    ///
    /// - Parameter log: the folder of the audit log; nil leaves that out.
    public func check(_ entry: Entry, key: RecordingKey?, log: String?) throws(AiboxError) -> Check {
        var check = Check(id: entry.header.id, path: entry.path)
        let fits = key.map { $0.recipient.fingerprint == entry.header.recipient } ?? false
        do throws(AiboxError) {
            let reader = try RecordingReader(entry.path, key: fits ? key : nil)
            while try reader.next() != nil {}
            check.isOpened = fits
            if !reader.isComplete { check.problem = "its end is missing: it was cut, or the recorder died" }
            if let log { try compare(try reader.digest(), log, &check) }
        } catch  where error.code == .integrity {
            check.problem = error.why ?? error.what
        }
        if !fits {
            check.notices.append(
                key == nil ? "without the key, its chunks were not decrypted" : "it is for another key")
        }
        return check
    }

    private func compare(_ digest: String, _ log: String, _ check: inout Check) throws(AiboxError) {
        let ends = try Self.events(.recordingEnd, check.id, log)
        guard let end = ends.first?.json["details"], let logged = end["digest"]?.stringValue else {
            let begun = try !Self.events(.recordingStart, check.id, log).isEmpty
            if begun, check.problem == nil { check.problem = "the audit log does not say that it ended" }
            if !begun { check.problem = "the audit log does not know it" }
            return
        }
        if logged == digest {
            check.isInLog = true
            if let reason = end["reason"]?.stringValue { check.notices.append("it ended early: \(reason)") }
        } else {
            check.problem = "it is not the file that the audit log speaks of"
        }
    }

    /// The ids of recordings that the log knows to have begun and that are not in the folder.
    public func missing(log: String) throws(AiboxError) -> [String] {
        var query = AuditIndex.Query()
        query.type = AuditEventType.recordingStart.rawValue
        query.limit = .max
        let known = try AuditIndex(folder: log).search(query).map(\.subject)
        let here = Set(try list().entries.map(\.header.id))
        return known.filter { !here.contains($0) }
    }

    private static func events(_ type: AuditEventType, _ id: String, _ log: String) throws(AiboxError) -> [AuditRecord]
    {
        var query = AuditIndex.Query()
        query.type = type.rawValue
        query.text = id
        return try AuditIndex(folder: log).search(query).filter { $0.subject == id }
    }
}
