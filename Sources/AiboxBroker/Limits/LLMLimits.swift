import AiboxWire

/// How much the sandbox may still ask: taken before a request is sent, corrected when its cost is known.
struct LLMLimits: Sendable {
    /// What a request took.
    struct Reservation: Sendable, Equatable {
        fileprivate var second: Int64
        var tokens: Int
    }

    private let rules: BrokerPlan.Limits
    private var requests: RateWindow?
    private var tokens: RateWindow?
    /// Tokens of answered requests, earlier stays included.
    private(set) var spent: Int
    /// Tokens of requests under way.
    private(set) var reserved = 0

    init(_ rules: BrokerPlan.Limits) {
        self.rules = rules
        requests = rules.requestsPerMinute.map { RateWindow(limit: $0) }
        tokens = rules.tokensPerMinute.map { RateWindow(limit: $0) }
        spent = rules.spent
    }

    /// The same counts under other rules.
    func under(_ rules: BrokerPlan.Limits) -> LLMLimits {
        var next = LLMLimits(rules)
        if rules.requestsPerMinute == self.rules.requestsPerMinute { next.requests = requests }
        if rules.tokensPerMinute == self.rules.tokensPerMinute { next.tokens = tokens }
        next.spent = max(spent, rules.spent)
        next.reserved = reserved
        return next
    }

    /// Takes a request.
    ///
    /// - Parameters:
    ///   - wish: the tokens that it may cost at most, by estimate.
    ///   - second: of a clock that never goes back.
    mutating func begin(_ wish: Int, at second: Int64) throws(BrokerRefusal) -> Reservation {
        if var window = requests {
            if window.left(at: second) < 1 {
                throw Self.refusal("more than \(window.limit) requests in a minute", window.wait(for: 1, at: second))
            }
            window.add(1, at: second)
            // Kept only if nothing else refuses: see the end.
            try checkTokens(wish, at: second)
            requests = window
        } else {
            try checkTokens(wish, at: second)
        }
        tokens?.add(wish, at: second)
        reserved += wish
        return Reservation(second: second, tokens: wish)
    }

    private mutating func checkTokens(_ wish: Int, at second: Int64) throws(BrokerRefusal) {
        if let budget = rules.tokens, spent + reserved + wish > budget {
            let left = max(0, budget - spent - reserved)
            throw BrokerRefusal(
                kind: .rateLimited, rule: "llm.budget",
                reason: "the budget of \(budget) tokens has \(left) left, and this request may take \(wish)",
                nextSteps: ["Ask for less with max_tokens, or ask who owns the policy for llm.budget_tokens."])
        }
        guard let limit = tokens?.limit, let left = tokens?.left(at: second), left < wish else { return }
        let wait = tokens?.wait(for: wish, at: second)
        throw Self.refusal(
            "\(max(0, left)) of \(limit) tokens a minute are left, and this request may take \(wish)", wait)
    }

    private static func refusal(_ reason: String, _ wait: Int?) -> BrokerRefusal {
        BrokerRefusal(
            kind: .rateLimited, rule: "llm.rate", reason: reason, retryAfter: wait,
            nextSteps: wait == nil ? ["Ask for less with max_tokens."] : ["Wait, and ask less often."])
    }

    /// The request is over.
    ///
    /// - Parameter cost: what it cost in the end; 0 if it never reached the provider.
    mutating func settle(_ reservation: Reservation, cost: Int) {
        reserved -= reservation.tokens
        spent += cost
        tokens?.correct(by: cost - reservation.tokens, at: reservation.second)
    }
}
