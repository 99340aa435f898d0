import AiboxConfig
import AiboxCrypto
public import AiboxSystem
import AiboxWire

/// What is lent stays lent: logins, secrets made, prolonged and replaced, and the gateway told of it. Whatever Vault gives is in the
/// journal on the disk before the gateway hears of it.
extension LeaseKeeper {
    func logIn() throws(AiboxError) {
        // Ends are counted from before each question: Vault counts from its answer.
        let now = outlet.now()
        let session = try vault.client.open()
        let isOwn = vault.client.login != .token
        var facts = session.facts ?? VaultToken(accessor: nil, seconds: nil, isRenewable: false)
        // Before anything else is asked: nothing that Vault does from here on leaves a login that nobody knows of.
        if isOwn, let accessor = facts.accessor {
            journal.tokens.append(
                LeaseJournal.Token(accessor: accessor, expires: facts.seconds.map { Int64(now) + $0 }))
            do throws(AiboxError) { try write() } catch {
                journal.tokens.removeLast()
                try? session.end()
                throw error
            }
        }
        do throws(AiboxError) {
            let known = try session.lookUp()
            if !isOwn { facts = known }
            canLookUp = true
        } catch {
            canLookUp = false
            // Without Vault's policy `default` a token may not even ask about itself; what the login said is known all the same.
            if error.why?.hasPrefix("permission denied") != true {
                if (try? session.end()) != nil, let accessor = facts.accessor {
                    revocation("it could not be used").revoked(&journal, accessor)
                    try? write()
                }
                throw error
            }
        }
        // Whoever began as one workload goes on as it: others that the agent has later are somebody else.
        vault.client.login = session.client.login
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

    func live() throws(AiboxError) -> VaultClient.Session {
        guard let session else { throw AiboxError(.failed, "there is no login to Vault") }
        return session
    }

    /// Makes a secret, and has it in the journal and in the log before anybody gets it.
    func make(
        _ credential: Credential, _ dynamic: VaultEntry.Dynamic, isFirst: Bool
    ) throws(AiboxError) -> VaultLease {
        let session = try live()
        let text = credential.name.description
        let now = outlet.now()
        let lease = try session.make(dynamic.path)
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

    func term(_ lease: VaultLease, _ now: Double) -> LeaseTerm {
        LeaseTerm(seconds: lease.seconds, isRenewable: lease.isRenewable, now: now, chance: outlet.chance())
    }

    // MARK: The certificate of the login

    /// Follows the certificate by which Vault knows the login; nil where none of SPIFFE's was shown.
    public func followIdentity() throws(AiboxError) -> X509SVIDFollower? {
        guard case .spiffeX509(_, let api) = vault.client.login else { return nil }
        return try X509SVIDFollower(api)
    }

    /// Another certificate is another login, and does not wait for the old one's end: it may have been replaced for a reason.
    ///
    /// - Returns: why nothing may be lent any longer; nil: it goes on.
    public func heard(_ update: X509SVIDWatcher.Update) -> String? {
        switch update {
        case .withdrawn(let why): return why.reason
        case .svid(let svid):
            let shown = session?.client.exchange.identity?.chain.certificates.first
            if shown != svid.identity.chain.certificates.first {
                schedule.token?.cannotBeRenewed(now: max(outlet.now(), loggedIn + Self.shortestLogin))
            }
            return nil
        }
    }

    /// Seconds: an agent that gives a new certificate all the time makes no storm of logins.
    private static let shortestLogin: Double = 10

    // MARK: Prolonging and replacing

    func renewToken() throws(AiboxError) {
        guard var term = schedule.token else { return }
        let now = outlet.now()
        switch try live().renewToken(seconds: term.wish) {
        case .refused: term.cannotBeRenewed(now: outlet.now())
        case .renewed(let seconds, let isRenewable):
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

    func replaceToken() throws(AiboxError) {
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

    func renew(_ name: String) throws(AiboxError) {
        guard let item = schedule[name], case .dynamic(let id, var term) = item.kind else { return }
        let now = outlet.now()
        switch try live().renew(id, seconds: term.wish) {
        case .refused: term.cannotBeRenewed(now: outlet.now())
        case .renewed(let seconds, let isRenewable):
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
    func follow(_ text: String, isToBeMade: Bool) throws(AiboxError) {
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

    // MARK: Telling

    func until(_ item: LeaseSchedule.Item, _ term: LeaseTerm) -> Int64 {
        Int64(min(item.until, term.end, tokenEnd(item) ?? item.until))
    }

    /// The end of the login that its lease was made with.
    func tokenEnd(_ item: LeaseSchedule.Item) -> Double? {
        if case .dynamic(let id, _)? = schedule[item.name]?.kind,
            let lease = journal.leases.first(where: { $0.id == id }), lease.accessor != accessor
        {
            return journal.tokens.first { $0.accessor == lease.accessor }?.expires.map { Double($0) }
        }
        return schedule.token?.end
    }

    /// Its secret, with its newest end.
    func tellEnd(_ item: LeaseSchedule.Item) throws(AiboxError) {
        guard case .dynamic(_, let term) = item.kind else { return }
        _ = try tell(item.name, until: until(item, term), reason: nil)
    }

    func tell(_ name: String, until: Int64, reason: String?) throws(AiboxError) -> Bool {
        guard var change = try stored[name]?.change(modelGateway: settings.modelGateway) else { return false }
        change.lease = CredentialChange.Lease(until: until, note: note, reason: reason)
        return try outlet.tell(change)
    }
}
