public import AiboxConfig
import AiboxCrypto
public import AiboxSystem
public import AiboxWire

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
        /// A random number of 0 ..< 1.
        public var chance: () -> Double

        public init(
            tell: @escaping (CredentialChange) throws(AiboxError) -> Bool,
            record: @escaping (LeaseEvent) throws(AiboxError) -> Void,
            now: @escaping () -> Double = {
                let now = Timestamp.now
                return Double(now.seconds) + Double(now.nanoseconds) / 1e9
            },
            chance: @escaping () -> Double = { Double.random(in: 0..<1) }
        ) {
            self.tell = tell
            self.record = record
            self.now = now
            self.chance = chance
        }
    }

    private let vault: VaultStore
    private let settings: LeaseKeeperSettings
    private let outlet: Outlet
    private let journals: LeaseJournals
    private let name: String
    /// Held for life.
    private let lock: FileLock
    private var journal: LeaseJournal
    private var schedule = LeaseSchedule()
    private var session: VaultClient.Session?
    /// Of `session`, if a login of aibox's made it; empty if not.
    private var accessor = ""
    /// Logins that were replaced, until their leases are revoked.
    private var former: [String: VaultClient.Session] = [:]
    private var stored: [String: StoredCredential] = [:]
    /// What KV held when it was last looked at.
    private var entries: [String: VaultEntry] = [:]
    private var pauses = 0
    /// Whether the login could ask about itself: only then does a refusal of that mean that it is gone.
    private var canLookUp = false
    private var loggedIn: Double = 0
    /// How often in a row a login was taken for gone, and another made.
    private var losses = 0
    /// Another is to be made, as soon as the pause is over.
    private var isReplacing = false

    /// - Throws: if the settings are no Vault's, or the journal cannot be held.
    public init(_ settings: LeaseKeeperSettings, paths: Paths, outlet: Outlet) throws(AiboxError) {
        let credentials = try Configuration.Credentials(texts: settings.vault.credentials)
        var vault = try VaultStore(credentials, paths: paths)
        // Whoever waits for Vault does not see its sandbox end.
        vault.client.exchange.timeout = Self.patience
        self.vault = vault
        self.settings = settings
        self.outlet = outlet
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

    private func logIn() throws(AiboxError) {
        let session = try vault.client.open()
        var facts = VaultToken(accessor: nil, seconds: nil, isRenewable: false)
        do throws(AiboxError) {
            facts = try session.lookUp()
            canLookUp = true
        } catch {
            canLookUp = false
            // Without Vault's policy `default` a token may not even ask about itself.
            if error.why?.hasPrefix("permission denied") != true {
                try? session.end()
                throw error
            }
        }
        let isOwn = vault.client.login != .token
        let now = outlet.now()
        if isOwn, let accessor = facts.accessor {
            journal.tokens.append(
                LeaseJournal.Token(accessor: accessor, expires: facts.seconds.map { Int64(now) + $0 }))
            do throws(AiboxError) { try write() } catch {
                journal.tokens.removeLast()
                try? session.end()
                throw error
            }
        }
        loggedIn = now
        isReplacing = false
        self.session = session
        accessor = isOwn ? facts.accessor ?? "" : ""
        if let leaf = try? session.client.exchange.identity?.chain.leaf() {
            // Vault knows the login by its certificate: before that ends another takes its place, with another certificate.
            let seconds = max(10, leaf.notAfter.seconds - Int64(now))
            facts.seconds = min(facts.seconds ?? seconds, seconds)
            facts.isRenewable = false
        }
        // A token of somebody else's is not prolonged: when it nears its end, the file is read again.
        schedule.token = facts.seconds.map {
            LeaseTerm(seconds: $0, isRenewable: facts.isRenewable && isOwn, now: now, chance: outlet.chance())
        }
    }

    private func live() throws(AiboxError) -> VaultClient.Session {
        guard let session else { throw AiboxError(.failed, "there is no login to Vault") }
        return session
    }

    /// Makes a secret, and has it in the journal and in the log before anybody gets it.
    private func make(
        _ credential: Credential, _ dynamic: VaultEntry.Dynamic, isFirst: Bool
    ) throws(AiboxError) -> VaultLease {
        let session = try live()
        let text = credential.name.description
        let lease = try session.make(dynamic.path)
        let now = outlet.now()
        let expires = Int64(now) + lease.seconds
        do throws(AiboxError) {
            journal.leases.append(
                LeaseJournal.Lease(id: lease.id, name: text, expires: expires, accessor: accessor))
            try write()
            try outlet.record(
                LeaseEvent(isFirst ? .made : .replaced, text, lease: lease.id, expires: expires))
            let new = try dynamic.stored(credential, lease)
            // Whatever cannot be presented is found before it is used.
            let change = try new.change(modelGateway: settings.modelGateway)
            do { _ = try CredentialChange(json: change.json) } catch {
                throw AiboxError(.failed, "the secret of \(text) from Vault cannot be used", why: "\(error)")
            }
            stored[text] = new
        } catch {
            discard(lease.id)
            throw error
        }
        if isFirst { schedule.put(lease.id, term(lease, now), for: text, now: now) }
        return lease
    }

    private func term(_ lease: VaultLease, _ now: Double) -> LeaseTerm {
        LeaseTerm(seconds: lease.seconds, isRenewable: lease.isRenewable, now: now, chance: outlet.chance())
    }

    /// Revokes what nobody got; what cannot be revoked now stays in the journal and is tried again.
    private func discard(_ id: String) {
        do throws(AiboxError) {
            try live().revoke(id)
            revocation("it could not be used").revoked(&journal, lease: id)
            try? write()
        } catch {
            let end = journal.leases.first { $0.id == id }?.expires
            schedule.retired.append(.init(id: id, end: Double(end ?? 0), next: outlet.now() + 1))
        }
    }

    // MARK: Going on

    /// Seconds until something is due; nil: nothing is kept any more.
    public var pause: Double? { schedule.next.map { max(0, $0 - outlet.now()) } }

    /// Whether anything is lent.
    public var isEmpty: Bool { schedule.items.isEmpty }

    /// Does what is due, once.
    public func work() {
        guard let work = schedule.due(now: outlet.now()) else { return }
        do throws(AiboxError) {
            try perform(work)
            try recover()
        } catch {
            failed(work, error)
        }
        journal.next = schedule.next.map { Int64($0) }
        try? write()
    }

    private func perform(_ work: LeaseSchedule.Work) throws(AiboxError) {
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

    private func renewToken() throws(AiboxError) {
        guard var term = schedule.token else { return }
        switch try live().renewToken(seconds: term.wish) {
        case .refused: term.cannotBeRenewed(now: outlet.now())
        case .renewed(let seconds, let isRenewable):
            let now = outlet.now()
            term.renewed(seconds: seconds, isRenewable: isRenewable, now: now, chance: outlet.chance())
            if let index = journal.tokens.firstIndex(where: { $0.accessor == accessor }) {
                journal.tokens[index].expires = Int64(now) + seconds
            }
            // Longer in the journal than in the gateway, never shorter.
            try write()
        }
        schedule.token = term
        for item in schedule.items { try tellEnd(item) }
    }

    private func replaceToken() throws(AiboxError) {
        let (session, accessor, end) = (try live(), self.accessor, schedule.token?.end)
        try logIn()
        if vault.client.login == .token {
            guard let term = schedule.token, let end, term.end < end + 1, self.session?.token == session.token else {
                return schedule.renewAll(now: outlet.now())
            }
            throw AiboxError(
                .failed, "the token for Vault nears its end", remedy: "put another into credentials.vault_secret_path")
        }
        schedule.renewAll(now: outlet.now())
        guard !accessor.isEmpty else {
            try? session.end()
            return
        }
        former[accessor] = session
        // Its own end: a certificate's that was shown is none of the token's.
        let own = journal.tokens.first { $0.accessor == accessor }?.expires
        schedule.retire(accessor, end: own.map { Double($0) } ?? .greatestFiniteMagnitude, now: outlet.now())
    }

    private func renew(_ name: String) throws(AiboxError) {
        guard let item = schedule[name], case .dynamic(let id, var term) = item.kind else { return }
        switch try live().renew(id, seconds: term.wish) {
        case .refused: term.cannotBeRenewed(now: outlet.now())
        case .renewed(let seconds, let isRenewable):
            let now = outlet.now()
            term.renewed(seconds: seconds, isRenewable: isRenewable, now: now, chance: outlet.chance())
            if let index = journal.leases.firstIndex(where: { $0.id == id }) {
                journal.leases[index].expires = Int64(now) + seconds
            }
            // Longer in the journal than in the gateway, never shorter.
            try write()
        }
        schedule[name]?.kind = .dynamic(id, term)
        if let item = schedule[name] { try tellEnd(item) }
    }

    /// Reads the entry again, and hands on what it holds now.
    ///
    /// - Parameter isToBeMade: also a dynamic secret whose entry is as it was.
    private func follow(_ text: String, isToBeMade: Bool) throws(AiboxError) {
        guard let item = schedule[text] else { return }
        let now = outlet.now()
        guard let entry = try vault.entry(try CredentialName(text), try live()) else {
            try takeBack(item, reason: "deleted in Vault")
            return
        }
        if entry == entries[text], !isToBeMade {
            return schedule.looked(text, now: outlet.now(), chance: outlet.chance())
        }
        let before = stored[text]
        switch entry.source {
        case .dynamic(let dynamic):
            let lease = try make(entry.credential, dynamic, isFirst: false)
            let new = term(lease, outlet.now())
            do throws(AiboxError) {
                guard
                    try tell(
                        text, until: Int64(min(item.until, new.end, schedule.token?.end ?? item.until)),
                        reason: "Vault made another secret")
                else {
                    discard(lease.id)
                    return try takeBack(item, reason: "it leads elsewhere now")
                }
            } catch {
                stored[text] = before
                discard(lease.id)
                throw error
            }
            schedule.put(lease.id, new, for: text, now: outlet.now())
        case .fixed(let secret):
            let next = StoredCredential(entry.credential, secret)
            stored[text] = next
            do throws(AiboxError) {
                guard try tell(text, until: Int64(item.until), reason: "changed in Vault") else {
                    return try takeBack(item, reason: "it leads elsewhere now")
                }
            } catch {
                stored[text] = before
                throw error
            }
            if case .dynamic(let id, let term) = item.kind {
                schedule.retire(id, end: term.end, now: now)
                schedule[text]?.kind = .fixed
            }
        }
        entries[text] = entry
        schedule.looked(text, now: outlet.now(), chance: outlet.chance())
    }

    private func takeBack(_ item: LeaseSchedule.Item, reason: String) throws(AiboxError) {
        _ = try outlet.tell(CredentialChange(name: item.name, lease: .init(reason: reason)))
        drop(item)
    }

    /// The policy's time is over: the gateway refuses it already.
    private func end(_ name: String) throws(AiboxError) {
        if let item = schedule[name] { drop(item) }
    }

    /// Takes everything from the sandbox, as far as its gateway still answers.
    public func takeBackAll(reason: String) {
        for item in schedule.items { try? takeBack(item, reason: reason) }
    }

    private func drop(_ item: LeaseSchedule.Item) {
        if case .dynamic(let id, let term) = item.kind {
            schedule.retired.append(.init(id: id, end: term.end, next: outlet.now()))
        }
        schedule[item.name] = nil
        stored[item.name] = nil
        entries[item.name] = nil
        journal.kept.removeAll { $0 == item.name }
    }

    private func revokeRetired(_ id: String) throws(AiboxError) {
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
    private func isInUse(accessor: String) -> Bool {
        schedule.items.contains { item in
            guard case .dynamic(let id, _) = item.kind else { return false }
            return journal.leases.contains { $0.id == id && $0.accessor == accessor }
        }
    }

    // MARK: Telling

    private func until(_ item: LeaseSchedule.Item, _ term: LeaseTerm) -> Int64 {
        Int64(min(item.until, term.end, tokenEnd(item) ?? item.until))
    }

    /// The end of the login that its lease was made with.
    private func tokenEnd(_ item: LeaseSchedule.Item) -> Double? {
        if case .dynamic(let id, _)? = schedule[item.name]?.kind,
            let lease = journal.leases.first(where: { $0.id == id }), lease.accessor != accessor
        {
            return journal.tokens.first { $0.accessor == lease.accessor }?.expires.map { Double($0) }
        }
        return schedule.token?.end
    }

    /// Its secret, with its newest end.
    private func tellEnd(_ item: LeaseSchedule.Item) throws(AiboxError) {
        guard case .dynamic(_, let term) = item.kind else { return }
        _ = try tell(item.name, until: until(item, term), reason: nil)
    }

    private func tell(_ name: String, until: Int64, reason: String?) throws(AiboxError) -> Bool {
        guard var change = try stored[name]?.change(modelGateway: settings.modelGateway) else { return false }
        change.lease = CredentialChange.Lease(until: until, note: note, reason: reason)
        return try outlet.tell(change)
    }

    /// What the broker says once a lease has ended.
    private var note: String? {
        since.map {
            let time = Timestamp(seconds: $0).local
            return isSilent
                ? "Vault has not answered since \(time), and the secret that it had lent has ended"
                : "Vault has not prolonged the secret since \(time), and it has ended"
        }
    }

    /// When Vault began not to prolong what is lent.
    private var since: Int64?
    private var isSilent = false

    // MARK: Trouble

    private func failed(_ work: LeaseSchedule.Work, _ error: AiboxError) {
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
            isSilent = error.what == VaultClient.silence || error.why?.hasPrefix("it ") == true
            if since == nil {
                since = Int64(now)
                try? outlet.record(LeaseEvent(.failed, name, reason: error.reason))
                for item in schedule.items { try? tellEnd(item) }
            }
        }
        journal.since = journal.since ?? Int64(now)
    }

    /// Whose login is gone is refused everything, and even to ask about itself, which it could before: another login.
    private func isLost(_ error: AiboxError) -> Bool {
        guard canLookUp, error.why?.hasPrefix("permission denied") == true, let session else { return false }
        // It is to be replaced already.
        if isReplacing { return false }
        do throws(AiboxError) { _ = try session.lookUp() } catch {
            return error.why?.hasPrefix("permission denied") == true
        }
        return false
    }

    /// Vault answers again: whoever was told otherwise is told.
    private func recover() throws(AiboxError) {
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
        if !schedule.retired.contains(where: { $0.failures > 0 }) { (journal.since, journal.trouble) = (nil, nil) }
    }

    private func write() throws(AiboxError) { try journals.write(journal, name) }

    private func revocation(_ reason: String) -> LeaseRevocation {
        LeaseRevocation(
            client: vault.client, now: outlet.now(), record: { [outlet] event in try? outlet.record(event) },
            reason: reason)
    }

    // MARK: The end

    /// Revokes everything that is held; nothing is lent any more when this is called.
    ///
    /// - Returns: nil if nothing is left, and the journal is gone with it; else the seconds after which to try again.
    public func settle(reason: String) -> Double? {
        (stored, entries) = ([:], [:])
        schedule = LeaseSchedule()
        if !settings.revokesOnStop, reason == Self.stopped {
            try? journals.remove(name)
            return nil
        }
        journal.isEnding = true
        journal.kept = []
        try? write()
        let revocation = revocation(reason)
        // Lease by lease first: of a login that ends Vault may only queue them.
        if let session, !revocation.revokeLeases(&journal, session).isSilent {
            for (accessor, session) in former where (try? session.end()) != nil {
                revocation.revoked(&journal, accessor)
            }
            if (try? session.end()) != nil, !accessor.isEmpty { revocation.revoked(&journal, accessor) }
        }
        former = [:]
        session = nil
        do throws(AiboxError) {
            try revocation.run(&journal)
            try journals.remove(name)
            return nil
        } catch {
            return later(error)
        }
    }

    private func later(_ error: AiboxError) -> Double {
        if journal.since == nil {
            journal.since = Int64(outlet.now())
            try? outlet.record(
                LeaseEvent(.notRevoked, journal.leases.first?.name ?? settings.sandbox, reason: error.reason))
        }
        journal.trouble = String(error.reason.prefix(300))
        pauses += 1
        let pause = LeaseTerm.pause(after: pauses, chance: outlet.chance())
        journal.next = Int64(outlet.now() + pause)
        try? write()
        return pause
    }

    /// For each step of an exchange with Vault.
    static let patience = Duration.seconds(5)

    /// Why leases are revoked when a sandbox ends.
    public static let stopped = "the sandbox ended"
}
