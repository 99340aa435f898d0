import AiboxCrypto
public import AiboxSystem
import Glibc
import Synchronization

/// Brings the newest checkpoint to places beside this machine.
///
/// No action waits for it: it runs in a process of its own and reads what the log has signed. The log's own checkpoints
/// are the spool, so a place that is out of reach loses nothing; how far it is behind is kept and told. A place that
/// contradicts the log stops it: what was done to one of the two is for a person to find out.
public struct CheckpointCourier: Sendable {
    private let folder: LogFolder
    private let places: [PlaceAddress]
    private let known = Known()

    /// The log as it was at the last delivery.
    private final class Known: Sendable { let log = Mutex<PlacedLog?>(nil) }

    /// - Parameter folder: the audit folder.
    public init(folder: String, to places: [PlaceAddress]) {
        self.folder = LogFolder(path: folder)
        self.places = places
    }

    /// What became of one place.
    public struct Delivery: Sendable {
        public var standing: PlaceStanding
        /// nil: the place has the newest checkpoint.
        public var error: AiboxError?
        /// Whether it can be written again after it could not, or the other way round.
        public var hasChanged: Bool
    }

    /// Bytes of checkpoints there are: grows with each that is signed.
    public var spool: UInt64 {
        var status = stat()
        return stat(folder.checkpoints, &status) == 0 ? UInt64(status.st_size) : 0
    }

    /// Delivers to every place that lacks the newest checkpoint.
    ///
    /// - Throws: if the log cannot be read, or another process is at it for a minute.
    public func run() throws(AiboxError) -> [Delivery] {
        guard File.exists(folder.identity) else { return [] }
        let lock = try lock()
        defer { lock.release() }
        let log = try PlacedLog(folder, before: known.log.withLock { $0 })
        known.log.withLock { $0 = log }
        var deliveries: [Delivery] = []
        for place in places { deliveries.append(try deliver(log, to: place)) }
        return deliveries
    }

    private func lock() throws(AiboxError) -> FileLock {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            if let lock = try FileLock.take(folder.courierLock) { return lock }
            if ContinuousClock.now >= deadline {
                throw AiboxError(
                    .failed, "cannot deliver checkpoints",
                    why: "another process has held \(folder.courierLock) for a minute")
            }
            usleep(100_000)
        }
    }

    private func deliver(_ log: PlacedLog, to address: PlaceAddress) throws(AiboxError) -> Delivery {
        var standing = try PlaceStanding(address, of: log)
        if !standing.isBehind, standing.failing.isEmpty {
            return Delivery(standing: standing, error: nil, hasChanged: false)
        }
        let wasFailing = !standing.failing.isEmpty
        do throws(AiboxError) {
            try deliver(log, to: address, standing)
            standing.delivered = standing.signed
            standing.time = Timestamp.now.rfc3339
            (standing.failing, standing.reason) = ("", "")
            try standing.store(address, of: log)
            return Delivery(standing: standing, error: nil, hasChanged: wasFailing)
        } catch {
            if standing.failing.isEmpty { standing.failing = Timestamp.now.rfc3339 }
            standing.reason = error.reason
            try standing.store(address, of: log)
            return Delivery(standing: standing, error: error, hasChanged: !wasFailing)
        }
    }

    private func deliver(_ log: PlacedLog, to address: PlaceAddress, _ standing: PlaceStanding) throws(AiboxError) {
        var log = log
        log.delivered = standing.delivered
        let place = try address.place(folder)
        do throws(AiboxError) {
            if let finding = try place.recall(log, isAudit: false)?.finding {
                throw AiboxError(
                    .integrity, "the audit log was \(finding.kind.rawValue)", why: finding.explanation,
                    remedy: "aibox audit verify")
            }
            try place.add(log)
        } catch  where error.code == .integrity {
            try contradict(address, error)
            throw error
        }
    }

    /// Stops the log.
    private func contradict(_ address: PlaceAddress, _ error: AiboxError) throws(AiboxError) {
        if File.exists(folder.contradiction) { return }
        try File.replace(
            folder.contradiction,
            with: "\(Timestamp.now.rfc3339) \(SafeText.escaped(address.text)): \(SafeText.escaped(error.reason))\n")
    }
}

extension LogFolder {
    /// Refuses to go on with a log that a second place contradicts.
    func refuseContradicted() throws(AiboxError) {
        guard access(contradiction, F_OK) == 0 else { return }
        let text = (try? File.text(contradiction, limit: 65_536))?.filter { $0 != "\n" }
        throw AiboxError(
            .integrity, "the audit log takes no more events", why: text ?? "a second place contradicts it",
            remedy: "aibox audit verify tells what is wrong; once that is understood, remove \(contradiction)")
    }
}
