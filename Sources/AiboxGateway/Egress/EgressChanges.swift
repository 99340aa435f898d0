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
    /// What is to hold.
    private struct Wish: Equatable {
        var rules: SessionRules
        /// Until when the sandbox learns; nil: it does not.
        var learnsUntil: NIODeadline?
        /// Exceptions have ended: what the organisation permitted at the start is not what it permits now.
        var hasEnded = false
    }

    private struct State {
        var wish: Wish
        var last: EventLoopFuture<Void>
        var timer: Scheduled<Void>?
    }

    private let state: Mutex<State>
    private let loop: any EventLoop
    private let audit: GatewayAudit
    private let log: GatewayLog
    private let service: EgressService
    /// Makes Squid and the resolver serve the first list, and the broker go by the second one, the sandbox's own.
    private let install: @Sendable (AllowList, AllowList) -> EventLoopFuture<Void>
    /// What the organisation alone permits; nil: the sandbox must not learn.
    private let learn: (allow: [AllowRuleSource], policy: JSONValue)?

    init(
        _ rules: SessionRules, learn: (allow: [AllowRuleSource], policy: JSONValue)?, service: EgressService,
        audit: GatewayAudit, log: GatewayLog, loop: any EventLoop,
        install: @escaping @Sendable (AllowList, AllowList) -> EventLoopFuture<Void>
    ) {
        self.learn = learn
        state = Mutex(State(wish: Wish(rules: rules), last: loop.makeSucceededVoidFuture()))
        self.loop = loop
        self.audit = audit
        self.log = log
        self.service = service
        self.install = install
    }

    /// Lets through what the organisation alone permits until then, or no more. Who asks has put it into the log.
    func learn(until: NIODeadline?) -> EventLoopFuture<Void> {
        // The gateway refuses at once, whatever becomes of the rest.
        if until == nil { service.endLearning() }
        let held = enqueue(nil, isTighter: until == nil) { wish throws(AiboxError) in
            wish.learnsUntil = wish.hasEnded ? nil : until
        }
        // What began meanwhile may have met the Squid of before.
        return until == nil ? held.map { self.service.closeOpenedTunnels() } : held
    }

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
            return enqueue("allow \(pattern)\(time)", isTighter: false) { wish throws(AiboxError) in
                do throws(SessionRules.Refusal) { try wish.rules.allow(pattern, until: until) } catch {
                    throw error.asError
                }
            }
        case .deny:
            return enqueue("deny \(pattern)\(time)", isTighter: true) { wish throws(AiboxError) in
                wish.rules.deny(pattern, until: until)
            }
        }
    }

    /// Ends what rested on exceptions; fulfilled once it holds.
    func end(_ ending: ExceptionEnding) -> EventLoopFuture<Void> {
        let words = "the end of \(ending.words)" + (ending.closing.map { ", and with it of everything: \($0)" } ?? "")
        return enqueue(AuditText.carried(Array(words.utf8.prefix(2048))), layer: "org", isTighter: true) {
            wish throws(AiboxError) in
            do throws(AllowListProblems) { try wish.rules.end(ending) } catch { throw error.asError }
            (wish.learnsUntil, wish.hasEnded) = (nil, true)
        }
    }

    private func enqueue(
        _ words: String?, layer: String = "session", isTighter: Bool,
        _ body: @escaping @Sendable (inout Wish) throws(AiboxError) -> Void
    ) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        let before = state.withLock { state in
            defer { state.last = promise.futureResult }
            return state.last
        }
        before.whenComplete { _ in
            self.apply(words, layer: layer, isTighter: isTighter, body).cascade(to: promise)
        }
        return promise.futureResult
    }

    private func apply(
        _ words: String?, layer: String, isTighter: Bool, _ body: @Sendable (inout Wish) throws(AiboxError) -> Void
    ) -> EventLoopFuture<Void> {
        let before = state.withLock { $0.wish }
        var changed = before
        let lists: Lists
        let old: Lists
        do throws(AiboxError) {
            old = try self.lists(before)
            try body(&changed)
            lists = try self.lists(changed)
        } catch {
            return loop.makeFailedFuture(error)
        }
        if changed == before { return loop.makeSucceededVoidFuture() }
        let wish = changed
        let written =
            words.map { words in
                audit.before(
                    AuditEvent(
                        .policyChange, subject: "network", details: ["layer": .string(layer), "change": .string(words)]),
                    on: loop)
            } ?? loop.makeSucceededVoidFuture()
        return written.flatMap { () -> EventLoopFuture<Void> in
            if isTighter {
                self.hold(wish, lists)
                // The gateway refuses from now on; Squid and the resolver follow, and are tried again if they cannot.
                return self.install(lists.served, lists.own).flatMapErrorThrowing { error in
                    self.log.error("the list is not everywhere yet", ["reason": "\(error)"])
                }
            }
            return self.install(lists.served, lists.own).map { self.hold(wish, lists) }.flatMapError { error in
                _ = self.install(old.served, old.own)
                return self.loop.makeFailedFuture(error)
            }
        }
    }

    /// The sandbox's own list, and the one that Squid and the resolver serve: the organisation's while it learns.
    private struct Lists {
        var own: AllowList
        var served: AllowList
    }

    private func lists(_ wish: Wish) throws(AiboxError) -> Lists {
        do throws(AllowListProblems) {
            let own = try wish.rules.list()
            guard let learn, wish.learnsUntil != nil, !wish.hasEnded else { return Lists(own: own, served: own) }
            return Lists(own: own, served: try wish.rules.list(over: learn.allow))
        } catch {
            throw error.asError
        }
    }

    private func hold(_ wish: Wish, _ lists: Lists) {
        if let learn, let until = wish.learnsUntil {
            service.use(lists.own, learned: (lists.served, learn.policy, until))
        } else {
            service.use(lists.own)
        }
        let rules = wish.rules
        state.withLock { state in
            state.wish = wish
            state.timer?.cancel()
            state.timer = rules.nextEnd.map { end in
                let left = max(0, ContinuousClock.now.duration(to: end).milliseconds)
                return loop.scheduleTask(in: .milliseconds(Int64(left) + 1)) { self.endWhatIsOver() }
            }
        }
    }

    private func endWhatIsOver() {
        let now = ContinuousClock.now
        _ = enqueue("the time of an addition is over", isTighter: true) { wish throws(AiboxError) in
            wish.rules.endAdditions(now)
        }
        _ = enqueue("the time of a denial is over", isTighter: false) { wish throws(AiboxError) in
            wish.rules.endDenials(now)
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
