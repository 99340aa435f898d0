import AiboxCrypto
public import AiboxSystem
import AiboxWire

/// Sends the log's events to a sink, in order, each at least once.
///
/// The log itself is the spool: it is on the disk anyway, bounded by its retention, and complete. What is kept for a
/// sink is only how far it has got, and that moves on after the sink has taken a batch; a crash in between sends the
/// batch again. A receiver tells repeated events by their number and id.
public struct AuditForwarder {
    public let address: SinkAddress
    private let folder: LogFolder
    private let transport: any SinkTransport
    private let cursorPath: String

    /// Events and bytes in a batch at most.
    private static let largestBatch = 500
    private static let largestBytes = 1 << 20

    /// - Parameter folder: the audit folder.
    public init(folder: String, to address: SinkAddress) throws(AiboxError) {
        try self.init(folder: folder, to: address, transport: TLSTransport())
    }

    init(folder: String, to address: SinkAddress, transport: any SinkTransport) throws(AiboxError) {
        self.folder = LogFolder(path: folder)
        self.address = address
        self.transport = transport
        let digest = try SHA256.digest("\(address.kind.rawValue)://\(address.host):\(address.port)\(address.path)").hex
        cursorPath = folder + "/sink-" + digest.prefix(16)
    }

    /// What a run did.
    public struct Progress: Sendable, Equatable {
        /// Events that the sink took.
        public var sent = 0
        /// The newest of them, in this run or an earlier one.
        public var last: UInt64 = 0
        /// What a person should know.
        public var notices: [String] = []
    }

    private struct Cursor {
        var sequence: UInt64
        var segment: UInt64
        var offset: UInt64
        /// The leaf hash of the last line sent: if it is another one, this is another log.
        var head: Digest256
    }

    /// Sends what the sink has not got yet.
    ///
    /// - Throws: if the sink does not take it; what was taken before stays taken.
    public func run() throws(AiboxError) -> Progress {
        var progress = Progress()
        let hasher = try MerkleHasher()
        let identity = try LogIdentity(try File.text(folder.identity, limit: 65_536), from: folder.identity)
        var cursor = try start(identity, hasher, &progress)
        progress.last = cursor.sequence
        while true {
            let (records, next) = try batch(cursor, hasher)
            if records.isEmpty { return progress }
            if let notice = try transport.send(records, to: address) { progress.notices.append(notice) }
            try store(next, identity)
            cursor = next
            progress.sent += records.count
            progress.last = cursor.sequence
        }
    }

    /// The events after a cursor, as many as fit into a batch, and the cursor behind them.
    private func batch(_ cursor: Cursor, _ hasher: MerkleHasher) throws(AiboxError) -> ([AuditRecord], Cursor) {
        var next = cursor
        var records: [AuditRecord] = []
        var bytes = 0
        while records.count < Self.largestBatch, bytes < Self.largestBytes {
            let path = folder.path(segment: next.segment)
            let file = try MappedFile(path)
            while let line = file.line(from: Int(next.offset)) {
                guard let record = RecordLine(line), record.sequence == next.sequence + 1,
                    record.previous == next.head || next.sequence == 0
                else {
                    throw AiboxError(
                        .integrity, "cannot send audit events",
                        why: "event \(next.sequence + 1) in \(path) is not as it was written",
                        remedy: "aibox audit verify names the first bad record")
                }
                records.append(try AuditRecord(Array(line), file: path, offset: next.offset))
                bytes += line.count
                next.sequence += 1
                next.offset += UInt64(line.count) + 1
                next.head = try hasher.leaf(line)
                if records.count == Self.largestBatch || bytes >= Self.largestBytes { break }
            }
            let following = next.sequence + 1
            guard next.offset == UInt64(file.bytes.count), next.segment != following,
                File.exists(folder.path(segment: following))
            else { break }
            (next.segment, next.offset) = (following, 0)
        }
        return (records, next)
    }

    /// Where the sink stands, or the log's beginning.
    private func start(
        _ identity: LogIdentity, _ hasher: MerkleHasher, _ progress: inout Progress
    ) throws(AiboxError) -> Cursor {
        let first = try folder.segments().first ?? 1
        let removed = try Tombstone.before(first, of: identity, in: folder)
        let head = if let removed { removed.head } else { try identity.anchor() }
        let beginning = Cursor(sequence: first - 1, segment: first, offset: 0, head: head)
        guard let text = try? File.text(cursorPath, limit: 4096) else { return beginning }
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 5, words[0] == identity.origin, let sequence = UInt64(words[1]),
            let segment = UInt64(words[2]), let offset = UInt64(words[3]), let head = Digest256(hex: words[4])
        else {
            progress.notices.append("where the sink stood is unknown: everything is sent again")
            return beginning
        }
        if sequence < beginning.sequence {
            progress.notices.append(
                "events \(sequence + 1) to \(beginning.sequence) were removed before the sink took them")
            return beginning
        }
        return Cursor(sequence: sequence, segment: segment, offset: offset, head: head)
    }

    private func store(_ cursor: Cursor, _ identity: LogIdentity) throws(AiboxError) {
        try File.replace(
            cursorPath,
            with: "\(identity.origin) \(cursor.sequence) \(cursor.segment) \(cursor.offset) \(cursor.head.hex)")
    }
}
