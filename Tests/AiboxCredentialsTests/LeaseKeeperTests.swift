import AiboxConfig
import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxCredentials

/// Against Tests/lab/vault_server.py; the keeper's clock is the test's, the server's is real.
@Suite("The keeper of leases")
struct LeaseKeeperTests {
    private static let name = "custom:app"

    /// A keeper, and what it told and wrote down.
    private final class Kept {
        let vault: LabVault
        let folder: TemporaryFolder
        private(set) var told: [CredentialChange] = []
        private(set) var events: [LeaseEvent] = []
        var isGatewayGone = false
        /// The audit log takes nothing.
        var isLogFull = false
        var clock: Double
        /// By how much the time of day was set back.
        private var setBack: Double = 0
        /// Seconds that pass with each look at the clock, which is then written down with the number of requests before it.
        var tick: Double = 0
        private(set) var looks: [(requests: Int, time: Double)] = []
        private var keeper: LeaseKeeper?

        init(_ vault: LabVault) throws {
            self.vault = vault
            folder = try TemporaryFolder()
            clock = Double(Timestamp.now.seconds)
        }

        var journals: LeaseJournals {
            LeaseJournals(folder: folder.path + "/leases", keyPath: folder.path + "/config/key")
        }
        var journal: LeaseJournal? { (try? journals.entries())?.first.flatMap { try? $0.journal.get() } }
        var file: String { folder.path + "/leases/box.0123456789ab.json" }
        let paths = Paths(identity: UserIdentity(uid: 0, gid: 0, name: "x", home: "/nonexistent"), environment: [:])

        func settings(
            _ change: (inout Configuration.Credentials) -> Void = { _ in }
        ) -> LeaseRevocationSettings {
            var credentials = Configuration.Credentials()
            credentials.vaultAddress = vault.address
            credentials.vaultCA = vault.certificate
            credentials.vaultAuth = .approle
            credentials.vaultRole = "r-1"
            credentials.vaultSecretPath = vault.folder.path + "/secret-id"
            change(&credentials)
            return LeaseRevocationSettings(
                credentials: credentials.texts, folder: folder.path + "/leases", key: folder.path + "/config/key",
                audit: GatewaySettings.AuditPlace(folder: "", checkpoints: "", session: "0123456789abcdef"), user: "x")
        }

        @discardableResult
        func begin(
            _ names: [String] = [LeaseKeeperTests.name], until: Double = 36_000, revokesOnStop: Bool = true,
            _ change: (inout Configuration.Credentials) -> Void = { _ in }
        ) throws -> [CredentialChange] {
            let keeper = try LeaseKeeper(
                LeaseKeeperSettings(
                    vault: settings(change), sandbox: "box", runFolder: "", modelGateway: "",
                    lent: Dictionary(uniqueKeysWithValues: names.map { ($0, Int64(clock + until)) }),
                    revokesOnStop: revokesOnStop),
                paths: paths,
                outlet: LeaseKeeper.Outlet(
                    tell: { [unowned self] (change) throws(AiboxError) in
                        if isGatewayGone { throw AiboxError(.failed, "cannot reach the gateway") }
                        told.append(change)
                        return true
                    }, record: { [unowned self] (event) throws(AiboxError) in try note(event) },
                    now: { [unowned self] in look() }, steady: { [unowned self] in clock + setBack },
                    chance: { 0.5 }))
            self.keeper = keeper
            return try keeper.begin()
        }

        private func look() -> Double {
            if tick > 0 {
                clock += tick
                looks.append(((try? vault.requests.count) ?? 0, clock))
            }
            return clock
        }

        /// The last look at the clock before the newest request with these words.
        func lastLook(before words: String) throws -> Double {
            let place = try #require(try vault.requests.lastIndex { $0.contains(words) })
            return try #require(looks.last { $0.requests <= place }).time
        }

        func setClockBack(_ seconds: Double) {
            clock -= seconds
            setBack += seconds
        }

        private func note(_ event: LeaseEvent) throws(AiboxError) {
            if isLogFull { throw AiboxError(.failed, "cannot write the audit log", why: "the disk is full") }
            events.append(event)
        }

        /// Nothing can be written into the journal while this is done.
        func withoutJournal(_ body: () throws -> Void) throws {
            let aside = folder.path + "/aside"
            try #require(rename(folder.path + "/leases", aside) == 0)
            try body()
            try #require(rename(aside, folder.path + "/leases") == 0)
        }

        /// Does all that is due until then.
        func pass(_ seconds: Double) {
            let end = clock + seconds
            // A minute at most, as the daemon does.
            while let step = keeper?.pause.map({ min(60, $0) }), clock + step <= end {
                clock += step
                keeper?.work()
            }
            clock = end
        }

        func settle(reason: String = LeaseKeeper.stopped) -> Double? { keeper?.settle(reason: reason) }
        func work() { keeper?.work() }
        var isEmpty: Bool { keeper?.isEmpty ?? true }
        func confirm() throws { try keeper?.confirm() }
        /// As by kill -9: nothing is revoked, the lock is free.
        func die() { keeper = nil }

