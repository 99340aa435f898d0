import AiboxCrypto
import AiboxSystem

/// What stands for events that were removed after their retention: all that those which follow need to be verified.
///
///     ORIGIN/tombstone
///     last N                      the last event that is gone; the first is always 1
///     head HEX                    its leaf hash: the `prev` of event N+1
///     subtree HEX                 the Merkle subtrees over all N events, the largest first, one a line
///     time TIME
///
///     — ORIGIN BASE64             the log's key
///
/// A signature alone would let whoever steals the log's key remove what he likes: a tombstone counts only if an
/// `audit.expire` event in the log names its digest, and checkpoints that nobody can make afterwards lead to its
/// subtrees and say how old the events were.
struct Tombstone: Sendable, Equatable {
    var origin: String
    var last: UInt64
    var head: Digest256
    var frontier: MerkleFrontier
    var time: String
    var note: SignedNote

    private static let suffix = "/tombstone"

    init(origin: String, last: UInt64, head: Digest256, frontier: MerkleFrontier, time: String) {
        self.origin = origin
        self.last = last
        self.head = head
        self.frontier = frontier
        self.time = time
        let subtrees = frontier.subtrees.map { "subtree \($0.hex)\n" }.joined()
        note = SignedNote(text: "\(origin)\(Self.suffix)\nlast \(last)\nhead \(head.hex)\n\(subtrees)time \(time)\n")
    }

    /// nil if the text is no tombstone. The signature is not looked at.
    init?(source: String) {
        guard let note = SignedNote(source) else { return nil }
        let lines = note.text.split(separator: "\n")
        guard lines.count >= 5, lines[0].hasSuffix(Self.suffix),
            let last = Self.value(lines[1], "last").flatMap(UInt64.init),
            let head = Self.value(lines[2], "head").flatMap(Digest256.init(hex:)),
            let time = lines.last.flatMap({ Self.value($0, "time") })
        else { return nil }
        let subtrees = lines[3..<(lines.count - 1)].compactMap {
            Self.value($0, "subtree").flatMap(Digest256.init(hex:))
        }
        guard let frontier = MerkleFrontier(size: last, subtrees: subtrees) else { return nil }
        self.init(
            origin: String(lines[0].dropLast(Self.suffix.count)), last: last, head: head, frontier: frontier, time: time
        )
        if self.note.text != note.text { return nil }
        self.note = note
    }

    private static func value(_ line: Substring, _ name: String) -> String? {
        line.hasPrefix(name + " ") ? String(line.dropFirst(name.count + 1)) : nil
    }

    func digest() throws(AiboxError) -> Digest256 { try SHA256.digest(note.source) }

    /// The tombstone before the first file of a log, nil if the log still begins with event 1.
    ///
    /// - Throws: `integrity` if the beginning is gone and no tombstone of this log stands for it.
    static func before(_ first: UInt64, of identity: LogIdentity, in folder: LogFolder) throws(AiboxError) -> Tombstone?
    {
        if first <= 1 { return nil }
        let path = folder.path(tombstone: first - 1)
        let missing = "events 1 to \(first - 1) are missing"
        guard File.exists(path) else {
            throw AiboxError(.integrity, missing, why: "no tombstone stands for them")
        }
        guard let tombstone = Tombstone(source: try File.text(path, limit: 65_536)), tombstone.last == first - 1,
            tombstone.origin == identity.origin, try tombstone.note.isSigned(by: identity.key)
        else { throw AiboxError(.integrity, missing, why: "\(path) is no tombstone that the log signed") }
        return tombstone
    }
}
