import AiboxSystem
import Synchronization

/// Whether the sandbox is connected. What cuts it off closes every door; only a person's command opens them again.
final class Containment: Sendable {
    private struct State {
        var reason: String?
        var closing: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())
    private let audit: GatewayAudit
    private let log: GatewayLog

    init(audit: GatewayAudit, log: GatewayLog) {
        self.audit = audit
        self.log = log
    }

    /// Why the sandbox is cut off, shortened to what a person takes in; nil while it is connected.
    var reason: String? {
        guard let full = state.withLock({ $0.reason }) else { return nil }
        let findings = full.split(separator: "; ")
        let more = findings.count > 4 ? "; and \(findings.count - 3) more" : ""
        return findings.prefix(more.isEmpty ? 4 : 3).joined(separator: "; ") + more
    }

    /// Names work for the moment of a cut: closing what is open.
    func whenCut(_ close: @escaping @Sendable () -> Void) { state.withLock { $0.closing.append(close) } }

    /// The cable is down already: what is left is to close the connections, and to tell.
    func isCut(layer: String, reason: String) {
        let closing = state.withLock { state -> [@Sendable () -> Void]? in
            if state.reason != nil { return nil }
            state.reason = reason
            return state.closing
        }
        guard let closing else { return }
        for close in closing { close() }
        log.error("the sandbox is cut off", ["layer": layer, "reason": reason])
        audit.cutOff(layer: layer, reason: reason)
    }

    /// The holder connected the cable again.
    func isRepaired() {
        state.withLock { $0.reason = nil }
        log.info("the sandbox is connected again")
    }
}
