import AiboxCrypto
import AiboxSystem
import Glibc

/// What the files of a log were at one moment, taken under the lock so that a running writer does not matter.
struct LogSnapshot {
    private(set) var segments: [(first: UInt64, length: Int)] = []
    private(set) var checkpoints: [UInt8] = []
    private(set) var state: KeyState?
    private(set) var finding: AuditFinding?

    private let folder: LogFolder

    init(_ folder: LogFolder, isCopy: Bool) throws(AiboxError) {
        self.folder = folder
        // A copy, or another user's log, may have no lock that can be taken; then nobody here writes it either.
        let lock = isCopy ? nil : try? LogLock(folder.lock, timeout: .seconds(10))
        try lock?.take()
        defer { lock?.release() }
        // After a power cut. A log that is not to be written here is looked at as it is.
        if lock != nil { try? LogJournal.restore(folder, boot: Moment.now.boot, SystemLogDisk()) }
        if File.exists(folder.state) {
            let file = try LogWriter.open(folder.state, O_RDONLY)
            do throws(AiboxError) {
                state = try KeyState.read(file, folder.state)
            } catch {
                finding = AuditFinding(.changed, in: folder.state, "the key state is damaged")
            }
        } else if !isCopy {
            finding = AuditFinding(.removed, in: folder.state, "the key state is missing, so the log's end is unknown")
        }
        for first in try folder.segments() {
            let file = try LogWriter.open(folder.path(segment: first), O_RDONLY)
            segments.append((first, Int(try FileBytes.length(file, folder.path(segment: first)))))
        }
        if File.exists(folder.checkpoints) { checkpoints = try File.read(folder.checkpoints, limit: 1 << 30) }
    }

    func known() throws(AiboxError) -> ChainWalk.Known? {
        guard let state else { return nil }
        return ChainWalk.Known(
            sequence: state.sequence, head: state.head, segment: state.segment, length: state.length,
            ratchet: try state.makeRatchet())
    }

    /// Whether the key state contradicts a log that is right in itself.
    func contradiction(
        _ identity: LogIdentity, _ audit: CheckpointAudit, _ walk: ChainWalk, _ auditor: MACRatchet?
    ) throws(AiboxError) -> AuditFinding? {
        guard let state else { return nil }
        if try state.anchor != identity.anchor() {
            return AuditFinding(.rekeyed, 1, in: folder.state, "the key state belongs to another log")
        }
        if UInt64(checkpoints.count) < state.checkpointsLength || UInt64(audit.count) < state.checkpoints {
            return AuditFinding(
                .cut, in: folder.checkpoints, "\(audit.count) checkpoints are left of \(state.checkpoints)")
        }
        let logKey = try Ed25519.publicKey(seed: state.makeLogKey())
        if logKey != identity.key.publicKey {
            return AuditFinding(.rekeyed, 1, in: folder.state, "the key state holds another signing key")
        }
        // The state may be one checkpoint and some events behind after a crash; then the next writer catches up.
        if UInt64(audit.count) == state.checkpoints {
            let once = try state.makeOneTimeKeys().publicKey()
            if once != audit.once {
                return AuditFinding(
                    .rekeyed, walk.events, in: folder.state, "the key state cannot sign the checkpoint that comes next")
            }
        }
        if let auditor, walk.events == state.sequence {
            let key = try state.makeRatchet().key
            if !ConstantTime.equal(Array(key.readable), Array(auditor.key.readable)) {
                return AuditFinding(
                    .rekeyed, walk.events, in: folder.state, "the key state does not continue the keys of the log")
            }
        }
        return nil
    }
}
