import AiboxSystem
import Glibc

/// A folder, best on another disk, machine or account, that gets a copy of every checkpoint. What was written there
/// cannot be taken back by whoever rolls back the log alone.
///
/// For each log it holds `ID.pub` (its identity) and `ID.checkpoints` (a prefix of the log's own file).
public struct SecondPlace: Sendable, Equatable {
    public var folder: String
    /// Whether appending stops while the place cannot be written (P5). Else an event says so, and it is tried again
    /// at the next checkpoint.
    public var required: Bool

    public init(folder: String, required: Bool = true) {
        self.folder = folder
        self.required = required
    }

    func identity(_ log: LogIdentity) -> String { folder + "/" + log.fileName + ".pub" }
    func checkpoints(_ log: LogIdentity) -> String { folder + "/" + log.fileName + ".checkpoints" }

    /// The origins of other logs that this place knows under the same machine and folder.
    func otherLogs(at place: String, than origin: String) throws(AiboxError) -> [String] {
        var others: [String] = []
        let mark = try LogIdentity.mark(of: place)
        for name in try Folder.names(folder) where name.hasPrefix(mark) && name.hasSuffix(".pub") {
            let path = folder + "/" + name
            let log = try LogIdentity(try File.text(path, limit: 65_536), from: path)
            if log.place == place, log.origin != origin { others.append(log.origin) }
        }
        return others
    }

    /// Refuses a place that knows another log under this one's machine and folder: then this log is not the one that
    /// was there.
    func refuseOtherLogs(at place: String, than origin: String) throws(AiboxError) {
        guard let other = try otherLogs(at: place, than: origin).first else { return }
        throw AiboxError(
            .integrity, "the audit log at \(place) is not the one that was there before",
            why: "\(folder) knows it as \(other)",
            remedy: "find out who removed that log; to begin a new one, move its two files in \(folder) away")
    }

    /// Makes the log known here, once.
    func register(_ log: LogIdentity) throws(AiboxError) {
        try Folder.make(folder, mode: 0o700)
        try refuseOtherLogs(at: log.place, than: log.origin)
        let path = identity(log)
        let text = try log.text()
        if File.exists(path) {
            if try File.text(path, limit: 65_536) == text { return }
            throw AiboxError(
                .integrity, "the second place \(folder) has another key for this log", why: "\(path) differs")
        }
        try File.replace(path, with: text, mode: 0o644)
    }

    /// Brings the copy up to date with the log's own checkpoints, of which `length` bytes count.
    ///
    /// Compares the end of the copy only: each checkpoint is chained to the one before by its one-time key. `audit
    /// verify` compares all.
    ///
    /// - Throws: `integrity` if the copy is no prefix of the log's own: then the log, not the copy, lost something.
    func update(
        _ log: LogIdentity, from own: Descriptor, length: UInt64, _ disk: any LogDisk
    ) throws(AiboxError) {
        let path = checkpoints(log)
        let copy = Descriptor(
            try retrying("cannot write \(path)") {
                open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o644)
            })
        let have = try FileBytes.length(copy, path)
        let compared = have - min(have, 8192)
        let end = try FileBytes.read(copy, from: compared, to: have, path)
        guard have <= length, try FileBytes.read(own, from: compared, to: have, path) == end else {
            throw AiboxError(
                .integrity, "the audit log was rolled back or replaced",
                why: "\(path) holds checkpoints that the log does not have",
                remedy: "aibox audit verify names the first bad record")
        }
        if have == length { return }
        let missing = try FileBytes.read(own, from: have, to: length, path)
        try missing.borrowed { (bytes) throws(AiboxError) in
            try disk.append(bytes, to: copy, path)
            try disk.synchronise(copy, path)
        }
    }
}
