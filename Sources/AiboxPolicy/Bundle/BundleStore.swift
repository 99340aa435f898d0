import AiboxCrypto
public import AiboxSystem
import AiboxWire
import Glibc

/// The bundle of one layer from one source: fetched, checked, kept, and checked again whenever it is used.
///
/// In a folder of its own lie `record.json` (`BundleRecord`), the packed bundle under its digest, `clock` with the latest
/// time seen in seconds, and `attempt.json`. The record is replaced last and as a whole, so what was kept stays usable
/// until something better is on the disk.
public struct BundleStore: Sendable {
    public let layer: PolicyLayer
    public let source: String
    /// Files with the public keys that may have signed it.
    public let keys: [String]
    let authorities: String?
    let folder: String
    let clock: @Sendable () -> Timestamp

    /// How long a bundle counts as fresh, in seconds; after it a start asks the source.
    static let freshness: Int64 = 3600
    /// Seconds that a source which failed is left alone by starts.
    static let pause: Int64 = 300

    private var record: String { folder + "/record.json" }
    private var clockFile: String { folder + "/clock" }
    private var attempt: String { folder + "/attempt.json" }
    private var title: String { "the \(layer == .org ? "organisation's" : "team's") bundle" }

    init(
        layer: PolicyLayer, source: String, keys: [String], authorities: String?, root: String,
        clock: @escaping @Sendable () -> Timestamp
    ) throws(AiboxError) {
        self.layer = layer
        self.source = source
        self.keys = keys
        self.authorities = authorities
        self.clock = clock
        folder = root + "/\(layer.rawValue)-" + String(try SHA256.digest(Array(source.utf8)).hex.prefix(16))
    }
}

// MARK: - Use

extension BundleStore {
    /// The kept bundle, checked from its bytes.
    ///
    /// - Parameter evenExpired: for what has to go on without a policy that may be used: the audit log.
    /// - Throws: `policyInvalid` if there is none, or none that may be used now.
    func bundle(evenExpired: Bool = false) throws(AiboxError) -> PolicyBundle {
        let (standing, bundle) = try look()
        if let bundle, standing.isUsable || evenExpired && standing.state == .expired { return bundle }
        throw standing.problem ?? AiboxError(.policyInvalid, "cannot use \(title)")
    }

    /// How it stands now.
    public func standing() throws(AiboxError) -> BundleStanding { try look().standing }

    /// - Parameter isFirst: somebody may replace the bundle between its record and its file: then both are read again.
    private func look(isFirst: Bool = true) throws(AiboxError) -> (standing: BundleStanding, bundle: PolicyBundle?) {
        var standing = BundleStanding(.absent)
        let last = try lastAttempt()
        standing.lastError = last?.error
        standing.asked = last?.time
        guard let record = try kept() else {
            standing.problem = AiboxError(
                .policyInvalid, "\(title) was never fetched",
                why: last?.error ?? "nothing is kept of \(SafeText.escaped(source))", remedy: "aibox policy pull")
            return (standing, nil)
        }
        standing.version = Int(record.version)
        standing.revision = record.revision
        standing.digest = record.digest
        standing.fetched = record.fetched
        let bundle: PolicyBundle
        do throws(AiboxError) {
            guard let found = try checked(record) else {
                if isFirst, try kept() != record { return try look(isFirst: false) }
                standing.state = .changed
                standing.problem = AiboxError(
                    .policyInvalid, "cannot use \(title) v\(record.version)",
                    why: "\(folder)/\(record.fileName) is not what was fetched", remedy: "aibox policy pull")
                return (standing, nil)
            }
            bundle = found
        } catch {
            standing.state = .invalid
            standing.problem = AiboxError(
                .policyInvalid, "cannot use \(title) v\(record.version) as it is kept", why: error.reason,
                remedy: "aibox policy pull")
            return (standing, nil)
        }
        standing.key = bundle.fingerprint
        standing.expires = bundle.expires
        let now = try moment(record, expires: bundle.expires)
        if let problem = refusal(bundle, now) {
            standing.state = .expired
            standing.problem = problem
            return (standing, bundle)
        }
        let isConfirmed = now.seconds - record.fetched.seconds <= Self.freshness && last?.error == nil
        standing.state = isConfirmed ? .fresh : .stale
        return (standing, bundle)
    }

