import AiboxCrypto
import AiboxSystem
import Glibc

/// A place beside this machine that remembers what the log was.
///
/// The newest checkpoint stands for all before it: its tree head is over every event. So a place that was out of reach
/// for a while lacks nothing once it has the newest.
protocol CheckpointPlace: Sendable {
    /// Compares what the place holds with the log; nil if it cannot be read.
    ///
    /// - Parameter isAudit: look at everything that the place ever held. Else at what came after the last delivery.
    func recall(_ log: PlacedLog, isAudit: Bool) throws(AiboxError) -> PlaceMemory?
    /// Puts the newest checkpoint there. Doing it twice does no harm.
    ///
    /// - Throws: `integrity` if the place refuses because it knows the log otherwise.
    func add(_ log: PlacedLog) throws(AiboxError)
}

/// A log as its places see it: who it is and what it signed.
struct PlacedLog: Sendable {
    let folder: LogFolder
    let identity: LogIdentity
    /// In the order in which they were signed.
    private(set) var checkpoints: [Checkpoint]
    /// The largest size that the place has had before; 0 if none.
    var delivered: UInt64 = 0
    private var own: [UInt64: Set<String>] = [:]
    /// Where the newest of them lies in the file.
    private var place = 0..<0

    var newest: Checkpoint? { checkpoints.last }

    init(_ folder: LogFolder, _ identity: LogIdentity, checkpoints bytes: [UInt8]) {
        self.folder = folder
        self.identity = identity
        checkpoints = []
        add(bytes, at: 0)
    }

    /// The log as it is now.
    ///
    /// - Parameter before: as it was. If its newest checkpoint lies where it lay, only what came after it is read: the file
    ///   grows for as long as the log lives. Whether what is before still holds is for `audit verify`.
    init(_ folder: LogFolder, before: PlacedLog? = nil) throws(AiboxError) {
        let identity = try LogIdentity(try File.text(folder.identity, limit: 65_536), from: folder.identity)
        if let before, before.identity == identity, let newest = before.newest, File.exists(folder.checkpoints) {
            let file = try LogWriter.open(folder.checkpoints, O_RDONLY)
            let length = try FileBytes.length(file, folder.checkpoints)
            if length >= UInt64(before.place.upperBound) {
                let bytes = try FileBytes.read(
                    file, from: UInt64(before.place.lowerBound), to: length, folder.checkpoints)
                let (known, rest) = (bytes.prefix(before.place.count), bytes.dropFirst(before.place.count))
                if CheckpointList.parse(Array(known)).entries.map(\.source) == [newest.note.source] {
                    self = before
                    add(Array(rest), at: before.place.upperBound)
                    return
                }
            }
        }
        let bytes = File.exists(folder.checkpoints) ? try File.read(folder.checkpoints, limit: 1 << 30) : []
        self.init(folder, identity, checkpoints: bytes)
    }

    private mutating func add(_ bytes: [UInt8], at offset: Int) {
        var start = 0
        for (source, end) in CheckpointList.parse(bytes).entries {
            if let checkpoint = Checkpoint(source: source) {
                checkpoints.append(checkpoint)
                own[checkpoint.size, default: []].insert(checkpoint.note.text)
                place = offset + start..<offset + end
            }
            start = end
        }
    }

    /// Whether the log has a checkpoint over these events with this root.
    func has(_ size: UInt64, _ root: Digest256) -> Bool {
        own[size]?.contains { $0.hasPrefix("\(identity.origin)\n\(size)\n\(Base64.encode(root.bytes))\n") } ?? false
    }

    func has(_ checkpoint: Checkpoint) -> Bool { own[checkpoint.size]?.contains(checkpoint.note.text) ?? false }
}

/// What a place remembers that bears on a log.
struct PlaceMemory {
    /// The place, for people.
    var name: String
    /// The largest of the log's own checkpoints that is there; nil if it has none.
    var agreed: UInt64?
    /// The first thing there that the log contradicts.
    private(set) var finding: AuditFinding?
    /// Tree heads that the log signed and does not have: the walk names the event where the ways part.
    private(set) var heads: [Checkpoint] = []

    init(_ name: String) { self.name = name }

    /// Takes a checkpoint that lies there into account; what this log's key did not sign proves nothing.
    mutating func look(at checkpoint: Checkpoint, _ log: PlacedLog) throws(AiboxError) {
        guard checkpoint.origin == log.identity.origin, try checkpoint.note.isSigned(by: log.identity.key) else {
            return
        }
        if log.has(checkpoint) {
            agreed = max(agreed ?? 0, checkpoint.size)
            return
        }
        heads.append(checkpoint)
        let covered = log.newest?.size ?? 0
        let words = "\(name) holds a checkpoint of \(checkpoint.time) over \(checkpoint.size) events"
        if checkpoint.size > covered {
            report(.rolledBack, covered + 1, to: checkpoint.size, words + "; the log's own end at \(covered)")
        } else {
            report(.forked, checkpoint.size, words + " that the log does not have")
        }
    }

    /// Takes the identity of a log into account that lies there: another one of the same machine and folder is proof
    /// that this one took its place.
    mutating func look(at other: LogIdentity, _ log: PlacedLog) {
        if other.origin == log.identity.origin {
            if other != log.identity { report(.rekeyed, 1, "\(name) has other keys for this log") }
        } else if other.place == log.identity.place {
            report(
                .rekeyed, 1,
                "\(name) knows the log at \(log.identity.place) as \(other.origin), not as \(log.identity.origin)")
        }
    }

    mutating func report(_ kind: AuditFinding.Kind, _ first: UInt64?, to last: UInt64? = nil, _ words: String) {
        if finding == nil { finding = AuditFinding(kind, first, to: last, in: name, words) }
    }
}
