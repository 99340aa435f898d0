/// Counts what each rule's destinations were asked for, and says when it is enough.
public struct EgressLimits: Sendable {
    private struct Use: Sendable {
        /// Requests that may be made now; refilled evenly over the minute.
        var tokens: Double
        var refilled: ContinuousClock.Instant
        var connections = 0
    }

    private var uses: [String: Use] = [:]

    public init() {}

    /// Takes one request of `grant`'s rule.
    ///
    /// - Returns: the refusal, or nil if it may go on; then `ended` has to be called once at its end.
    public mutating func begin(_ grant: EgressGrant, now: ContinuousClock.Instant) -> EgressDenial? {
        guard let limit = grant.rateLimit else { return nil }
        let capacity = limit.requestsPerMinute.map(Double.init)
        var use = uses[grant.rule] ?? Use(tokens: capacity ?? 0, refilled: now)
        if let connections = limit.connections, use.connections >= connections {
            return refusal(.tooManyConnections, grant, "\(connections) connections are open already")
        }
        if let capacity {
            let passed = use.refilled.duration(to: now) / .seconds(60)
            use.tokens = min(capacity, use.tokens + max(0, passed) * capacity)
            use.refilled = now
            guard use.tokens >= 1 else {
                uses[grant.rule] = use
                return refusal(.rateLimited, grant, "more than \(Int(capacity)) requests in a minute")
            }
            use.tokens -= 1
        }
        use.connections += 1
        uses[grant.rule] = use
        return nil
    }

    public mutating func ended(_ grant: EgressGrant) {
        guard grant.rateLimit != nil, var use = uses[grant.rule] else { return }
        use.connections = max(0, use.connections - 1)
        uses[grant.rule] = use
    }

    private func refusal(_ code: EgressDenial.Code, _ grant: EgressGrant, _ reason: String) -> EgressDenial {
        EgressDenial(
            code, rule: grant.rule, layer: grant.layer, reason: reason, nextSteps: ["Wait, and ask less often."])
    }
}
