import AiboxSystem

/// Takes back what a journal names.
struct LeaseRevocation {
    let client: VaultClient
    let now: Double
    /// Told of each lease that is no more; what it throws changes nothing: taking back comes first.
    let record: (LeaseEvent) -> Void
    let reason: String

    /// Seconds for which a lease that should have ended is still taken for alive: two clocks differ.
    static let doubt: Double = 60

    /// With a login of its own, if anything is left. What is done is out of the journal, however it ends.
    func run(_ journal: inout LeaseJournal) throws(AiboxError) {
        forget(&journal)
        if journal.isSettled { return }
        var left = journal
        defer { journal = left }
        try client.session { (session) throws(AiboxError) in
            if let failure = revoke(&left, session) { throw failure }
        }
    }

    /// Login by login, and where Vault does not permit that, lease by lease.
    private func revoke(_ journal: inout LeaseJournal, _ session: VaultClient.Session) -> AiboxError? {
        var failure: AiboxError?
        for token in journal.tokens {
            do throws(AiboxError) {
                try session.revoke(accessor: token.accessor)
                revoked(&journal, token.accessor)
            } catch { failure = failure ?? error }
        }
        for lease in journal.leases {
            do throws(AiboxError) {
                try session.revoke(lease.id)
                revoked(&journal, lease)
            } catch { failure = failure ?? error }
        }
        return failure
    }

    /// Out of the journal with a login, and the leases that went with it.
    func revoked(_ journal: inout LeaseJournal, _ accessor: String) {
        journal.tokens.removeAll { $0.accessor == accessor }
        for lease in journal.leases where lease.accessor == accessor { revoked(&journal, lease) }
    }

    private func revoked(_ journal: inout LeaseJournal, _ lease: LeaseJournal.Lease) {
        journal.leases.removeAll { $0.id == lease.id }
        record(LeaseEvent(.revoked, lease.name, lease: lease.id, reason: reason))
    }

    /// Out of the journal with what has ended by itself.
    private func forget(_ journal: inout LeaseJournal) {
        let past = now - Self.doubt
        journal.tokens.removeAll { $0.expires.map { Double($0) < past } ?? false }
        for lease in journal.leases where Double(lease.expires) < past {
            journal.leases.removeAll { $0.id == lease.id }
            record(LeaseEvent(.revoked, lease.name, lease: lease.id, reason: "it ended by itself"))
        }
    }
}
