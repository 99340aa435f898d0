import AiboxCrypto
import AiboxSystem

/// What the log was at one moment: a tree head in the form of c2sp.org/tlog-checkpoint, signed twice.
///
///     ORIGIN
///     SIZE
///     ROOT (base64)
///     time 2026-03-01T09:30:00.000000000Z
///     next BASE64 of the public key that signs the checkpoint after this one
///
///     — ORIGIN BASE64           the log's key: for everybody
///     — ORIGIN/once BASE64      the one-time key that the checkpoint before this one named
struct Checkpoint: Sendable, Equatable {
    var origin: String
    var size: UInt64
    var root: Digest256
    var time: String
    var next: [UInt8]
    var note: SignedNote

    init(origin: String, size: UInt64, root: Digest256, time: String, next: [UInt8]) {
        self.origin = origin
        self.size = size
        self.root = root
        self.time = time
        self.next = next
        note = SignedNote(
            text: "\(origin)\n\(size)\n\(Base64.encode(root.bytes))\ntime \(time)\nnext \(Base64.encode(next))\n")
    }

    /// nil if the note has another form. Signatures are not looked at.
    init?(_ note: SignedNote) {
        let lines = note.text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 6, lines[5].isEmpty, !lines[0].isEmpty, let size = UInt64(lines[1]),
            String(size) == lines[1], let bytes = Base64.decode(lines[2]), let root = Digest256(bytes),
            lines[3].hasPrefix("time "), lines[4].hasPrefix("next "),
            let next = Base64.decode(lines[4].dropFirst(5)), next.count == Ed25519.keyCount
        else { return nil }
        origin = String(lines[0])
        self.size = size
        self.root = root
        time = String(lines[3].dropFirst(5))
        self.next = next
        self.note = note
    }

    init?(source: String) {
        guard let note = SignedNote(source) else { return nil }
        self.init(note)
    }

    /// True if both signatures are there and valid.
    func isSigned(by key: NoteKey, once: [UInt8]) throws(AiboxError) -> Bool {
        let isLogs = try note.isSigned(by: key)
        let isOnce = try note.isSigned(by: NoteKey(name: Self.onceName(origin), publicKey: once))
        return isLogs && isOnce
    }

    static func onceName(_ origin: String) -> String { origin + "/once" }
}

/// Checkpoints one after the other in a file, each followed by an empty line.
enum CheckpointList {
    /// The complete notes and where each ends (with its empty line), and where the rest begins that is no complete
    /// note.
    static func parse(_ bytes: [UInt8]) -> (entries: [(source: String, end: Int)], rest: Int) {
        var entries: [(String, Int)] = []
        var start = 0
        var blanks = 0
        for index in bytes.indices where bytes[index] == 0x0a {
            let isBlank = index == start || bytes[index - 1] == 0x0a
            if !isBlank { continue }
            blanks += 1
            if blanks == 2 {
                entries.append((String(decoding: bytes[start..<index], as: UTF8.self), index + 1))
                start = index + 1
                blanks = 0
            }
        }
        return (entries, start)
    }
}
