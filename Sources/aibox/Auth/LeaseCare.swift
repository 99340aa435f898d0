import AiboxConfig
import AiboxContainer
import AiboxCredentials
import AiboxSystem
import AiboxWire
import Glibc

/// Sees to it that nothing of Vault's outlives its sandbox: waits for keepers at a stop, and has revoked what died keepers left.
///
/// Its trouble is told and stops no command.
struct LeaseCare {
    private let global: GlobalOptions
    private let paths: Paths

    init(_ global: GlobalOptions) {
        self.global = global
        paths = global.layers().paths
    }

    private var journals: LeaseJournals { LeaseJournals(folder: paths.leases, keyPath: paths.leaseKey) }

    private func entries() -> [LeaseJournals.Entry] {
        do throws(AiboxError) { return try journals.entries() } catch {
            global.output.note("aibox: \(error.reason)")
            return []
        }
    }

    /// What each sandbox, or this one, holds or left.
    func reports(of sandbox: String? = nil, isOver: Bool = false) -> [LeaseReport] {
        entries().filter { entry in
            guard let sandbox, case .success(let journal) = entry.journal else { return sandbox == nil }
            return journal.sandbox == sandbox
        }.map { LeaseReport($0, isOver: isOver) }
    }

    /// Waits for the keeper of a sandbox that is stopped, five seconds at most.
    func settle(_ sandbox: String) {
        func left() -> [LeaseJournals.Entry] {
            entries().filter { entry in
                guard case .success(let journal) = entry.journal else { return false }
                return journal.sandbox == sandbox && entry.isAlive
            }
        }
        let deadline = ContinuousClock.now + .seconds(5)
        var remaining = left()
        while !remaining.isEmpty, ContinuousClock.now < deadline {
            // One that knows already that Vault does not answer is not waited for.
            let isHopeless = remaining.allSatisfy { entry in
                if case .success(let journal) = entry.journal { return journal.isEnding && journal.since != nil }
                return false
            }
            if isHopeless { break }
            usleep(20_000)
            remaining = left()
        }
    }

    /// Has revoked what died keepers left, and takes it from sandboxes that still have it. Waits two seconds at most; the rest goes
    /// on in the background.
    func sweep() {
        if !File.exists(paths.leases) { return }
        let dead = entries().filter { !$0.isAlive }
        if dead.isEmpty { return }
        do throws(AiboxError) {
            for entry in dead {
                guard case .success(let journal) = entry.journal else {
                    global.output.note("aibox: \(LeaseReport(entry).words)")
                    continue
                }
                // What its gateway has in hand is one thing, what Vault knows another.
                do throws(AiboxError) { try takeBack(journal) } catch {
                    global.output.note("aibox: \(error.description)")
                }
            }
            guard dead.contains(where: { (try? $0.journal.get()) != nil }) else { return }
            let settings = try global.layers().load().configuration.credentials
            guard settings.vaultAddress.hasPrefix("https://"), let context = try? global.context() else {
                throw AiboxError(
                    .failed, "leases of Vault are left of a keeper that died",
                    why: "the settings name no Vault to revoke them at")
            }
            let child = try LeaseKeeperProcess.revoke(
                context.leaseSettings(settings.texts), logFile: paths.logFolder + "/leases.log")
            for _ in 0..<100 {
                if (try? child.poll()) != nil { break }
                usleep(20_000)
            }
            tell(dead)
        } catch {
            global.output.note("aibox: \(error.reason)")
        }
    }

    private func takeBack(_ journal: LeaseJournal) throws(AiboxError) {
        for name in journal.kept {
            var change = CredentialChange(name: name)
            change.lease = CredentialChange.Lease(reason: "the keeper of its leases has died")
            try LentCredential(
                change, database: paths.stateDatabase, sandbox: journal.sandbox, session: journal.session
            ).requireAll()
        }
    }

    private func tell(_ dead: [LeaseJournals.Entry]) {
        let after = entries()
        for entry in dead {
            guard case .success(let journal) = entry.journal else { continue }
            if let left = after.first(where: { $0.name == entry.name }) {
                let elsewhere = left.isAlive ? "" : " (the settings lead to another Vault than \(journal.address))"
                global.output.note("aibox: \(LeaseReport(left).words)\(elsewhere)")
            } else {
                let hasEnded = journal.hasEnded(by: Double(Timestamp.now.seconds))
                let end =
                    journal.isSettled
                    ? "were revoked before, and the audit log knows it now"
                    : hasEnded ? "had ended by themselves" : "are revoked"
                global.output.note("aibox: the keeper of \(journal.sandbox)'s leases had died; they \(end)")
            }
        }
    }
}
