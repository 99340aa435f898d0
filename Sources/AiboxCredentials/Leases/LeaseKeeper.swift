public import AiboxConfig
import AiboxCrypto
public import AiboxSystem
public import AiboxWire
import Glibc

/// Keeps what one sandbox is lent from Vault: prolongs it, replaces what cannot be prolonged, takes back what is deleted there,
/// and revokes it all at the end. Every lease is in the journal before its secret is used. One thread alone.
public final class LeaseKeeper {
    /// The world beside Vault.
    public struct Outlet {
        /// Hands a change to the gateway; false: it was not lent it.
        public var tell: (CredentialChange) throws(AiboxError) -> Bool
        /// Writes into the audit log.
        public var record: (LeaseEvent) throws(AiboxError) -> Void
        /// Seconds since 1970.
        public var now: () -> Double
        /// Seconds of a clock that nobody sets, and that goes on while the machine sleeps.
        public var steady: () -> Double
        /// A random number of 0 ..< 1.
        public var chance: () -> Double

        public init(
            tell: @escaping (CredentialChange) throws(AiboxError) -> Bool,
            record: @escaping (LeaseEvent) throws(AiboxError) -> Void,
            now: @escaping () -> Double = {
                let now = Timestamp.now
                return Double(now.seconds) + Double(now.nanoseconds) / 1e9
            },
            steady: @escaping () -> Double = { Self.sinceBoot() },
            chance: @escaping () -> Double = { Double.random(in: 0..<1) }
        ) {
            self.tell = tell
            self.record = record
            self.now = now
            self.steady = steady
            self.chance = chance
        }

        /// clock_gettime(2), CLOCK_BOOTTIME.
        public static func sinceBoot() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_BOOTTIME, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
    }

    var vault: VaultStore
    let settings: LeaseKeeperSettings
    let outlet: Outlet
    let journals: LeaseJournals
    let name: String
    /// Held for life.
    let lock: FileLock
    var journal: LeaseJournal
    var schedule = LeaseSchedule()
    var session: VaultClient.Session?
    /// Of `session`, if a login of aibox's made it; empty if not.
    var accessor = ""
    /// Logins that were replaced, until their leases are revoked.
    var former: [String: VaultClient.Session] = [:]
    var stored: [String: StoredCredential] = [:]
    /// What KV held when it was last looked at.
    var entries: [String: VaultEntry] = [:]
    var pauses = 0
    /// Whether the login could ask about itself: only then does a refusal of that mean that it is gone.
    var canLookUp = false
    var loggedIn: Double = 0
    /// How often in a row a login was taken for gone, and another made.
    var losses = 0
    /// Another is to be made, as soon as the pause is over.
    var isReplacing = false
    /// When Vault began not to prolong what is lent.
    var since: Int64?
    var isSilent = false
    /// The time of day less the steady clock's: falls when the time of day is set back.
    var offset: Double

    /// - Throws: if the settings are no Vault's, or the journal cannot be held.
    public init(_ settings: LeaseKeeperSettings, paths: Paths, outlet: Outlet) throws(AiboxError) {
        let credentials = try Configuration.Credentials(texts: settings.vault.credentials)
        var vault = try VaultStore(credentials, paths: paths)
        // Whoever waits for Vault does not see its sandbox end.
        vault.client.exchange.timeout = Self.patience
        self.vault = vault
        self.settings = settings
        self.outlet = outlet
        offset = outlet.now() - outlet.steady()
        journals = LeaseJournals(folder: settings.vault.folder, keyPath: settings.vault.key)
        name = LeaseJournals.name(sandbox: settings.sandbox, session: settings.vault.audit.session)
        guard let lock = try journals.take(name) else {
            throw AiboxError(.failed, "cannot keep leases of \(settings.sandbox)", why: "another keeper does already")
        }
        self.lock = lock
        journal = LeaseJournal(
            sandbox: settings.sandbox, session: settings.vault.audit.session, address: credentials.vaultAddress,
            namespace: credentials.vaultNamespace)
    }

    // MARK: Beginning

    /// Logs in and reads what is to be lent. After a failure, `settle` takes back what was made.
    public func begin() throws(AiboxError) -> [CredentialChange] {
        try logIn()
        var changes: [CredentialChange] = []
        for (text, until) in settings.lent.sorted(by: { $0.key < $1.key }) {
            let name = try CredentialName(text)
            let item = LeaseSchedule.Item(
                name: text, until: Double(until), kind: .fixed, look: outlet.now())
            schedule[text] = item
            guard let entry = try vault.entry(name, try live()) else {
                schedule[text] = nil
                changes.append(CredentialChange(name: text))
                continue
            }
            entries[text] = entry
            schedule.looked(text, now: outlet.now(), chance: outlet.chance())
            switch entry.source {
            case .fixed(let secret): stored[text] = StoredCredential(entry.credential, secret)
            case .dynamic(let dynamic): _ = try make(entry.credential, dynamic, isFirst: true)
            }
            if let change = try stored[text]?.change(modelGateway: settings.modelGateway) { changes.append(change) }
        }
        journal.kept = schedule.items.map(\.name)
        try write()
        return changes
    }

    /// Tells the gateway, which is up now, when each lease ends.
    public func confirm() throws(AiboxError) {
        for item in schedule.items { try tellEnd(item) }
    }

    // MARK: Going on

    /// Seconds until something is due; nil: nothing is kept any more.
    public var pause: Double? { schedule.next.map { max(0, $0 - outlet.now()) } }

    /// Whether anything is lent.
    public var isEmpty: Bool { schedule.items.isEmpty }

    /// Does what is due, once.
    public func work() {
        followClock()
        guard let work = schedule.due(now: outlet.now()) else { return }
        do throws(AiboxError) {
            try perform(work)
            try recover()
        } catch {
            failed(work, error)
        }
        tellUntold()
        journal.next = schedule.next.map { Int64($0) }
        try? write()
    }

    func perform(_ work: LeaseSchedule.Work) throws(AiboxError) {
        switch work {
        case .renewToken: try renewToken()
        case .replaceToken: try replaceToken()
        case .renew(let name): try renew(name)
        case .replace(let name), .over(let name): try follow(name, isToBeMade: true)
        case .look(let name): try follow(name, isToBeMade: false)
        case .end(let name): try end(name)
        case .revoke(let id): try revokeRetired(id)
        }
    }

    /// A time of day that is set back makes nothing live longer: all ends move with it. One that is set forward makes all of it look
    /// older, and so replaced too early, which does no harm; time that a stopped machine did not see looks the same.
    private func followClock() {
        let offset = outlet.now() - outlet.steady()
        let back = self.offset - offset
        // Clocks are also slowed down a little, and that adds up.
        if back >= 0, back < 1 { return }
        self.offset = offset
        if back < 0 { return }
        schedule.setBack(by: back)
        loggedIn -= back
        let seconds = Int64(back.rounded(.up))
        for index in journal.leases.indices { journal.leases[index].expires -= seconds }
        for index in journal.tokens.indices { journal.tokens[index].expires? -= seconds }
        try? write()
        for item in schedule.items { try? tellEnd(item) }
    }

    func write() throws(AiboxError) { try journals.write(journal, name) }

    func revocation(_ reason: String) -> LeaseRevocation {
        LeaseRevocation(
            client: vault.client, now: outlet.now(), record: outlet.record, reason: reason)
    }

    /// For each step of an exchange with Vault.
    static let patience = Duration.seconds(5)

    /// Why leases are revoked when a sandbox ends.
    public static let stopped = "the sandbox ended"
}
