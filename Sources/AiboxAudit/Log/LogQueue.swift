import AiboxSystem
import Dispatch
import Synchronization

/// What waits to be written, and the one thread that writes it.
final class LogQueue: Sendable {
    struct Request: Sendable {
        var bodies: [EventBody]
        /// Nothing waits for it: it may share the sync of those that come within `LogQueue.patience`.
        var isNote = false
        var completion: @Sendable (Result<[EventID], AiboxError>) -> Void
    }

    typealias Completion = @Sendable (Result<Void, AiboxError>) -> Void

    private struct Waiting: Sendable {
        var requests: [Request] = []
        var checkpoints: [Completion] = []
        var finish: [Completion] = []
        var isFinishing = false
        var isFinished = false
        /// When the oldest of the notes has waited long enough; nil if something else waits, or nothing.
        var notesDue: ContinuousClock.Instant?

        var isUrgent: Bool {
            isFinishing || !checkpoints.isEmpty || requests.contains { !$0.isNote }
                || (notesDue.map { $0 <= .now } ?? false)
        }
    }

    private let waiting = Mutex(Waiting())
    private let wake = DispatchSemaphore(value: 0)
    private let interval: Duration
    private let events: Int
    /// How long a note waits for company.
    private static let patience = Duration.milliseconds(20)
    /// The shortest time between two checkpoints that are due for the number of events: under load, signing would
    /// otherwise hold up one append in ten.
    private static let checkpointPause = Duration.seconds(2)
    /// Events in one write: bounds the memory and what a crash can tear.
    private static let largestBatch = 8192

    init(_ options: AuditLog.Options) {
        interval = options.checkpointInterval
        events = options.checkpointEvents
    }

    func add(_ request: Request) {
        let refused = waiting.withLock { waiting in
            if waiting.isFinishing { return true }
            waiting.requests.append(request)
            if request.isNote, waiting.notesDue == nil { waiting.notesDue = .now + Self.patience }
            return false
        }
        if refused {
            request.completion(.failure(AiboxError(.failed, "cannot write the audit log", why: "it was closed")))
        } else {
            wake.signal()
        }
    }

    func checkpoint(_ completion: @escaping Completion) {
        let refused = waiting.withLock { waiting in
            if waiting.isFinishing { return true }
            waiting.checkpoints.append(completion)
            return false
        }
        if refused {
            completion(.failure(AiboxError(.failed, "cannot sign the audit log", why: "it was closed")))
        } else {
            wake.signal()
        }
    }

    func finish(_ completion: Completion?) {
        let isFinished = waiting.withLock { waiting in
            waiting.isFinishing = true
            if !waiting.isFinished, let completion { waiting.finish.append(completion) }
            return waiting.isFinished
        }
        if isFinished { completion?(.success(())) }
        wake.signal()
    }

    /// Starts the thread, which owns the writer from now on.
    func start(_ writer: sending LogWriter) throws(AiboxError) {
        nonisolated(unsafe) let writer = writer
        try DedicatedThread.start("of the audit log") { self.run(writer) }
    }

    private func run(_ writer: LogWriter) {
        var due: ContinuousClock.Instant? = writer.hasUncovered ? .now + interval : nil
        var signed = ContinuousClock.now - Self.checkpointPause
        while true {
            if let until = [due, waiting.withLock({ $0.notesDue })].compactMap(\.self).min() {
                let left = max(Duration.zero, until - .now)
                _ = wake.wait(timeout: .now() + .milliseconds(Int(left.milliseconds)))
            } else {
                wake.wait()
            }
            var batch = take()
            write(&batch.requests, writer)
            let isFull = writer.uncovered >= UInt64(events)
            let isDue = due.map { $0 <= .now } ?? false || (isFull && signed + Self.checkpointPause <= .now)
            if isFull, !isDue { due = min(due ?? .now + interval, signed + Self.checkpointPause) }
            if isDue || !batch.checkpoints.isEmpty || batch.isFinishing {
                let result = Result { () throws(AiboxError) in
                    try writer.checkpoint()
                    if batch.isFinishing { try writer.settle() }
                }
                for completion in batch.checkpoints + batch.finish { completion(result) }
                signed = .now
                // Tried again after another interval if it failed; appending fails meanwhile.
                due = writer.hasUncovered ? .now + interval : nil
            } else if due == nil, writer.hasUncovered {
                due = .now + interval
            }
            if batch.isFinishing, finished() { return }
        }
    }

    /// What is to be done now: nothing while there are only notes that can still wait.
    private func take() -> Waiting {
        waiting.withLock { waiting in
            if !waiting.isUrgent { return Waiting() }
            let taken = waiting
            waiting.requests = []
            waiting.notesDue = nil
            waiting.checkpoints = []
            waiting.finish = []
            return taken
        }
    }

    /// True once nobody can be left waiting.
    private func finished() -> Bool {
        let late = waiting.withLock { waiting in
            waiting.isFinished = true
            defer { waiting.finish = [] }
            return waiting.finish
        }
        for completion in late { completion(.success(())) }
        return true
    }

    private func write(_ requests: inout [Request], _ writer: LogWriter) {
        var rest = requests[...]
        while !rest.isEmpty {
            // Whole requests only: the events of one are written together or not at all.
            var count = 0
            var bodies: [EventBody] = []
            repeat {
                bodies += rest[rest.startIndex + count].bodies
                count += 1
            } while count < rest.count && bodies.count < Self.largestBatch
            var result = Result { () throws(AiboxError) in try writer.append(bodies) }
            if case .failure(let error) = result, let ids = writer.excuse(bodies, error) { result = .success(ids) }
            var ids = ((try? result.get()) ?? [])[...]
            for request in rest.prefix(count) {
                switch result {
                case .success:
                    request.completion(.success(Array(ids.prefix(request.bodies.count))))
                    ids = ids.dropFirst(request.bodies.count)
                case .failure(let error): request.completion(.failure(error))
                }
            }
            rest = rest.dropFirst(count)
        }
    }
}
