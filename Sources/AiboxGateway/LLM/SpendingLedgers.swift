import AiboxSystem
import AiboxWire

/// What a user's sandboxes have spent on language models today, and what this one has: what is taken is taken from both.
final class SpendingLedgers: Sendable {
    private let user: SpendingLedger
    /// nil: it is not counted by itself.
    private let sandbox: SpendingLedger?

    init(user: SpendingLedger, sandbox: SpendingLedger?) {
        self.user = user
        self.sandbox = sandbox
    }

    /// Opens the files that a gateway was told of; nil where it was told of none.
    convenience init?(_ settings: GatewaySettings) throws(AiboxError) {
        guard let path = settings.ledger else { return nil }
        let sandbox = try settings.sandboxLedger.map { path throws(AiboxError) in
            try Folder.makePrivate(Path.parent(path))
            return try SpendingLedger(path, of: .sandbox)
        }
        self.init(user: try SpendingLedger(path), sandbox: sandbox)
    }

    /// Takes what a request may cost.
    ///
    /// - Parameter second: since 1970.
    /// - Returns: the ruling, with the day that it was taken from.
    func take(_ amount: LLMAmount, _ limits: BrokerPlan.Limits, at second: Int64) throws(AiboxError) -> LLMRuling {
        guard let sandbox else {
            if limits.areDailyOfSandbox {
                throw AiboxError(.failed, "there is no ledger of this sandbox")
            }
            return try user.take(amount, limits, at: second)
        }
        // Nobody else takes from this one: what is given back again kept nobody out.
        let own = try sandbox.take(amount, limits, at: second)
        guard own.isAllowed, let day = own.day else { return own }
        let back = LLMSettlement(day: day, taken: amount, cost: LLMAmount())
        let ruling: LLMRuling
        do throws(AiboxError) { ruling = try user.take(amount, limits, at: second) } catch {
            try? sandbox.settle(back, at: second)
            throw error
        }
        if !ruling.isAllowed { try sandbox.settle(back, at: second) }
        return ruling
    }

    /// Puts what a request cost in the place of what was taken for it.
    ///
    /// - Parameter second: since 1970.
    func settle(_ settlement: LLMSettlement, at second: Int64) throws(AiboxError) {
        // One that cannot be written does not keep the other from it.
        let own = Result { () throws(AiboxError) in try sandbox?.settle(settlement, at: second) }
        try user.settle(settlement, at: second)
        try own.get()
    }

    /// Syncs what is not synced yet: nothing comes any more.
    func end() {
        sandbox?.end()
        user.end()
    }
}