        /// - Returns: whether nothing is left.
        func recover(_ change: (inout Configuration.Credentials) -> Void = { _ in }) throws -> Bool {
            let recovery = try LeaseRecovery(settings(change), paths: paths)
            try recovery.begin()
            return recovery.work { (event, _, _) throws(AiboxError) in try note(event) } == nil
        }
    }

    private static func state(_ more: String = "", ttl: Int = 600, rules: String = "", entry: String? = nil) -> String {
        let entry =
            entry
            ?? #"{"dynamic": "db/creds/app", "hosts": "app.example", "member": "password", "user_member": "username", "place": "basic"}"#
        return """
            {"namespace": "", "tokens": {"t-1": "p"}, "approle": {"r-1": "s-1"}, "jwt": {}, \(more)
             "dynamic": {"db/creds/app": {"ttl": \(ttl), "max_ttl": 86400,
                         "data": {"username": "user-%n", "password": "canary-secret-%n"} \(rules)}},
             "kv": {"aibox/custom/app": \(entry), "aibox/custom/fixed": {"secret": "canary-kv-1", "hosts": "kv.example"}}}
            """
    }

    private static func kept(_ state: String = state()) throws -> Kept { try Kept(try LabVault(state)) }

    @Test("a lease is in the journal before its secret is used, and revoked with its login at the end")
    func life() throws {
        let kept = try Self.kept()
        let lent = try kept.begin([Self.name, "custom:fixed"])
        #expect(lent.map(\.name) == [Self.name, "custom:fixed"])
        #expect(lent[0].places.first?.secret == "canary-secret-1" && lent[0].places.first?.host == "app.example")
        let value = try #require(lent[0].places.first?.value)
        #expect(value == "Basic dXNlci0xOmNhbmFyeS1zZWNyZXQtMQ==", "the user comes with the secret")
        #expect(lent[1].places.first?.secret == "canary-kv-1")
        let journal = try #require(kept.journal)
        #expect(journal.leases.count == 1 && journal.tokens.count == 1 && journal.kept.count == 2)
        #expect(journal.leases[0].accessor == journal.tokens[0].accessor)
        #expect(kept.events.map(\.kind) == [.made] && kept.events[0].lease == journal.leases[0].id)
        let text = try File.text(kept.file)
        for secret in ["canary", "s-1", "hvs."] { #expect(!text.contains(secret)) }
        #expect(try kept.journals.entries().map(\.isAlive) == [true])
        try kept.confirm()
        #expect(kept.told.map(\.isRenewal) == [true] && kept.told[0].lease?.until == Int64(kept.clock) + 600)
        #expect(kept.settle() == nil)
        #expect(kept.vault.leases("live") == 0 && kept.vault.leases("revoked") == 1)
        #expect(try kept.vault.requests.last?.contains("revoke-self") == true && kept.journals.entries().isEmpty)
        #expect(kept.events.last?.kind == .revoked && kept.events.last?.reason == "the sandbox ended")
    }

    @Test(
        "the gateway hears of nothing that the journal on the disk does not hold: no longer lease, login or other secret"
    )
    func journalFirst() throws {
        let ways: [(what: String, state: String, asked: String)] = [
            ("a login is prolonged", Self.state(#""token": {"ttl": 300, "max_ttl": 86400},"#), "auth/token/renew-self"),
            ("a lease is prolonged", Self.state(), "sys/leases/renew"),
            ("a lease is replaced", Self.state(rules: #", "renewable": false"#), "db/creds/app"),
            (
                "a login is replaced", Self.state(#""token": {"ttl": 300, "max_ttl": 300, "renewable": false},"#),
                "approle/login"
            ),
        ]
        for (what, state, asked) in ways {
            let kept = try Self.kept(state)
            try kept.begin()
            try kept.confirm()
            let told = try #require(kept.told.last)
            let end = try #require(told.lease?.until)
            let left = Double(end) - kept.clock
            let text = try File.text(kept.file)
            try kept.withoutJournal {
                let before = try kept.vault.requests.count
                kept.pass(left - 20)
                try #expect(kept.vault.requests.dropFirst(before).contains { $0.contains(asked) }, "\(what)")
                #expect(!File.exists(kept.file), "\(what)")
                #expect(kept.told.allSatisfy { ($0.lease?.until ?? 0) <= end }, "\(what)")
                #expect(kept.told.allSatisfy { $0.places.first?.secret == "canary-secret-1" }, "\(what)")
            }
            #expect(try File.text(kept.file) == text, "\(what)")
            // The control: once it can be written, the gateway is told.
            kept.pass(200)
            let last = try #require(kept.told.last)
            #expect((last.lease?.until ?? 0) > end && last.isRevocation == false, "\(what)")
            #expect(kept.journal?.leases.map(\.expires).max() ?? 0 >= last.lease?.until ?? .max, "\(what)")
            #expect(kept.settle() == nil && kept.vault.leases("live") == 0, "\(what)")
        }
    }

    @Test("a lease is revoked though the log cannot be told; that is remembered, told of, and written down later")
    func untold() throws {
        let kept = try Self.kept(Self.state(rules: #", "renewable": false"#))
        try kept.begin()
        kept.pass(399)
        #expect(kept.vault.leases("live") == 2)
        kept.isLogFull = true
        kept.pass(220)
        // Only what was written down before is in use: no other is made meanwhile, and the old one is gone.
        #expect(kept.vault.leases("live") == 1 && kept.events.map(\.kind) == [.made, .replaced])
        #expect(kept.journal?.untold.first?.name == Self.name)
        #expect(kept.journal?.trouble?.contains("1 revocation is not in the audit log") == true)
        #expect(kept.journal?.since != nil)
        #expect(kept.settle() ?? 0 > 0 && kept.vault.leases("live") == 0, "rights are taken away all the same")
        let count = try #require(kept.journal?.untold.count)
        #expect(count == 2 && kept.journal?.isSettled == true && kept.journal?.isEnding == true)
        kept.isLogFull = false
        #expect(kept.settle() == nil && kept.journal == nil)
        let told = kept.events.filter { $0.kind == .revoked }
        #expect(told.count == 2 && told.allSatisfy { $0.reason?.contains("when it could not be written down") == true })
        #expect(
            told[0].reason?.hasPrefix("replaced, at 20") == true && told[1].reason?.hasPrefix("the sandbox") == true)
    }

    @Test("what the log was not told of survives the keeper's death, and asks nothing of Vault")
    func untoldAfterDeath() throws {
        let kept = try Self.kept()
        try kept.begin()
        kept.isLogFull = true
        #expect(kept.settle() ?? 0 > 0 && kept.vault.leases("live") == 0)
        kept.die()
        let before = try kept.vault.requests.count
        #expect(try !kept.recover() && kept.journal?.untold.count == 1)
        #expect(kept.journal?.trouble?.contains("not in the audit log") == true)
        kept.isLogFull = false
        #expect(try kept.recover() && kept.journal == nil && kept.vault.requests.count == before)
        #expect(kept.events.last?.kind == .revoked)
        // However many: the journal stays small, and the number is told.
        var journal = LeaseJournal(sandbox: "box", session: "s", address: "", namespace: "")
        let revocation = LeaseRevocation(
            client: try VaultStore(
                Configuration.Credentials(texts: kept.settings().credentials), paths: kept.paths
            ).client, now: 0,
            record: { (_) throws(AiboxError) in throw AiboxError(.failed, "no") }, reason: "test")
        for index in 0..<500 {
            journal.leases = [.init(id: "\(index)", name: Self.name, expires: 1, accessor: "a")]
            revocation.revoked(&journal, lease: "\(index)")
        }
        #expect(journal.untold.count == 200 && journal.untoldMore == 300 && journal.isSettled)
        #expect(try LeaseJournal(json: try JSONParser.parse(journal.json.bytes)) == journal)
    }

    @Test("leases and token are renewed at two thirds, and the sandbox is told the new end alone")
    func renews() throws {
        let kept = try Self.kept()
        try kept.begin()
        kept.pass(399)
        try #expect(kept.vault.requests.contains { $0.contains("sys/leases/renew") })
        #expect(kept.told.map(\.isRenewal) == [true] && kept.told[0].places.first?.secret == "canary-secret-1")
        kept.pass(3000)
        try #expect(kept.vault.requests.contains { $0.contains("auth/token/renew-self") })
        #expect(kept.told.allSatisfy(\.isRenewal) && kept.vault.leases("live") == 1)
        #expect(kept.events.map(\.kind) == [.made], "renewals are no events")
        #expect(kept.settle() == nil)
    }

    @Test("what cannot be renewed is made anew, handed on, and the old one revoked after the grace")
    func replaces() throws {
        let kept = try Self.kept(Self.state(rules: #", "renewable": false"#))
        try kept.begin()
        kept.pass(399)
        let change = try #require(kept.told.last)
        #expect(change.places.first?.secret == "canary-secret-2" && change.lease?.reason == "Vault made another secret")
        #expect(kept.vault.leases("live") == 2 && kept.journal?.leases.count == 2)
        kept.pass(205)
        #expect(kept.vault.leases("live") == 1 && kept.journal?.leases.count == 1)
        #expect(kept.events.map(\.kind) == [.made, .replaced, .revoked])
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
    }

    @Test("where Vault permits no revocation of one lease, that is told once, and is no reason to refuse anything")
    func mayNotRevoke() throws {
        let kept = try Self.kept(Self.state(#""denied": ["sys/leases/revoke"],"#, rules: #", "renewable": false"#))
        try kept.begin()
        kept.pass(620)
        #expect(kept.told.last?.isRevocation == false && kept.told.allSatisfy { $0.lease?.note == nil })
        #expect(kept.events.filter { $0.kind == .notRevoked }.map(\.name) == [Self.name])
        #expect(kept.journal?.trouble?.contains("permission denied") == true)
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0, "they went with their login")
    }

    @Test("a token at the end of its life is replaced by another login, whose leases take the place of its own")
    func replacesToken() throws {
        let kept = try Self.kept(Self.state(#""token": {"ttl": 900, "max_ttl": 900, "renewable": false},"#))
        try kept.begin()
        kept.pass(605)
        try #expect(kept.vault.requests.filter { $0.contains("approle/login") }.count == 2)
        #expect(kept.told.last?.places.first?.secret == "canary-secret-2" && kept.journal?.tokens.count == 2)
        kept.pass(310)
        #expect(kept.vault.leases("live") == 1, "the first went with its login")
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
    }

    @Test("while Vault is silent what is lent goes on to its end, which is told with the reason; then it goes on")
    func outage() throws {
        let kept = try Self.kept()
        try kept.begin()
        let end = Int64(kept.clock) + 600
        try kept.vault.set(Self.state(#""outage": true,"#))
        kept.pass(590)
        let told = try #require(kept.told.last)
        #expect(told.lease?.until == end && told.lease?.note?.hasPrefix("Vault has not answered since ") == true)
        #expect(kept.events.map(\.kind) == [.made, .failed], "one event for all tries")
        #expect(kept.journal?.trouble?.contains("does not answer") == true && kept.journal?.since != nil)
        kept.pass(600)
        #expect(kept.told.allSatisfy { $0.lease?.until == end }, "nobody gets longer than Vault said")
        try kept.vault.set(Self.state())
        kept.pass(80)
        #expect(kept.told.last?.lease?.note == nil && kept.journal?.trouble == nil)
        #expect((kept.told.last?.lease?.until ?? 0) > end)
        // Sealed is no answer either.
        try kept.vault.set(Self.state(#""sealed": true,"#))
        kept.pass(500)
        #expect(kept.told.last?.lease?.note?.hasPrefix("Vault has not answered since ") == true)
        #expect(kept.settle() ?? 0 > 0 && kept.journal?.isEnding == true, "nothing is forgotten")
        try kept.vault.set(Self.state())
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0 && kept.journal == nil)
    }

    @Test("a Vault that takes a request and says nothing holds the keeper for seconds alone")
    func silence() throws {
        let kept = try Self.kept()
        try kept.begin()
        try kept.vault.set(Self.state(#""hang": 8,"#))
        let began = ContinuousClock.now
        #expect(kept.settle() ?? 0 > 0 && kept.journal?.isEnding == true && kept.journal?.since != nil)
        #expect(began.duration(to: .now) < .seconds(20))
        try kept.vault.set(Self.state())
        usleep(8_000_000)
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
    }

    @Test("a model's key may be dynamic as well")
    func modelKey() throws {
        let entry = #"{"dynamic": "db/creds/app", "member": "password"}"#
        let kept = try Self.kept(
            Self.state().replacing("\"kv\": {", with: "\"kv\": {\"aibox/llm-api-key/openai\": \(entry), "))
        let change = try #require(try kept.begin(["llm-api-key:openai"]).first)
        #expect(change.key?.secret == "canary-secret-1" && change.key?.base == "https://api.openai.com")
        #expect(change.key?.header == "Authorization" && change.places.isEmpty)
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
    }

    @Test("a secret that is changed or deleted in Vault reaches the sandbox")
    func follows() throws {
        let kept = try Self.kept()
        try kept.begin([Self.name, "custom:fixed"])
        try kept.vault.set(Self.state().replacing("canary-kv-1", with: "canary-kv-2"))
        kept.pass(340)
        #expect(kept.told.last?.places.first?.secret == "canary-kv-2" && kept.told.last?.isRenewal == false)
        try kept.vault.set(Self.state().replacing("aibox/custom/fixed", with: "aibox/custom/other"))
        kept.pass(340)
        let gone = try #require(kept.told.first { $0.isRevocation })
        #expect(gone.name == "custom:fixed" && gone.lease?.reason == "deleted in Vault")
        #expect(kept.journal?.kept == [Self.name])
        // A dynamic one as well: its lease goes with it.
        try kept.vault.set(Self.state(entry: "null"))
        kept.pass(340)
        #expect(kept.told.last?.isRevocation == true && kept.isEmpty && kept.vault.leases("live") == 0)
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
    }

    @Test("the policy's end revokes the lease, however long Vault would lend it")
    func policyEnds() throws {
        let kept = try Self.kept()
        try kept.begin(until: 100)
        try kept.confirm()
        #expect(kept.told.last?.lease?.until == Int64(kept.clock) + 100)
        kept.pass(101)
        #expect(kept.isEmpty && kept.settle(reason: "over") == nil && kept.vault.leases("live") == 0)
    }

    @Test("credentials.revoke_on_stop false leaves leases to end by themselves")
    func left() throws {
        let kept = try Self.kept()
        try kept.begin(revokesOnStop: false)
        #expect(kept.settle() == nil && kept.vault.leases("live") == 1 && kept.journal == nil)
    }

    @Test("a static token is nobody's to revoke: each lease is, by its id")
    func staticToken() throws {
        let kept = try Self.kept()
        try kept.begin {
            $0.vaultAuth = .token
            $0.vaultSecretPath = kept.vault.folder.path + "/token"
        }
        #expect(kept.journal?.tokens == [])
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0 && kept.vault.leases("revoked") == 1)
        try #expect(!kept.vault.requests.contains { $0.contains("revoke-self") || $0.contains("revoke-accessor") })
    }

    @Test("after a kill -9 the next command revokes by the journal: the login, or lease by lease")
    func recovery() throws {
        for denied in ["", #""denied": ["auth/token/revoke-accessor"],"#] {
            let kept = try Self.kept(Self.state(denied))
            try kept.begin()
            #expect(try kept.recover(), "a keeper that lives is left alone")
            #expect(kept.vault.leases("live") == 1)
            kept.die()
            try kept.vault.set(Self.state(#""outage": true,"#))
            #expect(try !kept.recover() && kept.journal?.leases.count == 1)
            #expect(kept.events.last?.kind == .notRevoked)
            try kept.vault.set(Self.state(denied))
            #expect(try kept.recover() == denied.isEmpty, "a login that must not be revoked stays written down")
            #expect(kept.vault.leases("live") == 0 && kept.events.last?.kind == .revoked)
            #expect((kept.journal == nil) == denied.isEmpty && kept.journal?.leases.isEmpty != false)
        }
    }

    @Test("what is gone in Vault already is settled; an answer that is none about the lease settles nothing")
    func gone() throws {
        let kept = try Self.kept()
        try kept.begin()
        kept.die()
        try kept.vault.set(Self.state().replacing(#""namespace": """#, with: #""namespace": "other""#))
        #expect(try !kept.recover() && kept.journal?.leases.count == 1)
        try kept.vault.set(Self.state())
        // Somebody else was quicker.
        let first = try #require(kept.journal)
        #expect(try kept.recover() && kept.journal == nil)
        try kept.journals.write(first, "box.0123456789ab")
        #expect(try kept.recover() && kept.journal == nil)
    }

    @Test("a journal that something else wrote is refused and left; no login follows from it")
    func tampered() throws {
        let kept = try Self.kept()
        try kept.begin()
        kept.die()
        let text = try File.text(kept.file)
        let before = try kept.vault.requests.count
        func refused(_ what: String, _ change: () throws -> Void) throws {
            try File.replace(kept.file, with: text)
            try change()
            #expect(try kept.recover(), "\(what)")
            guard case .failure(let error)? = try kept.journals.entries().first?.journal else {
                Issue.record("\(what) was read")
                return
            }
            #expect(error.code == .integrity, "\(what): \(error)")
            #expect(File.exists(kept.file) && kept.vault.leases("live") == 1, "\(what)")
        }
        try refused("another lease") { try File.replace(kept.file, with: text.replacing("db/creds", with: "db/other")) }
        try refused("another Vault") {
            try File.replace(kept.file, with: text.replacing("localhost", with: "evil.example"))
        }
        try refused("cut short") { try File.replace(kept.file, with: String(text.prefix(40))) }
        try refused("empty") { try File.replace(kept.file, with: "") }
        try refused("large") { try File.replace(kept.file, with: String(repeating: "a", count: 2 << 20)) }
        try refused("readable by others") {
            try SystemCommandRunner().require(Command("chmod", ["644", kept.file]), "chmod")
        }
        try refused("a link") {
            try File.replace(kept.folder.path + "/elsewhere", with: text)
            try SystemCommandRunner().require(
                Command("ln", ["-sf", kept.folder.path + "/elsewhere", kept.file]), "ln")
        }
        try SystemCommandRunner().require(
            Command("mv", [kept.file, kept.folder.path + "/leases/a.0123456789ab.json"]), "mv")
        try File.replace(kept.folder.path + "/leases/a.0123456789ab.json", with: text)
        #expect(try kept.recover() && kept.vault.leases("live") == 1, "another sandbox's name")
        try SystemCommandRunner().require(Command("rm", [kept.folder.path + "/leases/a.0123456789ab.json"]), "rm")
        #expect(try kept.vault.requests.count == before, "Vault was asked")
        // As it was, it is good.
        try File.replace(kept.file, with: text)
        #expect(try kept.recover() && kept.vault.leases("live") == 0)
    }

    @Test("no login goes to another Vault than that of the settings")
    func anotherVault() throws {
        let kept = try Self.kept()
        try kept.begin()
        kept.die()
        let other = try LabVault(Self.state())
        #expect(
            try kept.recover { settings in
                settings.vaultAddress = other.address
                settings.vaultCA = other.certificate
            })
        #expect(try other.requests.isEmpty && kept.journal != nil)
        // What has ended by itself meanwhile is forgotten, and no login is needed for it.
        var ended = try #require(kept.journal)
        ended.leases = ended.leases.map {
            LeaseJournal.Lease(id: $0.id, name: $0.name, expires: 1_700_000_000, accessor: $0.accessor)
        }
        ended.tokens = []
        try kept.journals.write(ended, "gone.0123456789ab")
        #expect(try kept.recover { $0.vaultAddress = other.address })
        #expect(try kept.journals.entries().count == 1 && other.requests.isEmpty)
        // Nor after a redirect.
        try kept.vault.set(Self.state("\"redirect\": \"\(other.address)\","))
        #expect(try !kept.recover() && other.requests.isEmpty)
    }

    @Test("answers of any size and shape make no lease that nobody revokes, and end nothing")
    func hostile() throws {
        let kept = try Self.kept()
        for answer in [
            #""lease_id": """#, #""lease_id": null"#, #""lease_id": "a\nb""#,
            "\"lease_id\": \"\(String(repeating: "a", count: 1100))\"", #""lease_duration": 0"#,
            #""lease_duration": -1"#,
            #""lease_duration": "600""#, #""lease_duration": 9223372036854775808"#, #""lease_duration": 1e300"#,
            #""lease_duration": null"#, #""data": null"#, #""data": []"#, #""data": {}"#,
            #""data": {"username": "u", "password": 7}"#, #""data": {"username": "u", "password": "a\nb"}"#,
            #""data": {"username": "u", "password": "short"}"#,
            #""data": {"username": "u:x", "password": "canary-secret"}"#,
            #""data": {"username": 1, "password": "canary-secret"}"#,
            "\"data\": {\"username\": \"u\", \"password\": \"\(String(repeating: "a", count: 70_000))\"}",
        ] {
            try kept.vault.set(Self.state(rules: ", \"answer\": {\(answer)}"))
            let error = #expect(throws: AiboxError.self, "\(answer.prefix(60))") { try kept.begin() }
            #expect(error?.description.contains("canary") != true)
            #expect(
                kept.settle(reason: "the start failed") == nil && kept.vault.leases("live") == 0, "\(answer.prefix(60))"
            )
            kept.die()
        }
        // The longest number is ten years.
        try kept.vault.set(Self.state(rules: #", "answer": {"lease_duration": 9223372036854775807}"#))
        try kept.begin()
        #expect(kept.journal?.leases.first.map { $0.expires < Int64(kept.clock) + 315_360_001 } == true)
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
        // An id begins with its path, which may be long itself.
        let long = "db/" + String(repeating: "a", count: 600)
        try kept.vault.set(Self.state(rules: #", "answer": {"lease_id": "\#(long)"}"#))
        try kept.begin()
        #expect(kept.journal?.leases.first?.id == long)
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
        // A renewal may lie as well.
        try kept.vault.set(Self.state())
        try kept.begin()
        kept.pass(5000)
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
    }

    @Test("paths of Vault's own, and such as lead elsewhere, are no dynamic secret")
    func paths() throws {
        let kept = try Self.kept()
        for path in [
            "sys/leases/lookup", "auth/token/create", "cubbyhole/x", "a", "/a/b", "a//b", "a/../sys/x", "a/b?x=1",
            "a/b c", "",
        ] {
            try kept.vault.set(Self.state(entry: "{\"dynamic\": \"\(path)\", \"hosts\": \"app.example\"}"))
            #expect(throws: AiboxError.self, "\(path)") { try kept.begin() }
            #expect(kept.settle(reason: "the start failed") == nil)
            kept.die()
        }
    }

    @Test("a token that may not ask about itself, or was ended behind its back, is no end of what is lent")
    func tokens() throws {
        let blind = #""denied": ["auth/token/lookup-self"],"#
        let kept = try Self.kept(Self.state(blind))
        try kept.begin()
        #expect(kept.journal?.tokens.count == 1 && kept.journal?.leases.count == 1)
        kept.pass(500)
        #expect(kept.told.last?.isRenewal == true)
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
        kept.die()

        try kept.vault.set(Self.state(#""token": {"ttl": 1, "max_ttl": 1, "renewable": false},"#))
        try kept.begin()
        usleep(2_100_000)
        try kept.vault.set(Self.state())
        kept.pass(30)
        #expect(kept.told.last?.isRevocation == false && kept.journal?.trouble == nil)
        #expect(kept.vault.leases("live") == 1)
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
    }

    @Test(
        "a login that may not look itself up is known by what Vault said of it: in the journal, and replaced before its end"
    )
    func toldByLogin() throws {
        let denied = #""denied": ["auth/token/lookup-self", "auth/token/renew-self"],"#
        let kept = try Self.kept(Self.state(denied + #""token": {"ttl": 900, "max_ttl": 900},"#, ttl: 3000))
        try kept.begin()
        try kept.confirm()
        let end = Int64(kept.clock) + 900
        #expect(kept.journal?.tokens.map(\.expires) == [end])
        #expect(kept.told.last?.lease?.until == end, "no longer than the login that it was made with")
        kept.pass(605)
        try #expect(kept.vault.requests.filter { $0.contains("approle/login") }.count == 2)
        #expect(kept.told.last?.places.first?.secret == "canary-secret-2" && kept.journal?.tokens.count == 2)
        kept.die()
        #expect(try kept.recover() && kept.journal == nil && kept.vault.leases("live") == 0)
    }

    @Test("a login after which Vault fails is in the journal, and taken back later")
    func failedLogin() throws {
        let kept = try Self.kept(
            Self.state(
                #""answers": {"auth/token/lookup-self": [500, {"errors": ["x"]}], "auth/token/revoke-self": [500, {"errors": []}]},"#
            ))
        #expect(throws: AiboxError.self) { try kept.begin() }
        #expect(kept.journal?.tokens.count == 1)
        try kept.vault.set(Self.state())
        #expect(kept.settle(reason: "the start failed") == nil && kept.journal == nil)
        #expect(try kept.vault.requests.contains { $0.contains("revoke-accessor") })
    }

    @Test("a login that Vault does not end at first is ended by itself later: that needs no right to end others")
    func endsItself() throws {
        let denied = #""denied": ["auth/token/revoke-accessor"],"#
        for trouble in [#""outage": true,"#, #""sealed": true,"#] {
            let kept = try Self.kept(Self.state(denied))
            try kept.begin()
            try kept.vault.set(Self.state(denied + trouble))
            #expect(kept.settle() ?? 0 > 0 && kept.journal?.tokens.count == 1)
            try kept.vault.set(Self.state(denied))
            #expect(kept.settle() == nil && kept.journal == nil && kept.vault.leases("live") == 0, "\(trouble)")
            try #expect(kept.vault.requests.last?.contains("revoke-self") == true)
        }
    }

    @Test("an answer that nothing is there, but is none of Vault's about the entry, takes nothing from the sandbox")
    func notDeleted() throws {
        let kept = try Self.kept()
        try kept.begin(["custom:fixed"])
        for answer in [
            #""<html>""#, #"{"errors": ["no handler for route"]}"#, #"{"errors": [], "warnings": ["Invalid path"]}"#,
        ] {
            try kept.vault.set(Self.state("\"answers\": {\"aibox/data/custom/fixed\": [404, \(answer)]},"))
            kept.pass(340)
            #expect(!kept.told.contains { $0.isRevocation } && kept.journal?.trouble != nil, "\(answer)")
        }
        try kept.vault.set(Self.state(#""answers": {"aibox/data/custom/fixed": [404, {"errors": []}]},"#))
        kept.pass(340)
        #expect(kept.told.last?.isRevocation == true && kept.settle() == nil)
    }

    @Test("ends are counted from before the question: however long Vault takes to answer, nothing is used for longer")
    func slowAnswers() throws {
        let kept = try Self.kept()
        kept.tick = 1
        try kept.begin()
        let journal = try #require(kept.journal)
        #expect(
            try journal.tokens[0].expires.map(Double.init) ?? .infinity <= kept.lastLook(before: "approle/login") + 3600
        )
        #expect(try Double(journal.leases[0].expires) <= kept.lastLook(before: "db/creds/app") + 600)
        kept.clock += 385
        kept.work()
        #expect(try Double(kept.told.last?.lease?.until ?? .max) <= kept.lastLook(before: "leases/renew") + 600)
        kept.tick = 0
        #expect(kept.settle() == nil)
    }

    @Test("a clock that is set back makes no lease live longer, and it is renewed in time all the same")
    func clockSetBack() throws {
        let kept = try Self.kept()
        try kept.begin(until: 7200)
        try kept.confirm()
        kept.setClockBack(3600)
        let now = kept.clock
        kept.pass(70)
        #expect(kept.told.last?.lease?.until == Int64(now) + 600, "the gateway hears of it")
        #expect(kept.journal?.leases.first?.expires == Int64(now) + 600)
        kept.pass(330)
        try #expect(kept.vault.requests.contains { $0.contains("sys/leases/renew") })
        kept.pass(7200 - 390)
        #expect(kept.isEmpty, "nor does the policy's time")
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
        // Set forward, it is older, and nothing is lent for longer.
        try kept.begin()
        kept.clock += 3600
        kept.pass(30)
        #expect(kept.told.last?.isRevocation == false && kept.vault.leases("live") >= 1)
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
    }

    @Test("leases and logins of a second are no storm")
    func short() throws {
        let kept = try Self.kept(Self.state(#""token": {"ttl": 1, "max_ttl": 1},"#, ttl: 1))
        try kept.begin()
        kept.pass(60)
        let asked = try kept.vault.requests.filter { $0.contains("approle/login") || $0.contains("renew-self") }
        #expect(asked.count <= 45)
        try kept.vault.set(Self.state())
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
    }

    @Test("a Vault that answers, though not as it should, is not told of as one that does not answer")
    func answersNo() throws {
        let kept = try Self.kept()
        try kept.begin()
        try kept.vault.set(
            Self.state(#""answers": {"sys/leases/renew": [429, {"errors": ["request path quota exceeded"]}]},"#))
        kept.pass(590)
        #expect(kept.told.last?.lease?.note?.hasPrefix("Vault has not prolonged the secret since ") == true)
        #expect(kept.journal?.trouble?.contains("quota exceeded") == true)
        try kept.vault.set(Self.state())
        #expect(kept.settle() == nil)
    }

    @Test("each lease is revoked by its id and at once, before its login ends; one that is only queued is not gone")
    func atOnce() throws {
        let kept = try Self.kept()
        try kept.begin()
        for no in [
            #""queued": true,"#, #""not_found": {},"#, #""not_found": "no","#, #""not_found": {"errors": "x"},"#,
        ] {
            try kept.vault.set(Self.state(no))
            #expect(kept.settle() ?? 0 > 0 && kept.journal?.leases.count == 1, "\(no)")
            #expect(kept.vault.leases("live") == 1 && !kept.events.contains { $0.kind == .revoked }, "\(no)")
        }
        try kept.vault.set(Self.state())
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0 && kept.vault.leases("revoked") == 1)
        let asked = try kept.vault.requests.filter { $0.contains("sys/leases/revoke") }
        #expect(!asked.isEmpty && asked.allSatisfy { $0.contains("\"sync\": true") })
        kept.die()
        try kept.begin()
        let before = try kept.vault.requests.count
        #expect(kept.settle() == nil)
        let last = try kept.vault.requests.dropFirst(before)
        #expect(last.first?.contains("sys/leases/revoke") == true && last.last?.contains("revoke-self") == true)
    }

    @Test("a path that is refused to a token that may not look itself up is no reason for another login")
    func noStorm() throws {
        let blind = #""denied": ["auth/token/lookup-self"],"#
        let kept = try Self.kept(Self.state(blind))
        try kept.begin()
        try kept.vault.set(
            Self.state(#""denied": ["auth/token/lookup-self", "sys/leases/renew", "db/creds/app"],"#))
        kept.pass(800)
        try #expect(kept.vault.requests.filter { $0.contains("approle/login") }.count == 1)
        try #expect(kept.vault.requests.count < 120)
        try kept.vault.set(Self.state(blind))
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
        kept.die()

        // One that may at first and then may not: with pauses.
        try kept.vault.set(Self.state())
        try kept.begin()
        let before = try kept.vault.requests.filter { $0.contains("approle/login") }.count
        try kept.vault.set(
            Self.state(#""denied": ["auth/token/lookup-self", "sys/leases/renew", "db/creds/app"],"#))
        kept.pass(3000)
        try #expect(kept.vault.requests.filter { $0.contains("approle/login") }.count <= before + 2)
        try kept.vault.set(Self.state())
        _ = kept.settle()
    }

    @Test("what a login cannot take back itself stays written down, whatever had ended beside it, and is revoked later")
    func replacedLogin() throws {
        let kept = try Self.kept(Self.state(#""token": {"ttl": 900, "max_ttl": 900, "renewable": false},"#, ttl: 3000))
        try kept.begin()
        let id = try #require(kept.journal?.leases.first?.id)
        kept.pass(605)
        #expect(kept.journal?.tokens.count == 2)
        let deny = #""denied": ["auth/token/revoke-self", "auth/token/revoke-accessor", "sys/leases/revoke"],"#
        try kept.vault.set(Self.state(deny, ttl: 3000))
        kept.pass(500)
        #expect(kept.journal?.leases.contains { $0.id == id } == true && kept.vault.leases("live") >= 2)
        #expect(!kept.events.contains { $0.kind == .revoked && $0.lease == id && $0.reason == "replaced" })
        try kept.vault.set(Self.state())
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
    }

    @Test("a login whose leases could not be replaced yet is not revoked, and nobody is told a longer end than its own")
    func stillInUse() throws {
        let kept = try Self.kept(Self.state(#""token": {"ttl": 900, "max_ttl": 900, "renewable": false},"#))
        try kept.begin()
        let end = Int64(kept.clock) + 900
        try kept.vault.set(Self.state(#""denied": ["db/creds/app"],"#))
        kept.pass(890)
        try #expect(kept.vault.requests.filter { $0.contains("approle/login") }.count == 2)
        #expect(kept.vault.leases("live") == 1 && kept.told.allSatisfy { ($0.lease?.until ?? 0) <= end })
        try kept.vault.set(Self.state())
        kept.pass(200)
        #expect(kept.told.last?.places.first?.secret == "canary-secret-2" && kept.vault.leases("live") == 1)
        #expect(kept.settle() == nil && kept.vault.leases("live") == 0)
    }

    @Test("a secret that cannot be used is in the log as taken back, and by the clock alone nothing is forgotten")
    func trueWords() throws {
        let kept = try Self.kept(Self.state(rules: #", "answer": {"data": {}}"#))
        #expect(throws: AiboxError.self) { try kept.begin() }
        #expect(kept.events.map(\.kind) == [.made, .revoked] && kept.events[0].lease == kept.events[1].lease)
        #expect(kept.settle(reason: "the start failed") == nil)
        kept.die()
        // A clock that was ten years behind: Vault's is asked.
        try kept.vault.set(Self.state())
        try kept.begin()
        kept.die()
        var old = try #require(kept.journal)
        old.leases = old.leases.map {
            LeaseJournal.Lease(id: $0.id, name: $0.name, expires: 1_700_000_000, accessor: $0.accessor)
        }
        old.tokens[0].expires = 1_700_000_000
        try kept.journals.write(old, "box.0123456789ab")
        #expect(try kept.recover() && kept.vault.leases("live") == 0 && kept.journal == nil)
    }

    @Test("a login that drips is given up in time")
    func drips() throws {
        let kept = try Self.kept(Self.state(#""drip": "auth/approle/login","#))
        var store = try VaultStore(try Configuration.Credentials(texts: kept.settings().credentials), paths: kept.paths)
        store.client.exchange.timeout = .milliseconds(600)
        let began = ContinuousClock.now
        #expect(throws: AiboxError.self) { try store.list() }
        #expect(began.duration(to: .now) < .seconds(5))
    }

    @Test("a dynamic secret is listed without being made, and read for sandboxes alone")
    func listed() throws {
        let kept = try Self.kept()
        let store = try VaultStore(try Configuration.Credentials(texts: kept.settings().credentials), paths: kept.paths)
        let found = try store.list()
        #expect(found.map(\.isDynamic) == [true, false])
        #expect(throws: AiboxError.self) { try store.read(try CredentialName(Self.name)) }
        #expect(kept.vault.leases("live") == 0 && kept.vault.leases("revoked") == 0)
    }
}
