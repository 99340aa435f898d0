import AiboxSystem

/// Takes back what a journal names.
struct LeaseRevocation {
    let client: VaultClient
    let now: Double
    /// Told of each lease that is no more. Taking back comes first: what cannot be written stays in the journal (`tell`).
    let record: (LeaseEvent) throws(AiboxError) -> Void
    let reason: String

    /// Seconds for which a lease that should have ended is still taken for alive: two clocks differ.
    static let doubt: Double = 60

    /// With a login of its own, if anything is left. What is done is out of the journal, however it ends.
    ///
    /// Also what should have ended is tried once: by this machine's clock alone nothing is said to be gone.
    ///
    /// - Parameter asks: false for another Vault's journal: no login is sent.
    func run(_ journal: inout LeaseJournal, asks: Bool = true) throws(AiboxError) {
        if journal.isSettled { return }
        var left = journal
        defer { journal = left }
        do throws(AiboxError) {
            guard asks else {
                throw AiboxError(.failed, "cannot revoke leases of Vault", why: "they are another Vault's")
            }
            try client.session { (session) throws(AiboxError) in
                if let failure = revoke(&left, session) { throw failure }
            }
        } catch {
            forget(&left)
            if !left.isSettled { throw error }
        }
    }

    /// Lease by lease, and then each login: of one that ends Vault may only queue them.
    private func revoke(_ journal: inout LeaseJournal, _ session: VaultClient.Session) -> AiboxError? {
        let first = revokeLeases(&journal, session)
        if first.isSilent { return first.failure }
        var failure: AiboxError?
        for token in journal.tokens {
            do throws(AiboxError) {
                try session.revoke(accessor: token.accessor)
                revoked(&journal, token.accessor)
            } catch { failure = failure ?? error }
        }
        // A lease that went with its login is no failure.
        return failure ?? (journal.leases.isEmpty ? nil : first.failure)
    }

    /// - Returns: what went wrong first, and whether Vault does not answer at all: then no other is tried.
    func revokeLeases(
        _ journal: inout LeaseJournal, _ session: VaultClient.Session
    ) -> (failure: AiboxError?, isSilent: Bool) {
        var failure: AiboxError?
        for lease in journal.leases {
            do throws(AiboxError) {
                try session.revoke(lease.id)
                revoked(&journal, lease: lease.id)
            } catch {
                if error.what == VaultClient.silence { return (error, true) }
                failure = failure ?? error
            }
        }
        return (failure, false)
    }

    /// Out of the journal with a login, and the leases that went with it.
    func revoked(_ journal: inout LeaseJournal, _ accessor: String) {
        journal.tokens.removeAll { $0.accessor == accessor }
        for lease in journal.leases where lease.accessor == accessor { revoked(&journal, lease: lease.id) }
    }

    /// Out of the journal with a lease; nothing for one that is not there.
    func revoked(_ journal: inout LeaseJournal, lease id: String) {
        guard let lease = journal.leases.first(where: { $0.id == id }) else { return }
        gone(&journal, lease, reason)
    }

    private func gone(_ journal: inout LeaseJournal, _ lease: LeaseJournal.Lease, _ reason: String) {
        journal.leases.removeAll { $0.id == lease.id }
        do throws(AiboxError) {
            try record(LeaseEvent(.revoked, lease.name, lease: lease.id, reason: reason))
        } catch {
            journal.untold.append(.init(name: lease.name, lease: lease.id, reason: reason, time: Int64(now)))
            if journal.untold.count > LeaseJournal.untoldLimit {
                journal.untold.removeFirst()
                journal.untoldMore += 1
            }
        }
    }

    /// Tells what the audit log could not be told before. What was told is out of the journal, however it ends.
    func tell(_ journal: inout LeaseJournal) throws(AiboxError) {
        while let item = journal.untold.first {
            let more = journal.untoldMore
            let words = more == 0 ? "" : "; of \(more) before it nothing is known any more"
            let time = Timestamp(seconds: item.time).rfc3339
            do throws(AiboxError) {
                try record(
                    LeaseEvent(
                        .revoked, item.name, lease: item.lease,
                        reason: "\(item.reason), at \(time), when it could not be written down\(words)"))
            } catch {
                let count = Int64(journal.untold.count) + more
                throw AiboxError(
                    .failed, "\(count) \(count == 1 ? "revocation is" : "revocations are") not in the audit log",
                    why: error.reason, remedy: error.remedy)
            }
            journal.untold.removeFirst()
            journal.untoldMore = 0
        }
    }

    /// Out of the journal with what has ended by itself.
    private func forget(_ journal: inout LeaseJournal) {
        let past = now - Self.doubt
        journal.tokens.removeAll { $0.expires.map { Double($0) < past } ?? false }
        for lease in journal.leases where Double(lease.expires) < past {
            gone(&journal, lease, "it ended by itself")
        }
    }
}
