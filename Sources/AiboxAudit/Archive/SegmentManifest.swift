import AiboxCrypto
import AiboxSystem

/// What a sealed file of events is, signed by the log's key.
///
///     ORIGIN/segment
///     first N
///     last M
///     bytes B
///     sha256 HEX                  of the file
///     prev HEX                    the link of its first event
///     head HEX                    the leaf hash of its last
///     root HEX                    the Merkle root over its lines
///     retain TIME                 not to be removed before
///     time TIME
struct SegmentManifest: Sendable, Equatable {
    var origin: String
    var first: UInt64
    var last: UInt64
    var bytes: UInt64
    var digest: Digest256
    var previous: Digest256
    var head: Digest256
    var root: Digest256
    var retain: String
    var time: String
    var note = SignedNote(text: "")

    private static let suffix = "/segment"

    var text: String {
        """
        \(origin)\(Self.suffix)
        first \(first)
        last \(last)
        bytes \(bytes)
        sha256 \(digest.hex)
        prev \(previous.hex)
        head \(head.hex)
        root \(root.hex)
        retain \(retain)
        time \(time)

        """
    }

    static func name(_ segment: UInt64) -> String { LogFolder.name(segment: segment) + ".manifest" }

    /// Reads a file of events from one end to the other.
    ///
    /// - Throws: `integrity` if its lines do not follow each other.
    init(
        of content: UnsafeRawBufferPointer, _ name: String, origin: String, retain: String, time: String,
        _ hasher: MerkleHasher
    ) throws(AiboxError) {
        var tree = MerkleFrontier()
        var ends: (first: RecordLine, last: RecordLine, head: Digest256)?
        var start = 0
        while start < content.count, let end = content[start...].firstIndex(of: 0x0a) {
            let line = UnsafeRawBufferPointer(rebasing: content[start..<end])
            let leaf = try hasher.leaf(line)
            guard let record = RecordLine(line),
                ends.map({ record.sequence == $0.last.sequence + 1 && record.previous == $0.head }) ?? true
            else {
                throw AiboxError(
                    .integrity, "\(name) is not as it was written",
                    why: "its line at byte \(start) does not follow the one before")
            }
            try tree.add(leaf, hasher)
            ends = (ends?.first ?? record, record, leaf)
            start = end + 1
        }
        guard let ends, start == content.count else {
            throw AiboxError(.integrity, "\(name) is not as it was written", why: "its last line has no end")
        }
        self.origin = origin
        first = ends.first.sequence
        last = ends.last.sequence
        bytes = UInt64(content.count)
        let hash = try SHA256()
        try hash.start()
        try hash.update(content)
        digest = try hash.finish()
        previous = ends.first.previous
        head = ends.head
        root = try tree.root(hasher)
        self.retain = retain
        self.time = time
    }

    mutating func sign(as key: NoteKey, seed: SecretBytes) throws(AiboxError) {
        note = SignedNote(text: text)
        try note.sign(as: key, seed: seed)
    }

    /// nil if the text is no manifest. The signature is not looked at.
    init?(source: String) {
        guard let note = SignedNote(source) else { return nil }
        let lines = note.text.split(separator: "\n").map(String.init)
        func value(_ index: Int, _ name: String) -> String? {
            guard lines.count == 10, lines[index].hasPrefix(name + " ") else { return nil }
            return String(lines[index].dropFirst(name.count + 1))
        }
        guard let title = lines.first, title.hasSuffix(Self.suffix), let first = value(1, "first").flatMap(UInt64.init),
            let last = value(2, "last").flatMap(UInt64.init), let bytes = value(3, "bytes").flatMap(UInt64.init),
            let digest = value(4, "sha256").flatMap(Digest256.init(hex:)),
            let previous = value(5, "prev").flatMap(Digest256.init(hex:)),
            let head = value(6, "head").flatMap(Digest256.init(hex:)),
            let root = value(7, "root").flatMap(Digest256.init(hex:)), let retain = value(8, "retain"),
            let time = value(9, "time")
        else { return nil }
        origin = String(title.dropLast(Self.suffix.count))
        self.first = first
        self.last = last
        self.bytes = bytes
        self.digest = digest
        self.previous = previous
        self.head = head
        self.root = root
        self.retain = retain
        self.time = time
        self.note = note
        if text != note.text { return nil }
    }

    /// True if all but the signature and the two times are the same.
    func describes(_ other: SegmentManifest) -> Bool {
        (first, last, bytes) == (other.first, other.last, other.bytes)
            && (digest, previous, head, root) == (other.digest, other.previous, other.head, other.root)
    }
}
