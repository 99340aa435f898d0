import AiboxCrypto
import AiboxSystem

/// Begins a log in an empty folder. `log.pub` is written last: without it there is no log yet, and a creation that
/// was interrupted is simply done again.
struct LogCreation {
    var folder: LogFolder
    var options: AuditLog.Options
    var host: String

    func openOrCreate() throws(AiboxError) -> LogIdentity {
        if File.exists(folder.identity) {
            return try LogIdentity(try File.text(folder.identity, limit: 65_536), from: folder.identity)
        }
        if let first = try folder.segments().first(where: { $0 > 1 || !isEmpty($0) }) {
            throw AiboxError(
                .integrity, "cannot continue the audit log",
                why: "\(folder.identity) is missing, but \(folder.path(segment: first)) is there",
                remedy: "aibox audit verify; then move the whole audit folder away as evidence")
        }
        return try create()
    }

    private func isEmpty(_ first: UInt64) -> Bool {
        (try? File.read(folder.path(segment: first), limit: 1))?.isEmpty ?? false
    }

    private func create() throws(AiboxError) -> LogIdentity {
        let place = host + ":" + (Path.real(folder.path) ?? folder.path)
        let logKey = try random()
        let once = OneTimeKeys(try random())
        let ratchet = try MACRatchet(random())
        let origin = try LogIdentity.newOrigin(host: host, place: place)
        for second in options.secondPlaces where File.isDirectory(second.folder) {
            try second.refuseOtherLogs(at: place, than: origin)
        }
        let identity = LogIdentity(
            key: NoteKey(name: origin, publicKey: try Ed25519.publicKey(seed: logKey)),
            once: try once.publicKey(), place: place, created: Timestamp.now.rfc3339)
        let state = try KeyState()
        state.segment = 1
        state.anchor = try identity.anchor()
        state.head = state.anchor
        state.setRatchet(ratchet)
        state.setOneTimeKeys(once)
        state.setLogKey(logKey)
        let auditor = AuditorKey(origin: origin, anchor: state.anchor, secret: Array(ratchet.key.readable))
        try File.replace(options.auditorKey ?? folder.auditorKey, with: auditor.text, mode: 0o400)
        try File.replace(folder.state, with: [], mode: 0o600)
        let file = try LogWriter.open(folder.state, 0o2)
        try state.write(file, folder.state, SystemLogDisk())
        try SystemLogDisk().synchronise(file, folder.state)
        try File.remove(folder.journal)
        try File.replace(folder.checkpoints, with: [], mode: 0o600)
        try File.replace(folder.path(segment: 1), with: [], mode: 0o600)
        try File.replace(folder.identity, with: try identity.text(), mode: 0o644)
        return identity
    }

    private func random() throws(AiboxError) -> SecretBytes {
        let secret = try SecretBytes(count: Digest256.count)
        try SecureRandom.fill(secret)
        return secret
    }
}
