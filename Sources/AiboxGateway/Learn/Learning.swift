import AiboxAudit
import AiboxSystem
import AiboxWire
import NIOCore
import Synchronization

/// Whether a sandbox learns, until when, and who said so. Ends with its time, and with the gateway.
final class Learning: Sendable {
    private struct State {
        var until: NIODeadline?
        var timer: Scheduled<Void>?
        /// The change that was asked for last.
        var last: EventLoopFuture<Void>?
        /// Why it must not any more; nil: as at the start.
        var isForbidden: String?
    }

    private let sandbox: String
    private let isPermitted: Bool
    private let egress: Egress?
    private let tools: ToolDoor?
    private let audit: GatewayAudit
    private let log: GatewayLog
    private let state = Mutex(State())

    init(
        _ settings: GatewaySettings, egress: Egress?, tools: ToolDoor?, audit: GatewayAudit, log: GatewayLog
    ) {
        sandbox = settings.sandbox
        isPermitted = settings.learn != nil
        self.egress = egress
        self.tools = tools
        self.audit = audit
        self.log = log
    }

    /// Seconds left; nil while it does not learn.
    var left: Int? {
        state.withLock { $0.until }.flatMap { until in
            let left = (until - .now()).nanoseconds
            return left > 0 ? Int((left + 999_999_999) / 1_000_000_000) : nil
        }
    }

    /// Does what a person asked for; fulfilled once it holds.
    func make(_ change: LearnChange, by person: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
        inOrder(loop) {
            switch change {
            case .start(let seconds): self.start(seconds, by: person, on: loop)
            case .stop: self.stop(person, "asked for", on: loop)
            }
        }
    }

    /// One after the other: an end that is asked for while a beginning is not done ends that.
    private func inOrder(
        _ loop: any EventLoop, _ work: @escaping @Sendable () -> EventLoopFuture<Void>
    ) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        let before = state.withLock { state in
            defer { state.last = promise.futureResult }
            return state.last ?? loop.makeSucceededVoidFuture()
        }
        before.hop(to: loop).whenComplete { _ in work().cascade(to: promise) }
        return promise.futureResult
    }

    private func start(_ seconds: Int, by person: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
        guard isPermitted else {
            return loop.makeFailedFuture(
                AiboxError(
                    .denied, "this sandbox must not learn", why: "its policy does not say learn.mode: permitted",
                    remedy: "ask who owns the organisation's policy, and start the sandbox again"))
        }
        if let why = state.withLock({ $0.isForbidden }) {
            return loop.makeFailedFuture(
                AiboxError(.denied, "this sandbox must not learn any more", why: why, remedy: "aibox stop, aibox start")
            )
        }
        let until = NIODeadline.now() + .seconds(Int64(seconds))
        let event = AuditEvent(
            .learnStart, subject: sandbox, details: ["person": .string(person), "seconds": .integer(Int64(seconds))])
        return audit.before(event, on: loop)
            .flatMap { self.egress?.learn(until: until).hop(to: loop) ?? loop.makeSucceededVoidFuture() }
            .flatMap { self.tools?.learn(until: until).hop(to: loop) ?? loop.makeSucceededVoidFuture() }
            .map {
                let timer = loop.scheduleTask(deadline: until + .milliseconds(1)) {
                    self.inOrder(loop) { self.stop(nil, "its time is over", on: loop) }.whenFailure { error in
                        self.log.error("the end of learning", ["reason": "\(error)"])
                    }
                }
                self.state.withLock { state in
                    state.timer?.cancel()
                    (state.until, state.timer) = (until, timer)
                }
            }
    }

    /// Ends it, and lets nobody begin it again.
    func forbid(_ why: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
        state.withLock { $0.isForbidden = why }
        return inOrder(loop) { self.stop(nil, why, on: loop) }
    }

    /// Nothing more is let through from here on, whatever becomes of the rest.
    private func stop(_ person: String?, _ reason: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let wasLearning = state.withLock { state in
            state.timer?.cancel()
            defer { (state.until, state.timer) = (nil, nil) }
            return state.until != nil
        }
        if !wasLearning { return loop.makeSucceededVoidFuture() }
        let closed = [egress?.learn(until: nil), tools?.learn(until: nil)].compactMap { $0?.hop(to: loop) }
        return audit.before(event(person, reason), on: loop).and(EventLoopFuture.andAllSucceed(closed, on: loop)).map {
            _ in
        }
    }

    private func event(_ person: String?, _ reason: String) -> AuditEvent {
        var details: JSONObject = ["reason": .string(reason)]
        details["person"] = person.map { .string($0) }
        return AuditEvent(.learnStop, subject: sandbox, details: details)
    }

    /// The gateway ends.
    func end() {
        let wasLearning = state.withLock { state in
            state.timer?.cancel()
            defer { (state.until, state.timer) = (nil, nil) }
            return state.until != nil
        }
        if wasLearning { audit.note(event(nil, "the gateway ends")) }
    }
}
