public import AiboxSystem
import Dispatch
import Synchronization

/// The audit log of this machine's user: append-only, chained, keyed, signed (docs/audit-log.md).
///
/// Any number of threads and processes append at once. One thread in each process writes; events that wait together
/// share one sync of the disk.
public final class AuditLog: Sendable {
    public struct Options: Sendable {
        /// Where copies of the checkpoints go.
        public var secondPlaces: [SecondPlace] = []
        /// A checkpoint is due after this many events.
        public var checkpointEvents = 1024
        /// A checkpoint is due this long after an event that none covers.
        public var checkpointInterval = Duration.seconds(30)
        /// A file of events is followed by the next beyond this size.
        public var segmentBytes = 64 << 20
        /// How long to wait for another process that is writing.
        public var lockTimeout = Duration.seconds(10)
        /// What becomes of actions while the disk takes no events.
        public var onFailure = FailureRule.stop
        /// Where a new log leaves its first MAC key for the auditor; nil: `auditor.key` in its folder.
        public var auditorKey: String?

        public init() {}
    }

    /// What becomes of actions while the disk takes no events. Evidence of tampering stops them always.
    public enum FailureRule: Sendable, Equatable {
        /// No audit, no action (P7).
        case stop
        /// Actions go on. How many events are missing, and since when, is kept in the key state, which takes no
        /// further room, and is the first thing that the log says afterwards (`audit.gap`).
        case markGap
    }

    private let queue: LogQueue
    private let context: AuditContext

    /// Opens the log in a folder, makes it if there is none, and repairs what a crash left half-written.
    ///
    /// - Parameters:
    ///   - folder: made 0700; one that others can enter is closed.
    ///   - context: for events that bring none.
    /// - Throws: `integrity` if the log does not fit its keys or its second places: it is never begun anew by itself.
    public static func open(
        folder: String, context: AuditContext, options: Options = Options()
    ) throws(AiboxError) -> AuditLog {
        try open(folder: folder, context: context, options: options, disk: SystemLogDisk())
    }

    static func open(
        folder: String, context: AuditContext, options: Options, disk: any LogDisk
    ) throws(AiboxError) -> AuditLog {
        let writer = try LogWriter(LogFolder(path: folder), options, context, disk)
        let log = AuditLog(queue: LogQueue(options), context: context)
        try log.queue.start(writer)
        return log
    }

    private init(queue: LogQueue, context: AuditContext) {
        self.queue = queue
        self.context = context
    }

    // The thread writes what waits and a last checkpoint, and ends by itself.
    deinit { queue.finish(nil) }

    /// Puts an event into the log. When this returns, the event is on the disk: its effect may follow (P7).
    ///
    /// - Throws: if it could not be written; then the action must not happen. Under `FailureRule.markGap` it does not
    ///   throw for that: the id returned is then of an event that is counted as missing.
    @discardableResult
    public func append(_ event: AuditEvent) throws(AiboxError) -> EventID {
        let ids = try append([event])
        guard let id = ids.first else { throw AiboxError(.failed, "cannot write the audit log") }
        return id
    }

    /// Puts several events into the log with one sync: all of them, or none.
    @discardableResult
    public func append(_ events: [AuditEvent]) throws(AiboxError) -> [EventID] {
        if events.isEmpty { return [] }
        let answer = Answer<[EventID]>()
        try append(events) { answer.give($0) }
        return try answer.wait()
    }

    /// As `append`, without blocking a thread.
    public func record(_ event: AuditEvent) async throws(AiboxError) -> EventID {
        let result: Result<[EventID], AiboxError> = await withCheckedContinuation { continuation in
            do throws(AiboxError) {
                try append([event]) { continuation.resume(returning: $0) }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        guard let id = try result.get().first else { throw AiboxError(.failed, "cannot write the audit log") }
        return id
    }

    /// Puts events into the log and tells when they are on the disk. For event loops.
    ///
    /// - Parameter completion: called once, on the log's own thread: return soon.
    /// - Throws: if an event cannot be rendered; then nothing is called.
    public func append(
        _ events: [AuditEvent], completion: @escaping @Sendable (Result<[EventID], AiboxError>) -> Void
    ) throws(AiboxError) {
        queue.add(LogQueue.Request(bodies: try bodies(events), completion: completion))
    }

    /// Puts an event into the log that tells of what has happened already. Nothing waits for it, so it may wait some
    /// milliseconds itself, for others to be synced with; the order of events stays that in which they came.
    ///
    /// - Parameter completion: as in `append`.
    public func note(
        _ event: AuditEvent, completion: @escaping @Sendable (Result<[EventID], AiboxError>) -> Void
    ) throws(AiboxError) {
        queue.add(LogQueue.Request(bodies: try bodies([event]), isNote: true, completion: completion))
    }

    private func bodies(_ events: [AuditEvent]) throws(AiboxError) -> [EventBody] {
        var bodies: [EventBody] = []
        bodies.reserveCapacity(events.count)
        for event in events { bodies.append(try EventBody(event, in: context, at: .now)) }
        return bodies
    }

    /// Signs what the log holds now and copies the signature to the second places.
    public func checkpoint() throws(AiboxError) {
        let answer = Answer<Void>()
        queue.checkpoint { answer.give($0) }
        try answer.wait()
    }

    /// Writes what waits, signs a last checkpoint and ends the thread. Appending afterwards is an error.
    public func close() throws(AiboxError) {
        let answer = Answer<Void>()
        queue.finish { answer.give($0) }
        try answer.wait()
    }
}

/// A result that one thread waits for and another gives.
private final class Answer<Value: Sendable>: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let result = Mutex<Result<Value, AiboxError>?>(nil)

    func give(_ result: Result<Value, AiboxError>) {
        self.result.withLock { $0 = result }
        semaphore.signal()
    }

    func wait() throws(AiboxError) -> Value {
        semaphore.wait()
        guard let result = result.withLock({ $0 }) else { throw AiboxError(.failed, "the audit log gave no answer") }
        return try result.get()
    }
}
