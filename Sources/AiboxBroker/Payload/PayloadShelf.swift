import AiboxAudit
import AiboxSystem
import AiboxWire
import NIOCore
import NIOPosix
import Synchronization

/// The folder of what is kept, held to its bounds: before a file is made, what has to go goes, once the log has it (P7).
///
/// Other sandboxes' proxies write there as well. Each looks again after a minute, or when a sixty-fourth of the room was
/// taken by itself. What is under way is never removed.
final class PayloadShelf: Sendable {
    private struct State {
        /// When the folder was last looked at to the end.
        var looked: ContinuousClock.Instant?
        var isLooking = false
        /// Bytes that came from here since.
        var taken = 0
        /// Whether what others left without an end was told.
        var hasTold = false
    }

    private let state = Mutex(State())
    private static let patience = Duration.seconds(60)

    /// Succeeds once there is room, or somebody else makes it.
    func makeRoom(
        by rule: PayloadRule, _ threads: NIOThreadPool, _ audit: any LLMAudit, on loop: any EventLoop
    ) -> EventLoopFuture<Void> {
        guard begins(rule.bound) else { return loop.makeSucceededVoidFuture() }
        let folder = RecordingFolder(rule.folder)
        let hasTold = state.withLock { $0.hasTold }
        let told = hasTold ? loop.makeSucceededVoidFuture() : tell(of: folder, threads, audit, on: loop)
        return told.flatMap { self.expire(folder, rule.bound, threads, audit, on: loop) }
            .always { result in self.ends(try? result.get()) }.map { _ in }
    }

    /// Says what others left without an end.
    private func tell(
        of folder: RecordingFolder, _ threads: NIOThreadPool, _ audit: any LLMAudit, on loop: any EventLoop
    ) -> EventLoopFuture<Void> {
        threads.runIfActive(eventLoop: loop) { try folder.abandoned() }.flatMap { ids in
            // Where a look does not find all, the next one finds more.
            let isAll = ids.count < RecordingFolder.batch
            if ids.isEmpty { return loop.makeSucceededFuture(isAll) }
            return audit.before(Self.event(.llmAbandoned, ids), on: loop).flatMap {
                threads.runIfActive(eventLoop: loop) { try folder.told(ids) }
            }.map { isAll }
        }.map { isAll in self.state.withLock { $0.hasTold = isAll } }
    }

    /// - Returns: whether all that had to go has gone.
    private func expire(
        _ folder: RecordingFolder, _ bound: RecordingBound, _ threads: NIOThreadPool, _ audit: any LLMAudit,
        on loop: any EventLoop
    ) -> EventLoopFuture<Bool> {
        threads.runIfActive(eventLoop: loop) { try folder.expiry(bound, now: Timestamp.now.seconds) }.flatMap {
            expiry in
            guard let expiry else { return loop.makeSucceededFuture(true) }
            return audit.before(Self.event(.llmExpire, expiry.ids, bytes: expiry.bytes), on: loop).flatMap {
                threads.runIfActive(eventLoop: loop) {
                    try folder.remove(expiry)
                    return expiry.isAll
                }
            }
        }
    }

    /// Bytes that were written.
    func took(_ bytes: Int) { state.withLock { $0.taken += bytes } }

    private func begins(_ bound: RecordingBound) -> Bool {
        state.withLock { state in
            if state.isLooking { return false }
            if let looked = state.looked {
                let isMuch = bound.bytes.map { state.taken > $0 / 64 } ?? false
                if bound.isOpen || !isMuch && ContinuousClock.now - looked < Self.patience { return false }
            }
            (state.isLooking, state.taken) = (true, 0)
            return true
        }
    }

    /// - Parameter isAll: whether all that had to go has gone; nil: it went wrong.
    private func ends(_ isAll: Bool?) {
        state.withLock { state in
            state.isLooking = false
            state.looked = isAll == true ? .now : nil
        }
    }

    private static func event(_ type: AuditEventType, _ ids: [String], bytes: Int? = nil) -> AuditEvent {
        var details: JSONObject = ["payloads": .array(ids.map { .string($0) })]
        details["bytes"] = bytes.map { .integer(Int64($0)) }
        return AuditEvent(type, subject: "\(ids.count)", details: details)
    }
}
