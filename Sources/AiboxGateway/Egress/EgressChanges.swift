import AiboxAudit
import AiboxNetwork
import AiboxSystem
import AiboxWire
import NIOCore
import Synchronization

/// Changes of the list while the sandbox runs, one after the other.
///
/// What is taken away ends in the gateway at once, then in Squid and the resolver; what is added is served by those two
/// before the gateway lets it through. Each change is in the audit log before it holds.
final class EgressChanges: Sendable {
    private struct State {
        var rules: SessionRules
        var last: EventLoopFuture<Void>
        var timer: Scheduled<Void>?
    }

    private let state: Mutex<State>
    private let loop: any EventLoop
    private let audit: GatewayAudit
    private let log: GatewayLog
    private let service: EgressService
    /// Makes Squid and the resolver serve a list.
    private let install: @Sendable (AllowList) -> EventLoopFuture<Void>

    init(
        _ rules: SessionRules, service: EgressService, audit: GatewayAudit, log: GatewayLog, loop: any EventLoop,
        install: @escaping @Sendable (AllowList) -> EventLoopFuture<Void>
    ) {
        state = Mutex(State(rules: rules, last: loop.makeSucceededVoidFuture()))
        self.loop = loop
        self.audit = audit
        self.log = log
        self.service = service
        self.install = install
    }

    var rules: SessionRules { state.withLock { $0.rules } }

    /// Does what a person asked for; fulfilled once it holds.
    func make(_ change: NetworkChange) -> EventLoopFuture<Void> {
        let pattern: HostPattern
        do { pattern = try HostPattern(change.host) } catch {
            let error = AiboxError(.usage, "cannot use the host \(SafeText.escaped(change.host))", why: error.reason)
            return loop.makeFailedFuture(error)
        }
        let until = change.seconds.map { ContinuousClock.now + .seconds($0) }
        let time = change.seconds.map { " for \($0) s" } ?? ""
        switch change.action {
        case .allow:
            return enqueue("allow \(pattern)\(time)", isTighter: false) { rules throws(AiboxError) in
                do throws(SessionRules.Refusal) { try rules.allow(pattern, until: until) } catch { throw error.asError }
            }
        case .deny:
            return enqueue("deny \(pattern)\(time)", isTighter: true) { rules throws(AiboxError) in
                rules.deny(pattern, until: until)
            }
        }
    }

    private func enqueue(
        _ words: String, isTighter: Bool, _ body: @escaping @Sendable (inout SessionRules) throws(AiboxError) -> Void
    ) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        let before = state.withLock { state in
            defer { state.last = promise.futureResult }
            return state.last
        }
        before.whenComplete { _ in self.apply(words, isTighter: isTighter, body).cascade(to: promise) }
        return promise.futureResult
    }

    private func apply(
        _ words: String, isTighter: Bool, _ body: @Sendable (inout SessionRules) throws(AiboxError) -> Void
    ) -> EventLoopFuture<Void> {
        let before = rules
        var changed = before
        let list: AllowList
        do throws(AiboxError) {
            try body(&changed)
            do throws(AllowListProblems) { list = try changed.list() } catch { throw error.asError }
        } catch {
            return loop.makeFailedFuture(error)
        }
        if changed == before { return loop.makeSucceededVoidFuture() }
        let rules = changed
        let event = AuditEvent(
            .policyChange, subject: "network", details: ["layer": "session", "change": .string(words)])
        return audit.before(event, on: loop).flatMap { () -> EventLoopFuture<Void> in
            if isTighter {
                self.hold(rules, list)
                // The gateway refuses from now on; Squid and the resolver follow, and are tried again if they cannot.
                return self.install(list).flatMapErrorThrowing { error in
                    self.log.error("the list is not everywhere yet", ["reason": "\(error)"])
                }
            }
            return self.install(list).map { self.hold(rules, list) }.flatMapError { error in
                _ = self.install(self.service.list)
                return self.loop.makeFailedFuture(error)
            }
        }
    }

    private func hold(_ rules: SessionRules, _ list: AllowList) {
        service.use(list)
        state.withLock { state in
            state.rules = rules
            state.timer?.cancel()
            state.timer = rules.nextEnd.map { end in
                let left = max(0, ContinuousClock.now.duration(to: end).milliseconds)
                return loop.scheduleTask(in: .milliseconds(Int64(left) + 1)) { self.endWhatIsOver() }
            }
        }
    }

    private func endWhatIsOver() {
        let now = ContinuousClock.now
        _ = enqueue("the time of an addition is over", isTighter: true) { rules throws(AiboxError) in
            rules.endAdditions(now)
        }
        _ = enqueue("the time of a denial is over", isTighter: false) { rules throws(AiboxError) in
            rules.endDenials(now)
        }
    }
}

extension SessionRules.Refusal {
    var asError: AiboxError {
        switch self {
        case .beyondPolicy(let host):
            AiboxError(
                .denied, "the organisation's policy does not permit \(host)",
                why: "it does not list the host, and it permits no additions",
                remedy: "ask who owns the policy")
        case .denied(let wider):
            AiboxError(
                .denied, "this host stays refused", why: "\(wider) was denied in this stay",
                remedy: "aibox network allow \(wider)")
        }
    }
}
