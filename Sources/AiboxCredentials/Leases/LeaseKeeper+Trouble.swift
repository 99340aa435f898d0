import AiboxSystem
import AiboxWire

/// What goes wrong: tried again later, told to the gateway and written down once, and told again when it is over.
extension LeaseKeeper {
    /// What the broker says once a lease has ended.
    var note: String? {
        since.map {
            let time = Timestamp(seconds: $0).local
            return isSilent
                ? "Vault has not answered since \(time), and the secret that it had lent has ended"
                : "Vault has not prolonged the secret since \(time), and it has ended"
        }
    }

    func failed(_ work: LeaseSchedule.Work, _ error: AiboxError) {
        let (now, chance) = (outlet.now(), outlet.chance())
        var name = settings.sandbox
        switch work {
        case .renewToken, .replaceToken: schedule.token?.failed(now: now, chance: chance)
        case .renew(let text), .replace(let text), .over(let text), .look(let text), .end(let text):
            name = text
            if case .look = work {
                schedule.failedToLook(text, now: now, chance: chance)
            } else {
                schedule.failed(text, now: now, chance: chance)
            }
            if isLost(error) {
                if schedule.token == nil {
                    schedule.token = LeaseTerm(seconds: 3600, isRenewable: false, now: now, chance: chance)
                }
                if now - loggedIn > 4 * LeaseSchedule.lossPause(losses) { losses = 0 }
                schedule.token?.cannotBeRenewed(now: max(now, loggedIn + LeaseSchedule.lossPause(losses)))
                losses += 1
                isReplacing = true
            }
        case .revoke(let id):
            if let index = schedule.retired.firstIndex(where: { $0.id == id }) {
                schedule.retired[index].failures += 1
                schedule.retired[index].next =
                    now + LeaseTerm.pause(after: schedule.retired[index].failures, chance: chance)
                if now > schedule.retired[index].end + LeaseRevocation.doubt {
                    schedule.retired.remove(at: index)
                    // A login stays in the journal, with its leases: the end looks after it.
                    former[id] = nil
                    revocation("it ended by itself").revoked(&journal, lease: id)
                }
            }
        }
        journal.trouble = String(error.reason.prefix(300))
        if case .revoke(let id) = work {
            if journal.since == nil {
                let lease = journal.leases.first { $0.id == id }
                try? outlet.record(LeaseEvent(.notRevoked, lease?.name ?? name, lease: lease?.id, reason: error.reason))
            }
        } else {
            let isInTrouble = ["it is sealed", "it answered with status 5"].contains {
                error.why?.hasPrefix($0) == true
            }
            isSilent = error.what == VaultClient.silence || isInTrouble
            if since == nil {
                since = Int64(now)
                try? outlet.record(LeaseEvent(.failed, name, reason: error.reason))
                for item in schedule.items { try? tellEnd(item) }
            }
        }
        journal.since = journal.since ?? Int64(now)
    }

    /// Whose login is gone is refused everything, and even to ask about itself, which it could before: another login.
    func isLost(_ error: AiboxError) -> Bool {
        guard canLookUp, error.why?.hasPrefix("permission denied") == true, let session else { return false }
        // It is to be replaced already.
        if isReplacing { return false }
        do throws(AiboxError) { _ = try session.lookUp() } catch {
            return error.why?.hasPrefix("permission denied") == true
        }
        return false
    }

    /// Vault answers again: whoever was told otherwise is told.
    func recover() throws(AiboxError) {
        let isFailing =
            (schedule.token?.failures ?? 0) > 0
            || schedule.items.contains { item in
                if case .dynamic(_, let term) = item.kind, term.failures > 0 { return true }
                return item.failures > 0
            }
        if isFailing { return }
        if since != nil {
            since = nil
            for item in schedule.items { try tellEnd(item) }
        }
        if schedule.retired.contains(where: { $0.failures > 0 }) || !journal.untold.isEmpty { return }
        (journal.since, journal.trouble) = (nil, nil)
    }

    /// Revocations that happened, though the audit log could not be told: told now, or `auth status` says that they are not.
    func tellUntold() {
        if journal.untold.isEmpty { return }
        do throws(AiboxError) { try revocation("").tell(&journal) } catch {
            journal.trouble = String(error.reason.prefix(300))
            journal.since = journal.since ?? Int64(outlet.now())
        }
    }
}
