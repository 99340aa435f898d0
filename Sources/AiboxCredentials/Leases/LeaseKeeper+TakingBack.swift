import AiboxSystem
import AiboxWire

/// What is lent no more: taken from the sandbox first, then revoked in Vault; what cannot be revoked now stays in the journal and is
/// tried again.
extension LeaseKeeper {
    func takeBack(_ item: LeaseSchedule.Item, reason: String) throws(AiboxError) {
        _ = try outlet.tell(CredentialChange(name: item.name, lease: .init(reason: reason)))
        drop(item)
    }

    /// The policy's time is over: the gateway refuses it already.
    func end(_ name: String) throws(AiboxError) {
        if let item = schedule[name] { drop(item) }
    }

    /// Takes everything from the sandbox, as far as its gateway still answers.
    public func takeBackAll(reason: String) {
        for item in schedule.items { try? takeBack(item, reason: reason) }
    }

    func drop(_ item: LeaseSchedule.Item) {
        if case .dynamic(let id, let term) = item.kind {
            schedule.retired.append(.init(id: id, end: term.end, next: outlet.now()))
        }
        schedule[item.name] = nil
        stored[item.name] = nil
        entries[item.name] = nil
        journal.kept.removeAll { $0 == item.name }
    }

    /// Revokes what nobody got; what cannot be revoked now stays in the journal and is tried again.
    func discard(_ id: String) {
        do throws(AiboxError) {
            try live().revoke(id)
            revocation("it could not be used").revoked(&journal, lease: id)
            try? write()
        } catch {
            let end = journal.leases.first { $0.id == id }?.expires
            schedule.retired.append(.init(id: id, end: Double(end ?? 0), next: outlet.now() + 1))
        }
    }

    func revokeRetired(_ id: String) throws(AiboxError) {
        if let session = former[id] {
            if isInUse(accessor: id) { return schedule.postpone(id, now: outlet.now()) }
            let revocation = revocation("replaced")
            // Where Vault permits that: a login's end may only queue them.
            for lease in journal.leases where lease.accessor == id {
                if (try? live().revoke(lease.id)) != nil { revocation.revoked(&journal, lease: lease.id) }
            }
            // What it was shown with may have ended before it: then another login's word ends it.
            do throws(AiboxError) { try session.end() } catch { try live().revoke(accessor: id) }
            former[id] = nil
            revocation.revoked(&journal, id)
        } else if journal.leases.contains(where: { $0.id == id }) {
            try live().revoke(id)
            revocation("replaced").revoked(&journal, lease: id)
        }
        schedule.retired.removeAll { $0.id == id }
    }

    /// Whether what is lent now was made with that login.
    func isInUse(accessor: String) -> Bool {
        schedule.items.contains { item in
            guard case .dynamic(let id, _) = item.kind else { return false }
            return journal.leases.contains { $0.id == id && $0.accessor == accessor }
        }
    }

    // MARK: The end

    /// Revokes everything that is held; nothing is lent any more when this is called.
    ///
    /// - Returns: nil if nothing is left, and the journal is gone with it; else the seconds after which to try again.
    public func settle(reason: String) -> Double? {
        (stored, entries) = ([:], [:])
        schedule = LeaseSchedule()
        journal.isEnding = true
        journal.kept = []
        // They end by themselves.
        if !settings.revokesOnStop, reason == Self.stopped { (journal.tokens, journal.leases) = ([], []) }
        try? write()
        let revocation = revocation(reason)
        endLogins(revocation)
        do throws(AiboxError) {
            try revocation.run(&journal)
            try revocation.tell(&journal)
            try journals.remove(name)
            return nil
        } catch {
            return later(error)
        }
    }

    /// With each login itself, which needs the least rights for that. One that Vault does not end now is kept for the next try.
    private func endLogins(_ revocation: LeaseRevocation) {
        if journal.isSettled { return }
        // Lease by lease first: of a login that ends Vault may only queue them.
        if let session, revocation.revokeLeases(&journal, session).isSilent { return }
        for (id, login) in former where end(login, id, revocation) { former[id] = nil }
        if let session, end(session, accessor, revocation) { self.session = nil }
    }

    /// - Returns: whether it is of no use any more: ended now, or refused everything.
    private func end(_ login: VaultClient.Session, _ id: String, _ revocation: LeaseRevocation) -> Bool {
        do throws(AiboxError) { try login.end() } catch {
            return error.why?.hasPrefix("permission denied") == true
        }
        if !id.isEmpty { revocation.revoked(&journal, id) }
        return true
    }

    func later(_ error: AiboxError) -> Double {
        if journal.since == nil {
            journal.since = Int64(outlet.now())
            if !journal.isSettled {
                try? outlet.record(
                    LeaseEvent(.notRevoked, journal.leases.first?.name ?? settings.sandbox, reason: error.reason))
            }
        }
        journal.trouble = String(error.reason.prefix(300))
        pauses += 1
        let pause = LeaseTerm.pause(after: pauses, chance: outlet.chance())
        journal.next = Int64(outlet.now() + pause)
        try? write()
        return pause
    }
}
