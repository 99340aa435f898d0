import AiboxNetwork
import AiboxSystem
import AiboxWire
import NIOCore

/// What follows the decision: one upstream is asked, or the next one where it cannot be.
extension LLMConnection {
    func connect(_ base: UpstreamBase, id: String) {
        guard let exchange = request else { return }
        // Reading and deciding took time.
        if let refusal = exchange.grant.flatMap({ service.end(of: $0) }) { return refuse(refusal) }
        request?.base = base
        pool.carrier(base, exchange.configuration.connector, isFresh: exchange.isRepeated) { result in
            guard self.phase == .deciding, self.request?.record.id == id else {
                // The client has gone meanwhile.
                if case .success(let carrier) = result { carrier.abandon() }
                return
            }
            switch result {
            case .success(let carrier): self.ask(carrier, base)
            case .failure(let error):
                let error = error as? AiboxError
                // What may not be reached, or is not who it should be, is a reason to stop, not to try one's luck.
                let isSuspect = error.map { $0.code == .denied || $0.isDistrust } ?? false
                if isSuspect { self.request?.others = [] } else { self.pool.circuit.failed(base) }
                self.passOver("cannot ask \(base.host): \(error?.reason ?? "it cannot be reached")")
            }
        }
    }

    private func ask(_ carrier: any UpstreamCarrier, _ base: UpstreamBase) {
        guard let exchange = request, let route = exchange.route, let grant = exchange.grant else { return }
        let asked: UpstreamRequest
        do throws(AiboxError) {
            asked = try ForwardedRequest.request(
                route, method: exchange.head.method, grant, base, fields: exchange.head.fields,
                identity: service.identity, body: exchange.head.method == "POST" ? exchange.body : nil)
        } catch {
            carrier.abandon()
            return refuse(.upstream(error))
        }
        request?.begun = .now
        request?.wasSent = true
        phase = .answering
        upstream = carrier
        link.progressed()
        watch()
        carrier.ask(asked, body: exchange.body, isWhole: true, for: self)
    }

    /// Asks once more, on another connection, for what the server has not begun with (RFC 9113 section 8.7); then the next one.
    func askAgain(_ refusal: BrokerRefusal) {
        guard let exchange = request, let base = exchange.base else { return }
        request?.wasSent = false
        if exchange.isRepeated {
            pool.circuit.failed(base)
            return passOver("cannot ask \(base.host): \(refusal.reason)")
        }
        request?.isRepeated = true
        link.stopTimer()
        phase = .deciding
        connect(base, id: exchange.record.id)
    }

    /// Takes note of a status. Where it says that the server has no room for the request, the next one is asked.
    ///
    /// - Returns: whether the answer is the one for the client.
    func isFinal(_ status: Int) -> Bool {
        guard let exchange = request, let base = exchange.base else { return true }
        guard UpstreamCircuit.isTrouble(status) else {
            pool.circuit.works(base)
            return true
        }
        pool.circuit.failed(base)
        if exchange.others.isEmpty || !UpstreamCircuit.isRefusal(status) { return true }
        upstream?.abandon()
        upstream = nil
        var record = exchange.record
        record.payload = nil
        service.audit.note(
            record.answered(
                status: status, bytes: 0, usage: nil, micros: nil, digest: nil, redactions: 0,
                after: exchange.begun.duration(to: .now), isComplete: false))
        request?.wasSent = false
        passOver("\(base.host) answered \(status)")
        return false
    }

    /// Leaves an upstream that has done nothing with the request.
    private func passOver(_ why: String) {
        request?.failures.append(why)
        link.stopTimer()
        phase = .deciding
        tryNext()
    }

    private func tryNext() {
        guard let exchange = request else { return }
        guard let next = exchange.others.first else {
            let reason = exchange.failures.joined(separator: "; ")
            return refuse(BrokerRefusal(kind: .upstream, rule: "llm.upstream", reason: reason, retryAfter: 1))
        }
        request?.others.removeFirst()
        request?.isRepeated = false
        func goOn() {
            request?.record.provider = next.host
            request?.record.reason = exchange.failures.last
            record(next)
        }
        if exchange.said == nil { return goOn() }
        judge(next) { ruling in
            if ruling.isAllowed { return goOn() }
            self.request?.failures.append("the policy does not permit \(next.host): \(ruling.reason)")
            self.tryNext()
        }
    }
}
