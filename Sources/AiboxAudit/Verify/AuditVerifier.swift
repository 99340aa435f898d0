import AiboxCrypto
public import AiboxSystem
import Glibc

/// Checks that a log is as it was written (docs/audit-log.md says what each kind of verifier can see).
public struct AuditVerifier: Sendable {
    /// The audit folder, or a copy of one.
    public var folder: String
    /// A trusted `log.pub`, or the auditor's key; nil takes the auditor's key from the folder if it is still there.
    public var keyFile: String?
    /// Folders with copies of the checkpoints.
    public var secondPlaces: [String]
    /// Places beside this machine, to be asked.
    public var places: [PlaceAddress]
    /// A file with one checkpoint that the log must contain.
    public var checkpointFile: String?
    /// Whether the folder is a copy without key state. Without it, the end of the log is known from checkpoints only.
    public var isCopy: Bool

    public init(
        folder: String, keyFile: String? = nil, secondPlaces: [String] = [], places: [PlaceAddress] = [],
        checkpointFile: String? = nil, isCopy: Bool = false
    ) {
        self.folder = folder
        self.keyFile = keyFile
        self.secondPlaces = secondPlaces
        self.places = places
        self.checkpointFile = checkpointFile
        self.isCopy = isCopy
    }

    /// - Throws: if the log cannot be read at all. What is wrong with it is a finding, not an error.
    public func run() throws(AiboxError) -> AuditVerification {
        let files = LogFolder(path: folder)
        guard File.isDirectory(folder) else {
            throw AiboxError(.failed, "cannot verify the audit log", why: "there is no folder \(folder)")
        }
        var result = AuditVerification()
        guard let identity = try identity(files, &result) else { return result }
        result.origin = identity.origin
        let anchor = try identity.anchor()
        let snapshot = try LogSnapshot(files, isCopy: isCopy)
        if let finding = snapshot.finding {
            result.finding = finding
            return result
        }
        var audit = try CheckpointAudit(identity, snapshot.checkpoints, files.checkpoints)
        for place in secondPlaces { try audit.compare(SecondPlace(folder: place)) }
        if audit.finding == nil { try ask(files, identity, snapshot.checkpoints, &audit, &result) }
        if let checkpointFile { try audit.demand(try File.text(checkpointFile, limit: 65_536), checkpointFile) }
        let auditor = try auditorKey(files, identity, anchor, &result)
        if result.finding != nil { return result }
        let removed: Tombstone?
        do throws(AiboxError) {
            removed = try Tombstone.before(snapshot.segments.first?.first ?? 1, of: identity, in: files)
        } catch  where error.code == .integrity {
            let first = snapshot.segments.first?.first ?? 1
            let words = [error.what, error.why].compactMap { $0 }.joined(separator: ", and ")
            result.finding = Self.first(
                AuditFinding(.removed, 1, to: first - 1, in: files.path(segment: first), words), audit.finding)
            return result
        }
        var walk = try ChainWalk(
            files, anchor: anchor, audit.expectations, snapshot.known(), auditor: auditor, removed: removed)
        if audit.finding?.kind != .rekeyed { try walk.run(snapshot.segments) }

        result.events = walk.events
        result.removed = removed?.last ?? 0
        result.files = walk.files
        result.bytes = walk.bytes
        result.checkpoints = audit.count
        result.covered = audit.covered
        result.checkedMACs = auditor != nil
        result.agreeingPlaces = audit.agreeingPlaces
        result.notices += audit.notices + walk.notices
        result.finding = Self.first(walk.finding, audit.finding)
        if result.finding == nil { result.finding = try snapshot.contradiction(identity, audit, walk, auditor) }
        if snapshot.state == nil, isCopy {
            result.notices.append("without the key state, the end of the log is known from checkpoints only")
        }
        return result
    }

    /// Compares with the places beside this machine. One that does not answer is no proof of anything, and told.
    private func ask(
        _ files: LogFolder, _ identity: LogIdentity, _ checkpoints: [UInt8], _ audit: inout CheckpointAudit,
        _ result: inout AuditVerification
    ) throws(AiboxError) {
        if places.isEmpty { return }
        let log = PlacedLog(files, identity, checkpoints: checkpoints)
        for address in places {
            do throws(AiboxError) {
                if let memory = try address.place(files).recall(log, isAudit: true) {
                    audit.take(memory, address.text)
                } else {
                    result.notices.append("\(address.text) cannot be read back: compare with its own records")
                }
            } catch {
                result.silentPlaces.append(address.text)
                result.notices.append("\(address.text) could not be asked, so it proves nothing: \(error.reason)")
            }
        }
    }

    /// A fork or roll-back that a second place proves says more than the hole it leaves in the log itself.
    private static func first(_ walk: AuditFinding?, _ audit: AuditFinding?) -> AuditFinding? {
        guard let walk else { return audit }
        guard let audit else { return walk }
        return audit.kind == .rekeyed ? audit : walk
    }

    private func identity(_ files: LogFolder, _ result: inout AuditVerification) throws(AiboxError) -> LogIdentity? {
        guard File.exists(files.identity) else {
            try refuseUnborn(files)
            result.finding = AuditFinding(.removed, in: files.identity, "\(files.identity) is missing")
            return nil
        }
        do throws(AiboxError) {
            return try LogIdentity(try File.text(files.identity, limit: 65_536), from: files.identity)
        } catch {
            result.finding = AuditFinding(.changed, in: files.identity, error.why ?? error.what)
            return nil
        }
    }

    /// A folder without `log.pub`, without an event, and unknown to every second place has never held a log.
    private func refuseUnborn(_ files: LogFolder) throws(AiboxError) {
        for first in try files.segments() {
            let path = files.path(segment: first)
            if try FileBytes.length(try LogWriter.open(path, O_RDONLY), path) > 0 { return }
        }
        let place = AuditContext.hostName + ":" + (Path.real(folder) ?? folder)
        for second in secondPlaces where File.isDirectory(second) {
            if try !SecondPlace(folder: second).otherLogs(at: place, than: "").isEmpty { return }
        }
        throw AiboxError(.failed, "cannot verify the audit log", why: "there is none in \(folder) yet")
    }

    /// The MAC keys, if the auditor's key is at hand; a trusted key that is not the log's is a finding.
    private func auditorKey(
        _ files: LogFolder, _ identity: LogIdentity, _ anchor: Digest256, _ result: inout AuditVerification
    ) throws(AiboxError) -> MACRatchet? {
        let path: String
        if let keyFile {
            path = keyFile
        } else if File.exists(files.auditorKey) {
            path = files.auditorKey
        } else {
            result.notices.append("without the auditor's key, MACs were not checked")
            return nil
        }
        let text = try File.text(path, limit: 65_536)
        guard AuditorKey.isOne(text) else {
            let trusted = try LogIdentity(text, from: path)
            if trusted != identity {
                result.finding = AuditFinding(
                    .rekeyed, 1, in: files.identity, "the log has other keys than \(path): it is \(identity.origin)")
            }
            result.notices.append("without the auditor's key, MACs were not checked")
            return nil
        }
        let key = try AuditorKey(text, from: path)
        if key.anchor != anchor {
            result.finding = AuditFinding(
                .rekeyed, 1, in: files.identity,
                "the log is not the one that \(path) belongs to: it is \(identity.origin)")
            return nil
        }
        return try MACRatchet(SecretBytes(key.secret))
    }
}
