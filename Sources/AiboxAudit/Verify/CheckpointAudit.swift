import AiboxCrypto
import AiboxSystem

/// Checks the chain of checkpoints and what second places remember.
struct CheckpointAudit {
    /// A tree head that the events must lead to.
    struct Expectation {
        var size: UInt64
        var root: Digest256
        /// When it was signed, UTC, RFC 3339.
        var time: String
        /// What a difference means.
        var kind: AuditFinding.Kind
        var file: String
        var name: String
    }

    private(set) var expectations: [Expectation] = []
    private(set) var finding: AuditFinding?
    private(set) var notices: [String] = []
    private(set) var count = 0
    private(set) var covered: UInt64 = 0
    /// The one-time key that the next checkpoint must be signed with.
    private(set) var once: [UInt8]
    private(set) var agreeingPlaces: [String] = []

    private let identity: LogIdentity
    private let bytes: [UInt8]

    /// - Parameter bytes: the log's own checkpoints.
    init(_ identity: LogIdentity, _ bytes: [UInt8], _ file: String) throws(AiboxError) {
        self.identity = identity
        self.bytes = bytes
        once = identity.once
        let (entries, rest) = CheckpointList.parse(bytes)
        for (source, _) in entries {
            guard let checkpoint = try valid(source), checkpoint.size > covered else {
                finding = AuditFinding(
                    .changed, in: file, "checkpoint \(count + 1) is not one that the log signed after the one before")
                return
            }
            count += 1
            covered = checkpoint.size
            once = checkpoint.next
            expectations.append(
                Expectation(
                    size: checkpoint.size, root: checkpoint.root, time: checkpoint.time, kind: .changed, file: file,
                    name: "checkpoint \(count)"))
        }
        if rest < bytes.count { notices.append("\(file) ends with \(bytes.count - rest) bytes that are no checkpoint") }
    }

    /// The checkpoint, if it is of this log and signed by both keys.
    private func valid(_ source: String) throws(AiboxError) -> Checkpoint? {
        guard let checkpoint = Checkpoint(source: source), checkpoint.origin == identity.origin,
            try checkpoint.isSigned(by: identity.key, once: once)
        else { return nil }
        return checkpoint
    }

    /// Compares with the copy in a second place.
    mutating func compare(_ place: SecondPlace) throws(AiboxError) {
        guard File.isDirectory(place.folder) else {
            notices.append("the second place \(place.folder) is not there, so it proves nothing")
            return
        }
        if let other = try place.otherLogs(at: identity.place, than: identity.origin).first {
            report(
                AuditFinding(
                    .rekeyed, 1, in: place.identity(identity),
                    "\(place.folder) knows the log at \(identity.place) as \(other), not as \(identity.origin)"))
            return
        }
        guard File.exists(place.identity(identity)) else {
            notices.append("the second place \(place.folder) does not know this log")
            return
        }
        if try File.text(place.identity(identity), limit: 65_536) != identity.text() {
            report(
                AuditFinding(.rekeyed, 1, in: place.identity(identity), "\(place.folder) has other keys for this log"))
            return
        }
        let file = place.checkpoints(identity)
        let copy = File.exists(file) ? try File.read(file, limit: 1 << 30) : []
        if bytes.starts(with: copy) {
            if copy.count < bytes.count { notices.append("\(file) lacks the newest checkpoints") }
            agreeingPlaces.append(place.folder)
            return
        }
        try explain(copy, file)
    }

    /// Takes what a place beside this machine remembers into account.
    mutating func take(_ memory: PlaceMemory, _ place: String) {
        for head in memory.heads {
            expectations.append(
                Expectation(
                    size: head.size, root: head.root, time: head.time, kind: .forked, file: memory.name,
                    name: "the checkpoint of \(head.time)"))
        }
        if let finding = memory.finding { return report(finding) }
        guard let agreed = memory.agreed else {
            if covered > 0 { notices.append("\(place) knows nothing of this log") }
            return
        }
        if agreed < covered { notices.append("\(place) has the first \(agreed) of \(covered) signed events") }
        agreeingPlaces.append(place)
    }

    /// The copy is no prefix of the log's own checkpoints: which of the two is wrong?
    private mutating func explain(_ copy: [UInt8], _ file: String) throws(AiboxError) {
        let (entries, _) = CheckpointList.parse(copy)
        let own = Set(CheckpointList.parse(bytes).entries.map(\.source))
        for (source, _) in entries where !own.contains(source) {
            guard let checkpoint = Checkpoint(source: source), checkpoint.origin == identity.origin,
                try checkpoint.note.isSigned(by: identity.key)
            else { continue }
            // Signed by the log's key and unknown to the log: the log forgot, or went another way.
            expectations.append(
                Expectation(
                    size: checkpoint.size, root: checkpoint.root, time: checkpoint.time, kind: .forked, file: file,
                    name: "the checkpoint of \(checkpoint.time)"))
            if copy.starts(with: bytes) || checkpoint.size > covered {
                report(
                    AuditFinding(
                        .rolledBack, covered + 1, to: checkpoint.size, in: file,
                        "\(file) holds a checkpoint of \(checkpoint.time) over \(checkpoint.size) events; the log's own end at \(covered)"
                    ))
            } else {
                report(
                    AuditFinding(
                        .forked, checkpoint.size, in: file,
                        "\(file) holds a checkpoint of \(checkpoint.time) over \(checkpoint.size) events that the log does not have"
                    ))
            }
            return
        }
        report(AuditFinding(.changed, in: file, "\(file) was changed: it holds what this log never signed"))
    }

    /// Demands that the log leads to a checkpoint that the caller trusts.
    mutating func demand(_ source: String, _ file: String) throws(AiboxError) {
        guard let checkpoint = Checkpoint(source: source) else {
            throw AiboxError(.usage, "\(file) is no checkpoint")
        }
        guard checkpoint.origin == identity.origin, try checkpoint.note.isSigned(by: identity.key) else {
            report(
                AuditFinding(
                    .rekeyed, 1, in: file, "the log's key is not the one that signed the checkpoint in \(file)"))
            return
        }
        expectations.append(
            Expectation(
                size: checkpoint.size, root: checkpoint.root, time: checkpoint.time, kind: .forked, file: file,
                name: "the checkpoint in \(file)"))
    }

    private mutating func report(_ finding: AuditFinding) {
        if self.finding == nil { self.finding = finding }
    }
}
