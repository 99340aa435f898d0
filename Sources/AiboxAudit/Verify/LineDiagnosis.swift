import AiboxCrypto
import AiboxSystem

/// Tells what was done to a log at a line that does not follow from the one before, by looking at what comes after.
struct LineDiagnosis {
    var file: MappedFile
    var offset: Int
    var record: RecordLine
    /// The number that should be here.
    var expected: UInt64
    /// The leaf hash of the line before.
    var head: Digest256
    /// How many events there were, and the hash of the last, where the key state tells.
    var end: UInt64?
    var endHead: Digest256?
    /// Whether the line before was proved by its MAC.
    var checkedMACs: Bool

    typealias Verdict = (kind: AuditFinding.Kind, sequence: UInt64, last: UInt64?, words: String)

    func run(_ hasher: MerkleHasher) throws(AiboxError) -> Verdict {
        let next = file.line(from: offset + record.bytes.count + 1).flatMap { RecordLine($0) }
        if record.sequence == expected { return try sameNumber(next, hasher) }
        return record.sequence > expected ? ahead(next) : behind(next)
    }

    /// The number is right; the link to the line before, or the MAC, is not.
    private func sameNumber(_ next: RecordLine?, _ hasher: MerkleHasher) throws(AiboxError) -> Verdict {
        if record.previous == head { return changed(expected) }
        if let next, next.sequence == expected, next.previous == head {
            return (
                .inserted, expected, nil, "there are two events \(expected), and this one does not continue the log"
            )
        }
        let leaf = try hasher.leaf(record.bytes)
        let follows = next.map { $0.sequence == expected + 1 && $0.previous == leaf }
        let isLast = end == expected && endHead == leaf
        // What comes after vouches for this line as it is, so the one before is not as it was.
        if !checkedMACs || expected == 1, follows ?? isLast {
            if expected > 1 { return changed(expected - 1) }
            return (.rekeyed, 1, nil, "the first event does not belong to the keys in log.pub")
        }
        return changed(expected)
    }

    /// A number too large: something is missing, moved, or the number itself was changed.
    private func ahead(_ next: RecordLine?) -> Verdict {
        if isLater(expected) {
            return (.reordered, expected, nil, "event \(record.sequence) stands in the place of event \(expected)")
        }
        if next?.sequence == expected + 1 || (next == nil && end == expected) { return changed(expected) }
        let last = record.sequence - 1
        return (
            .removed, expected, last,
            last == expected ? "event \(expected) was removed" : "events \(expected) to \(last) were removed"
        )
    }

    /// A number that was already there: an extra line, or the number itself was changed.
    private func behind(_ next: RecordLine?) -> Verdict {
        if next?.sequence == expected + 1 || (next == nil && end == expected) { return changed(expected) }
        return (
            .inserted, record.sequence, nil, "event \(record.sequence) stands here again, in the place of \(expected)"
        )
    }

    private func changed(_ sequence: UInt64) -> Verdict {
        (.changed, sequence, nil, "event \(sequence) was changed")
    }

    private func isLater(_ sequence: UInt64) -> Bool {
        var position = offset
        while let line = file.line(from: position) {
            if RecordLine(line)?.sequence == sequence { return true }
            position += line.count + 1
        }
        return false
    }
}
