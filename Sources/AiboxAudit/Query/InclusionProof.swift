import AiboxCrypto
public import AiboxSystem

/// Proof that an event is in a log that was signed: a small text that anyone can check with the log's public key and
/// without the log (c2sp.org/tlog-proof).
///
///     c2sp.org/tlog-proof@v1
///     extra BASE64 of the event's line
///     index N                      (the event's number, less one)
///     BASE64                       (the hashes from the leaf's sibling to the root's child)
///
///     CHECKPOINT
public struct InclusionProof: Sendable, Equatable {
    /// The event's line, without its newline.
    public var line: [UInt8]
    public var index: UInt64
    var path: [Digest256]
    var checkpoint: Checkpoint

    private static let title = "c2sp.org/tlog-proof@v1"

    /// Makes the proof for an event under the newest checkpoint that covers it.
    ///
    /// - Throws: if no checkpoint covers it yet, or the log does not lead to its checkpoint.
    public init(folder: String, sequence: UInt64) throws(AiboxError) {
        let files = LogFolder(path: folder)
        let notes = CheckpointList.parse(try File.read(files.checkpoints, limit: 1 << 30)).entries
        guard let newest = notes.last.flatMap({ Checkpoint(source: $0.source) }), sequence > 0, newest.size >= sequence
        else {
            throw AiboxError(
                .failed, "cannot prove event \(sequence)", why: "no checkpoint covers it yet",
                remedy: "wait for the next one: after some seconds, or when the session ends")
        }
        let hasher = try MerkleHasher()
        let segments = try files.segments()
        let identity = try LogIdentity(try File.text(files.identity, limit: 65_536), from: files.identity)
        let removed = try Tombstone.before(segments.first ?? 1, of: identity, in: files)
        var position = removed?.last ?? 0
        if sequence <= position {
            throw AiboxError(
                .failed, "cannot prove event \(sequence)",
                why: "events 1 to \(position) were removed after their retention")
        }
        var builder = MerkleProofBuilder(
            index: sequence - 1, size: newest.size, removed: removed?.frontier ?? MerkleFrontier())
        var line: [UInt8] = []
        for first in segments {
            let file = try MappedFile(files.path(segment: first))
            var offset = 0
            while position < newest.size, let bytes = file.line(from: offset) {
                if position == sequence - 1 { line = Array(bytes) }
                try builder.add(try hasher.leaf(bytes), at: position, hasher)
                position += 1
                offset += bytes.count + 1
            }
        }
        self.line = line
        index = sequence - 1
        path = try builder.proof(hasher)
        checkpoint = newest
        if try root(hasher) != newest.root {
            throw AiboxError(
                .integrity, "cannot prove event \(sequence)", why: "the log does not lead to its checkpoint",
                remedy: "aibox audit verify names the first bad record")
        }
    }

    /// - Throws: `usage` if the text is no such proof.
    public init(_ text: String, from name: String) throws(AiboxError) {
        let malformed = AiboxError(.usage, "\(name) is no inclusion proof of an audit event")
        guard let gap = text.firstRange(of: "\n\n") else { throw malformed }
        let lines = text[..<gap.lowerBound].split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, lines[0] == Self.title, lines[1].hasPrefix("extra "), lines[2].hasPrefix("index "),
            let line = Base64.decode(lines[1].dropFirst(6)), let index = UInt64(lines[2].dropFirst(6)),
            String(index) == lines[2].dropFirst(6), let checkpoint = Checkpoint(source: String(text[gap.upperBound...]))
        else { throw malformed }
        self.line = line
        self.index = index
        self.checkpoint = checkpoint
        path = []
        for hash in lines.dropFirst(3) {
            guard let bytes = Base64.decode(hash), let digest = Digest256(bytes) else { throw malformed }
            path.append(digest)
        }
    }

    public var text: String {
        var text = "\(Self.title)\nextra \(Base64.encode(line))\nindex \(index)\n"
        for hash in path { text += Base64.encode(hash.bytes) + "\n" }
        return text + "\n" + checkpoint.note.source
    }

    /// What a proof proves.
    public struct Statement: Sendable, Equatable {
        public var origin: String
        /// Events under the checkpoint.
        public var size: UInt64
        /// When it was signed.
        public var time: String
        public var event: AuditRecord
    }

    /// Checks the proof against a log's public key.
    ///
    /// - Parameter key: the text of a trusted `log.pub`, or its `key` line's value.
    /// - Throws: `integrity` if event, place, path, checkpoint or key do not belong together.
    public func check(key: String) throws(AiboxError) -> Statement {
        let noteKey: NoteKey
        if let plain = try NoteKey(key.filter { !$0.isNewline }) {
            noteKey = plain
        } else {
            noteKey = try LogIdentity(key, from: "the key file").key
        }
        func wrong(_ why: String) -> AiboxError { AiboxError(.integrity, "the proof does not hold", why: why) }
        guard checkpoint.origin == noteKey.name, try checkpoint.note.isSigned(by: noteKey) else {
            throw wrong("its checkpoint was not signed by the key of \(noteKey.name)")
        }
        let hasher = try MerkleHasher()
        guard try root(hasher) == checkpoint.root else { throw wrong("the event is not in the tree that was signed") }
        let event = try AuditRecord(line, file: "the proof", offset: 0)
        guard event.sequence == index + 1 else { throw wrong("the event has another number") }
        return Statement(origin: checkpoint.origin, size: checkpoint.size, time: checkpoint.time, event: event)
    }

    private func root(_ hasher: MerkleHasher) throws(AiboxError) -> Digest256? {
        let leaf = try line.borrowed { (bytes) throws(AiboxError) in try hasher.leaf(bytes) }
        return try MerkleProofBuilder.root(leaf: leaf, index: index, size: checkpoint.size, proof: path, hasher)
    }
}
