import AiboxCrypto
import AiboxSystem
import AiboxWire

/// Whether a tombstone is one that the log itself speaks of, over events that were old enough.
final class ExpiryProof {
    let last: UInt64
    private let digest: String
    /// When the first checkpoint over all that is gone was signed: no event among them is younger.
    private let covered: Timestamp?
    /// When the log said that they are removed.
    private var expired: Timestamp?

    init(_ tombstone: Tombstone, covering: CheckpointAudit.Expectation?) throws(AiboxError) {
        last = tombstone.last
        digest = try tombstone.digest().hex
        covered = covering.flatMap { AuditTime.parse($0.time, now: Timestamp(seconds: 0)) }
    }

    /// Looks for the event that names the tombstone.
    func look(at line: UnsafeRawBufferPointer) {
        let fields = LineFields(line)
        guard fields["type"] == AuditEventType.auditExpire.rawValue,
            let details = (try? JSONParser.parse(line))?["details"], details["digest"]?.stringValue == digest,
            details["last"]?.wholeNumber == Int64(last)
        else { return }
        expired = AuditTime.parse(fields["time"], now: Timestamp(seconds: 0))
    }

    /// What is wrong with the removal; nil if nothing is.
    ///
    /// - Parameter isUnderCheckpoint: whether a checkpoint over later events led to the tombstone's subtrees.
    func objection(isUnderCheckpoint: Bool) -> String? {
        guard let expired else { return "no event in the log speaks of the tombstone for events 1 to \(last)" }
        guard let covered, isUnderCheckpoint else {
            return "no checkpoint vouches for the tombstone of events 1 to \(last)"
        }
        let days = (expired.seconds - covered.seconds) / 86_400
        let least = AuditRetention.tier2.days
        if days >= least { return nil }
        return "events 1 to \(last) were removed \(days) days after they were signed, and are kept \(least) at least"
    }
}