    /// nil if the bytes are not those that were kept.
    private func checked(_ record: BundleRecord) throws(AiboxError) -> PolicyBundle? {
        let file = folder + "/" + record.fileName
        guard File.exists(file) else { return nil }
        let archive = try File.read(file, limit: BundleArchive.largest + 1)
        guard try SHA256.digest(archive).hex == record.archive else { return nil }
        let bundle = try PolicyBundle(
            BundleCopy(archive: archive, signature: record.signature), keys: BundleKey.read(keys), layer: layer,
            from: source)
        guard bundle.manifest.version == record.version, bundle.digest == record.digest else { return nil }
        return bundle
    }

    private func kept() throws(AiboxError) -> BundleRecord? {
        guard File.exists(record) else { return nil }
        do {
            let found = try BundleRecord(json: JSONParser.parse(try File.read(record, limit: 1 << 20)))
            if found.source == source { return found }
            throw AiboxError(.policyInvalid, "cannot use \(record)", why: "it is of another source")
        } catch let error as AiboxError {
            throw error
        } catch {
            throw AiboxError(
                .policyInvalid, "cannot use \(record)", why: SafeText.escaped("\(error)"),
                remedy: "who may, removes the folder \(folder), which forgets the versions that were seen")
        }
    }

    // MARK: Time

    /// Why a bundle may not be used at a moment.
    private func refusal(_ bundle: PolicyBundle, _ now: Timestamp) -> AiboxError? {
        let what = "cannot use \(title) v\(bundle.manifest.version)"
        if let starts = bundle.starts, now < starts {
            return AiboxError(
                .policyInvalid, what, why: "its signature begins to hold at \(starts.rfc3339.prefix(19))Z")
        }
        if now < bundle.expires { return nil }
        var why = "it expired at \(bundle.expires.rfc3339.prefix(19))Z"
        let read = clock()
        if read < bundle.expires {
            why +=
                "; this machine's clock was at \(now.rfc3339.prefix(19))Z before (\(clockFile)), and is behind it now"
        }
        return AiboxError(
            .policyInvalid, what, why: why,
            remedy: "aibox policy pull fetches a newer one, if its owner has published it")
    }

    /// The time, and never one before the latest that was seen here: a clock that is put back revives nothing.
    private func moment(_ record: BundleRecord?, expires: Timestamp) throws(AiboxError) -> Timestamp {
        let now = clock()
        var latest = Int64.min
        if File.exists(clockFile) {
            guard let seconds = Int64(try File.text(clockFile, limit: 100).filter { !$0.isWhitespace }),
                BundleRecord.seconds.contains(seconds)
            else {
                throw AiboxError(
                    .policyInvalid, "cannot use \(clockFile)", why: "it holds no time in seconds",
                    remedy: "who may, removes it")
            }
            latest = seconds
        }
        // Not at every command, but before anything is refused for it.
        if now.seconds > latest, now >= expires || latest < now.seconds - 60 {
            try Folder.makePrivate(folder)
            try File.replace(clockFile, with: "\(now.seconds)\n")
        }
        let known = Timestamp(seconds: max(latest, record?.fetched.seconds ?? .min))
        return max(now, known)
    }
}

// MARK: - Fetching

/// What a fetch brought.
public struct PulledBundle: Sendable, Equatable {
    public var layer: PolicyLayer
    public var version: Int
    public var revision: String
    public var digest: String
    /// Of the bundle that was kept before; nil if none was.
    public var before: String?
    public var expires: Timestamp

    public var isNew: Bool { before != digest }
}

extension BundleStore {
    /// Fetches the bundle, checks it, and keeps it in the place of the one before.
    ///
    /// - Parameters:
    ///   - baseline: the policies in Rego that are part of aibox, with which the bundle's have to compile.
    ///   - patience: for the source to answer.
    ///   - announce: told what is about to be in force, before it is.
    /// - Throws: `policyInvalid` for a bundle that is refused; what was kept stays as it was.
    public func pull(
        _ baseline: PolicyModules, patience: Duration = .seconds(60),
        announce: (PulledBundle) throws(AiboxError) -> Void
    ) throws(AiboxError) -> PulledBundle {
        try Folder.makePrivate(Path.parent(folder))
        try Folder.makePrivate(folder)
        let lock = try lock(patience)
        defer { lock.release() }
        do throws(AiboxError) {
            let pulled = try accept(baseline, patience, announce)
            try note(nil)
            return pulled
        } catch {
            try note(error.reason)
            throw error
        }
    }

