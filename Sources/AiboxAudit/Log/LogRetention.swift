import AiboxCrypto
public import AiboxSystem
import AiboxWire
import Glibc

/// How many days events are kept; never less than their type demands.
public struct AuditRetentionDays: Sendable, Equatable {
    public var tier1: Int
    public var tier2: Int

    /// - Throws: `usage` for less than the tiers' own 730 and 365 days.
    public init(
        tier1: Int = AuditRetention.tier1.days, tier2: Int = AuditRetention.tier2.days
    ) throws(AiboxError) {
        guard tier1 >= AuditRetention.tier1.days, tier2 >= AuditRetention.tier2.days else {
            throw AiboxError(
                .usage, "events are kept \(AuditRetention.tier1.days) and \(AuditRetention.tier2.days) days at least",
                why: "\(min(tier1, tier2)) days were asked for")
        }
        self.tier1 = tier1
        self.tier2 = tier2
    }

    /// Before this moment an event of a tier may go.
    fileprivate func limit(_ retention: AuditRetention, at now: Timestamp) -> String {
        let days = retention == .tier1 ? tier1 : tier2
        return Timestamp(seconds: now.seconds - Int64(days) * 86_400).rfc3339
    }
}

/// What was removed after its retention.
public struct AuditExpiry: Sendable, Equatable {
    /// Names of the files removed, oldest first.
    public var files: [String] = []
    /// The numbers of the first and last event among them.
    public var first: UInt64 = 0
    public var last: UInt64 = 0
    public var bytes: Int = 0
}

extension AuditLog {
    /// Removes the oldest files, as far as each of their events is past its retention, and leaves a tombstone.
    ///
    /// - Parameter isTrial: only tell what would go.
    /// - Throws: `integrity` if a file that would go is not what was written: it is evidence then.
    public static func expire(
        folder: String, context: AuditContext, options: Options, days: AuditRetentionDays, isTrial: Bool = false
    ) throws(AiboxError) -> AuditExpiry {
        let writer = try LogWriter(LogFolder(path: folder), options, context, SystemLogDisk())
        return try writer.expire(days, isTrial: isTrial)
    }
}

extension LogWriter {
    func expire(_ days: AuditRetentionDays, isTrial: Bool) throws(AiboxError) -> AuditExpiry {
        try exclusively { () throws(AiboxError) in
            let now = clock().time
            let segments = try folder.segments()
            let first = segments.first ?? 1
            let before = try Tombstone.before(first, of: identity, in: folder)
            var tree = FollowedTree(
                frontier: before?.frontier ?? MerkleFrontier(), head: before?.head ?? state.anchor, segment: first,
                offset: 0)
            var expiry = AuditExpiry(first: first)
            // The newest file is being written, and what no checkpoint covers has no proven age.
            for segment in segments where segment != state.segment {
                var next = tree
                next.moved(to: segment, 0)
                guard try isPast(days, now, &next), next.frontier.size <= state.checkpointSize else { break }
                tree = next
                expiry.files.append(LogFolder.name(segment: segment))
                expiry.bytes += Int(next.offset)
                expiry.last = next.frontier.size
            }
            if isTrial || expiry.files.isEmpty { return expiry }
            try remove(expiry, tree, now)
            return expiry
        }
    }

    /// Follows a file; true if each of its events is past its retention.
    private func isPast(
        _ days: AuditRetentionDays, _ now: Timestamp, _ tree: inout FollowedTree
    ) throws(AiboxError) -> Bool {
        let limits = AuditRetention.allCases.map { ($0, days.limit($0, at: now)) }
        let path = folder.path(segment: tree.segment)
        let lines = try MappedFile(path)
        while let line = lines.line(from: Int(tree.offset)) {
            guard let record = RecordLine(line), record.sequence == tree.frontier.size + 1,
                record.previous == tree.head
            else { throw damaged(tree.frontier.size + 1, path) }
            let fields = LineFields(line)
            let retention = AuditEventType(rawValue: fields["type"])?.definition.retention ?? .tier1
            for (tier, limit) in limits where tier == retention && fields["time"] >= limit { return false }
            let leaf = try hasher.leaf(line)
            try tree.frontier.add(leaf, hasher)
            tree.head = leaf
            tree.offset += UInt64(line.count) + 1
        }
        if tree.offset != UInt64(lines.bytes.count) { throw damaged(tree.frontier.size + 1, path) }
        return true
    }

    private func damaged(_ sequence: UInt64, _ path: String) -> AiboxError {
        AiboxError(
            .integrity, "cannot remove old audit events", why: "event \(sequence) in \(path) is not as it was written",
            remedy: "aibox audit verify names the first bad record")
    }

    /// In this order: at every moment either the files or a tombstone that the log names are there.
    private func remove(_ expiry: AuditExpiry, _ tree: FollowedTree, _ now: Timestamp) throws(AiboxError) {
        var tombstone = Tombstone(
            origin: identity.origin, last: expiry.last, head: tree.head, frontier: tree.frontier, time: now.rfc3339)
        try tombstone.note.sign(as: identity.key, seed: state.makeLogKey())
        let path = folder.path(tombstone: expiry.last)
        try File.replace(path, with: tombstone.note.source)
        tell(
            AuditEvent(
                .auditExpire, subject: expiry.files.joined(separator: " "),
                details: [
                    "first": .integer(Int64(expiry.first)), "last": .integer(Int64(expiry.last)),
                    "tombstone": .string(Path.name(path)), "digest": .string(try tombstone.digest().hex),
                ]))
        try writeOwn()
        try sign()
        for file in expiry.files { try File.remove(folder.path + "/" + file) }
        for older in try folder.tombstones() where older < expiry.last {
            try File.remove(folder.path(tombstone: older))
        }
        try File.synchronise(folder: folder.path)
    }
}
