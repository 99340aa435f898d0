public import AiboxConfig
import AiboxCrypto
public import AiboxSystem
public import AiboxWire

/// Takes back what keepers that died left in their journals.
public final class LeaseRecovery {
    private let settings: LeaseRevocationSettings
    private let credentials: Configuration.Credentials
    private let vault: VaultStore
    private let journals: LeaseJournals
    /// Held until they are settled.
    private var held: [String: (lock: FileLock, journal: LeaseJournal, failures: Int)] = [:]

    public init(_ settings: LeaseRevocationSettings, paths: Paths) throws(AiboxError) {
        self.settings = settings
        credentials = try Configuration.Credentials(texts: settings.credentials)
        var vault = try VaultStore(credentials, paths: paths)
        vault.client.exchange.timeout = LeaseKeeper.patience
        self.vault = vault
        journals = LeaseJournals(folder: settings.folder, keyPath: settings.key)
    }

    /// Takes every journal that nobody holds and that is about the Vault of the settings: to another, no login is sent. Of which all
    /// has ended by itself needs none.
    public func begin() throws(AiboxError) {
        for entry in try journals.entries() where !entry.isAlive {
            guard let lock = try journals.take(entry.name) else { continue }
            let past = Double(Timestamp.now.seconds) - LeaseRevocation.doubt
            guard case .success = entry.journal, let journal = try journals.read(entry.name),
                journal.hasEnded(by: past)
                    || isOurs(journal)
            else {
                lock.release()
                continue
            }
            held[entry.name] = (lock, journal, 0)
        }
    }

    private func isOurs(_ journal: LeaseJournal) -> Bool {
        journal.address == credentials.vaultAddress && journal.namespace == credentials.vaultNamespace
    }

    /// Tries each once.
    ///
    /// - Parameter record: writes into the audit log, for the session of the stay that it is about.
    /// - Returns: seconds until the next try; nil: nothing is left.
    public func work(record: (LeaseEvent, _ sandbox: String, _ session: String) throws(AiboxError) -> Void) -> Double? {
        for (name, item) in held {
            var (lock, journal, failures) = item
            let now = Double(Timestamp.now.seconds)
            journal.isEnding = true
            let (sandbox, session) = (journal.sandbox, journal.session)
            let isFirst = journal.since == nil
            do throws(AiboxError) {
                try withoutActuallyEscaping(record) { (record) throws(AiboxError) in
                    let revocation = LeaseRevocation(
                        client: vault.client, now: now,
                        record: { (event) throws(AiboxError) in try record(event, sandbox, session) },
                        reason: "its keeper had died")
                    try revocation.run(&journal, asks: isOurs(journal))
                    try revocation.tell(&journal)
                }
                try journals.remove(name)
                held[name] = nil
                lock.release()
            } catch {
                failures += 1
                if isFirst {
                    journal.since = Int64(now)
                    // The journal tells it as well, and keeps what is not told.
                    if !journal.isSettled {
                        try? record(
                            LeaseEvent(.notRevoked, journal.leases.first?.name ?? sandbox, reason: error.reason),
                            sandbox, session)
                    }
                }
                journal.trouble = String(error.reason.prefix(300))
                try? journals.write(journal, name)
                held[name] = (lock, journal, failures)
            }
        }
        return held.values.map(\.failures).max().map { LeaseTerm.pause(after: $0, chance: .random(in: 0..<1)) }
    }
}
