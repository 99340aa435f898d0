import AiboxCrypto
public import AiboxSystem

/// Sealed copies of the log's files in a place that does not change them any more.
public struct AuditArchive {
    private let store: any ArchiveStore
    private static let manifestSuffix = ".manifest"

    public init(_ store: any ArchiveStore) { self.store = store }

    public struct Sealed: Sendable, Equatable {
        /// Names of the files that were added.
        public var files: [String] = []
        /// Files that were there already.
        public var known = 0
    }

    // MARK: Sealing

    /// Copies every finished file of the log that is not there yet, each with a signed manifest, and the checkpoints.
    ///
    /// - Parameters:
    ///   - rotating: finishes the newest file first, so that every event is sealed.
    ///   - days: how long the copies stay at least.
    public func seal(
        log folder: String, context: AuditContext, options: AuditLog.Options, rotating: Bool,
        days: Int = AuditRetention.tier1.days, now: Timestamp = .now
    ) throws(AiboxError) -> Sealed {
        let writer = try LogWriter(LogFolder(path: folder), options, context, SystemLogDisk())
        if rotating { try writer.rotate() }
        try writer.checkpoint()
        let retain = Timestamp(seconds: now.seconds + Int64(days) * 86_400)
        let there = Set(try store.names())
        var sealed = Sealed()
        let hasher = try MerkleHasher()
        let files = LogFolder(path: folder)
        try put("log.pub", files.identity, there, retain)
        let staging = try Folder.makeTemporary(prefix: "aibox-seal")
        defer { try? Folder.removeTree(staging) }
        for first in try files.segments().dropLast() {
            let name = LogFolder.name(segment: first)
            // The manifest comes last: where it is, everything is.
            if there.contains(name + Self.manifestSuffix) {
                sealed.known += 1
                continue
            }
            let path = files.path(segment: first)
            let file = try MappedFile(path)
            var manifest = try SegmentManifest(
                of: file.bytes, name, origin: writer.identity.origin, retain: retain.rfc3339, time: now.rfc3339, hasher)
            try manifest.sign(as: writer.identity.key, seed: writer.state.makeLogKey())
            try store.put(name, path, until: retain)
            let note = staging + "/manifest"
            try File.replace(note, with: manifest.note.source)
            try store.put(name + Self.manifestSuffix, note, until: retain)
            sealed.files.append(name)
        }
        let size = String(writer.state.checkpointSize)
        let checkpoints = "checkpoints-" + String(repeating: "0", count: max(0, 16 - size.count)) + size
        try put(checkpoints, files.checkpoints, there, retain)
        return sealed
    }

    private func put(_ name: String, _ file: String, _ there: Set<String>, _ until: Timestamp) throws(AiboxError) {
        if !there.contains(name) { try store.put(name, file, until: until) }
    }

    // MARK: Verifying

    /// What checking an archive told.
    public struct Verification: Sendable, Equatable {
        public var files = 0
        public var first: UInt64 = 0
        public var last: UInt64 = 0
        public var bytes: UInt64 = 0
        /// What is wrong, in words that name the file; empty if nothing is.
        public var findings: [String] = []
    }

    /// Reads all of it back.
    ///
    /// - Parameter key: the text of a `log.pub` that is trusted; nil takes the archive's own.
    public func verify(key: String?) throws(AiboxError) -> Verification {
        var result = Verification()
        let names = try store.names()
        let ownText = try own("log.pub", names)
        guard let identityText = key ?? ownText else {
            result.findings = ["log.pub is missing"]
            return result
        }
        let identity = try LogIdentity(identityText, from: "log.pub")
        if let ownText, ownText != identityText {
            result.findings = ["the archive belongs to another log than the trusted log.pub"]
            return result
        }
        let hasher = try MerkleHasher()
        var before: SegmentManifest?
        for name in names where name.hasSuffix(Self.manifestSuffix) {
            let file = String(name.dropLast(Self.manifestSuffix.count))
            guard let manifest = SegmentManifest(source: String(decoding: try store.get(name), as: UTF8.self)),
                manifest.origin == identity.origin, try manifest.note.isSigned(by: identity.key),
                LogFolder.name(segment: manifest.first) == file
            else {
                result.findings.append("\(name) is no manifest that the log signed")
                continue
            }
            if let before, manifest.first != before.last + 1 || manifest.previous != before.head {
                result.findings.append("\(file) does not follow \(LogFolder.name(segment: before.first))")
            }
            if before == nil { result.first = manifest.first }
            if let finding = try check(file, manifest, names, hasher) { result.findings.append(finding) }
            before = manifest
            result.files += 1
            result.last = manifest.last
            result.bytes += manifest.bytes
        }
        for name in names where name.hasSuffix(".jsonl") && !names.contains(name + Self.manifestSuffix) {
            result.findings.append("\(name) has no manifest: its sealing was interrupted, or the manifest removed")
        }
        return result
    }

    private func own(_ name: String, _ names: [String]) throws(AiboxError) -> String? {
        names.contains(name) ? String(decoding: try store.get(name), as: UTF8.self) : nil
    }

    private func check(
        _ file: String, _ manifest: SegmentManifest, _ names: [String], _ hasher: MerkleHasher
    ) throws(AiboxError) -> String? {
        guard names.contains(file) else { return "\(file) is missing" }
        let content = try store.get(file)
        do throws(AiboxError) {
            let found = try content.borrowed { (bytes) throws(AiboxError) in
                try SegmentManifest(
                    of: bytes, file, origin: manifest.origin, retain: manifest.retain, time: manifest.time, hasher)
            }
            return found.describes(manifest) ? nil : "\(file) is not what its manifest says"
        } catch {
            return error.reason
        }
    }

    // MARK: Removing

    /// Removes a sealed file whose time has passed.
    ///
    /// - Throws: `denied` before that.
    public func remove(_ file: String, now: Timestamp = .now) throws(AiboxError) {
        let name = file + Self.manifestSuffix
        guard try store.names().contains(name),
            let manifest = SegmentManifest(source: String(decoding: try store.get(name), as: UTF8.self)),
            let retain = AuditTime.parse(manifest.retain, now: now)
        else {
            throw AiboxError(.usage, "the archive has no sealed file \(file)")
        }
        if now < retain {
            throw AiboxError(.denied, "\(file) may not be removed", why: "it is kept until \(manifest.retain)")
        }
        // The manifest goes last: without the file it says that something is missing.
        try store.remove(file)
        try store.remove(name)
    }
}

extension LogWriter {
    /// Ends the newest file and begins the next.
    func rotate() throws(AiboxError) {
        try exclusively { () throws(AiboxError) in try beginSegment() }
    }
}