    /// Waits for another aibox that is fetching it.
    private func lock(_ patience: Duration) throws(AiboxError) -> FileLock {
        let end = ContinuousClock.now + patience
        while true {
            if let lock = try FileLock.take(folder + "/lock") { return lock }
            if ContinuousClock.now >= end { break }
            usleep(50_000)
        }
        throw AiboxError(
            .failed, "cannot fetch \(title)", why: "another aibox is fetching it right now", remedy: "wait for it")
    }

    private func accept(
        _ baseline: PolicyModules, _ patience: Duration, _ announce: (PulledBundle) throws(AiboxError) -> Void
    ) throws(AiboxError) -> PulledBundle {
        let keys = try BundleKey.read(keys)
        let before = try kept()
        let copy = try BundleSource(
            address: BundleAddress(source), authorities: authorities, patience: patience
        ).fetch()
        let bundle = try PolicyBundle(copy, keys: keys, layer: layer, from: source)
        let now = try moment(before, expires: bundle.expires)
        if let problem = refusal(bundle, now) { throw problem }
        let version = bundle.manifest.version
        if let before {
            if version < before.version {
                throw AiboxError(
                    .policyInvalid, "refused the bundle \(SafeText.escaped(source))",
                    why: "it has version \(version), and version \(before.version) was accepted before (rollback)",
                    remedy: "its owner publishes a bundle with a higher version")
            }
            if version == before.version, bundle.digest != before.digest {
                throw AiboxError(
                    .policyInvalid, "refused the bundle \(SafeText.escaped(source))",
                    why: "version \(version) was accepted before with other content",
                    remedy: "its owner publishes what changed under a higher version")
            }
        }
        try bundle.requireReadable(baseline)
        let pulled = PulledBundle(
            layer: layer, version: Int(version), revision: bundle.manifest.revision, digest: bundle.digest,
            before: before?.digest, expires: bundle.expires)
        if pulled.isNew { try announce(pulled) }
        try keep(bundle, copy, at: now)
        return pulled
    }

    private func keep(_ bundle: PolicyBundle, _ copy: BundleCopy, at now: Timestamp) throws(AiboxError) {
        let record = BundleRecord(
            bundle, copy, archive: try SHA256.digest(copy.archive).hex, from: source, at: now)
        try File.replace(folder + "/" + record.fileName, with: copy.archive)
        try File.replace(self.record, with: record.json.bytes)
        for name in try Folder.names(folder) where name.hasSuffix(BundleRecord.suffix) && name != record.fileName {
            try File.remove(folder + "/" + name)
        }
    }

    /// What a start does about it: fetches what was never fetched or has expired, and, once an hour, asks for a newer one.
    ///
    /// - Parameter pull: fetches; what it throws is kept as the last error.
    /// - Returns: what a person should know. A source that fails is no reason to refuse while the kept bundle holds.
    public func renew(_ pull: () throws(AiboxError) -> Void) throws(AiboxError) -> [String] {
        let before = try standing()
        let now = clock().seconds
        let rested = before.asked.map { now - $0.seconds >= Self.pause || now < $0.seconds } ?? true
        switch before.state {
        case .absent, .expired, .invalid: try? pull()
        case .stale where rested: try? pull()
        case .stale, .fresh, .changed: break
        }
        let after = try standing()
        if let problem = after.problem {
            guard let error = after.lastError, after.state == .expired, !error.contains(problem.why ?? error) else {
                throw problem
            }
            throw AiboxError(
                problem.code, problem.what, why: "\(problem.why ?? ""), and fetching it failed: \(error)",
                remedy: problem.remedy)
        }
        guard after.state == .stale, let expires = after.expires else { return [] }
        let why = after.lastError.map { ": " + $0 } ?? ""
        return ["\(title) could not be renewed\(why); v\(after.version ?? 0) is used until \(expires.local)"]
    }

    // MARK: Attempts

    private func lastAttempt() throws(AiboxError) -> (time: Timestamp, error: String?)? {
        guard File.exists(attempt), let json = try? JSONParser.parse(File.read(attempt, limit: 1 << 16)),
            let seconds = json["time"]?.wholeNumber, BundleRecord.seconds.contains(seconds)
        else { return nil }
        return (Timestamp(seconds: seconds), json["error"]?.stringValue)
    }

    private func note(_ error: String?) throws(AiboxError) {
        var object: JSONObject = ["time": .integer(clock().seconds)]
        object["error"] = error.map { .string(String($0.prefix(1000))) }
        try File.replace(attempt, with: JSONValue.object(object).bytes)
    }
}
