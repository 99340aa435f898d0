import AiboxConfig
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxCredentials

/// Against servers that follow the public documents of Vault and SPIFFE (Tests/lab): neither Vault nor SPIRE is at hand.
@Suite("Vault, with an identity of SPIFFE or TLS")
struct VaultSpiffeTests {
    /// Both servers over one folder; Vault trusts the Workload API's authority, and one whose certificates lie in files.
    private final class SpiffeVaultLab {
        let workload: WorkloadLab
        private let server: LabProcess
        var folder: String { workload.folder.path }
        let port: String

        init() throws {
            workload = try WorkloadLab()
            let folder = workload.folder.path
            let openSSL = SystemCommandRunner()
            func run(_ words: String...) throws { try openSSL.require(Command("openssl", words), "openssl") }
            let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"]
            try openSSL.require(
                Command(
                    "openssl",
                    ["req", "-x509", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
                        + key + [folder + "/lab.key", "-out", folder + "/lab.crt"]), "openssl")
            try openSSL.require(
                Command(
                    "openssl",
                    ["req", "-x509", "-days", "2", "-subj", "/CN=clients"] + key
                        + [folder + "/ca.key", "-out", folder + "/ca.crt"]), "openssl")
            try openSSL.require(
                Command(
                    "openssl",
                    ["req", "-subj", "/CN=ci"] + key + [folder + "/ci.key", "-out", folder + "/ci.csr"]), "openssl")
            try File.replace(
                folder + "/ci.ext",
                with: "subjectAltName=URI:urn:ci\nextendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\n")
            try run(
                "x509", "-req", "-days", "2", "-in", folder + "/ci.csr", "-CA", folder + "/ca.crt", "-CAkey",
                folder + "/ca.key", "-extfile", folder + "/ci.ext", "-out", folder + "/ci.crt")
            try File.replace(
                folder + "/ci.pem", with: try File.text(folder + "/ci.key") + File.text(folder + "/ci.crt"))
            try File.replace(
                folder + "/lab.pem", with: try File.text(folder + "/lab.crt") + File.text(folder + "/lab.key"))
            try File.replace(folder + "/state.json", with: Self.state())
            server = try LabProcess(
                Command(
                    WorkloadLab.python,
                    [
                        Lab.programs + "/vault_server.py", folder + "/lab.pem", folder, folder + "/bundle.pem",
                        folder + "/ca.crt",
                    ]), ready: "ready")
            port = try File.text(folder + "/port")
        }

        static func state(
            subject: String = "spiffe://lab.test/aibox", audience: String = "vault.test", namespace: String = ""
        ) -> String {
            """
            {"namespace": "\(namespace)", "tokens": {}, "approle": {}, "jwt": {},
             "jwt_roles": {"aibox": {"bound_subject": "\(subject)", "bound_audiences": ["\(audience)"]}},
             "cert": {"other": {"allowed_uri_sans": ["spiffe://other.test/*"]},
                      "aibox": {"allowed_uri_sans": ["spiffe://lab.test/*"]}, "ci": {"allowed_uri_sans": ["urn:ci"]}},
             "kv": {"aibox/git-token/git.example": {"secret": "canary-1", "user": "bot"}}}
            """
        }

        func keeper(
            _ credentials: Configuration.Credentials, lent: [String: Int64] = [:],
            outlet: LeaseKeeper.Outlet = LeaseKeeper.Outlet(
                tell: { (_) throws(AiboxError) in true }, record: { (_) throws(AiboxError) in })
        ) throws -> LeaseKeeper {
            try LeaseKeeper(
                LeaseKeeperSettings(
                    vault: LeaseRevocationSettings(
                        credentials: credentials.texts, folder: folder + "/leases", key: folder + "/leases.key",
                        audit: GatewaySettings.AuditPlace(folder: "", checkpoints: "", session: "0123456789abcdef"),
                        user: "x"), sandbox: "box", runFolder: "", modelGateway: "", lent: lent, revokesOnStop: true),
                paths: paths, outlet: outlet)
        }

        func settings(
            _ auth: Configuration.Credentials.VaultAuth, role: String = "aibox",
            _ change: (inout Configuration.Credentials) -> Void = { _ in }
        ) -> Configuration.Credentials {
            var settings = Configuration.Credentials()
            settings.store = .vault
            settings.vaultAddress = "https://localhost:" + port
            settings.vaultCA = folder + "/lab.crt"
            settings.vaultAuth = auth
            settings.vaultRole = role
            settings.vaultAudience = "vault.test"
            settings.vaultSecretPath = folder + "/ci.pem"
            settings.spiffeEndpoint = "unix://\(folder)/api.sock"
            change(&settings)
            return settings
        }

        var paths: Paths {
            Paths(identity: UserIdentity(uid: 0, gid: 0, name: "x", home: folder), environment: [:])
        }

        func store(
            _ auth: Configuration.Credentials.VaultAuth, role: String = "aibox", environment: [String: String] = [:],
            _ change: (inout Configuration.Credentials) -> Void = { _ in }
        ) throws -> VaultStore {
            try VaultStore(settings(auth, role: role, change), paths: paths, environment: environment)
        }

        func change(_ state: String) throws { try File.replace(folder + "/state.json", with: state) }

        /// None if nobody asked.
        var requests: [String] {
            ((try? File.text(folder + "/requests.jsonl")) ?? "").split(separator: "\n").map(String.init)
        }
    }

    private static let git = "git-token:git.example"
    private static let id = "spiffe://lab.test/aibox"

    @Test("a JWT-SVID logs in, for Vault's own audience, and the login is taken back")
    func jwt() throws {
        let lab = try SpiffeVaultLab()
        let store = try lab.store(.spiffeJWT)
        try store.check()
        #expect(try store.identity()?.hasPrefix(Self.id + " until ") == true)
        #expect(try store.secret(for: try CredentialName(Self.git))?.text == "canary-1")
        let asked = lab.requests
        #expect(asked.count == 3 && asked[0].contains("/v1/auth/jwt/login") && asked[2].contains("revoke-self"))
        #expect(asked.allSatisfy { $0.contains(#""peer": null"#) }, "no certificate is shown")
        // Without an audience of its own it is Vault's address.
        try lab.change(SpiffeVaultLab.state(audience: "https://localhost:" + lab.port))
        let plain = try lab.store(.spiffeJWT) { $0.vaultAudience = "" }
        #expect(try plain.secret(for: try CredentialName(Self.git))?.text == "canary-1")
        // Bound to another audience, subject or role, it opens nothing.
        #expect(throws: AiboxError.self) { try store.read(try CredentialName(Self.git)) }
        try lab.change(SpiffeVaultLab.state(subject: Self.id + "/x"))
        #expect(throws: AiboxError.self) { try store.read(try CredentialName(Self.git)) }
        try lab.change(SpiffeVaultLab.state())
        #expect(throws: AiboxError.self) {
            try lab.store(.spiffeJWT, role: "admin").read(try CredentialName(Self.git))
        }
    }

    @Test("an X.509-SVID logs in over mutual TLS, and every request of the session is made under it")
    func x509() throws {
        let lab = try SpiffeVaultLab()
        for role in ["aibox", ""] {
            let store = try lab.store(.spiffeX509, role: role)
            #expect(try store.identity()?.hasPrefix(Self.id + " until ") == true)
            #expect(try store.secret(for: try CredentialName(Self.git))?.text == "canary-1")
        }
        let asked = lab.requests
        #expect(asked.count == 6 && asked[0].contains("/v1/auth/cert/login"))
        #expect(asked.allSatisfy { $0.contains(#""peer": ["\#(Self.id)"]"#) })
        for role in ["other", "ci", "admin"] {
            let error = #expect(throws: AiboxError.self) {
                try lab.store(.spiffeX509, role: role).read(try CredentialName(Self.git))
            }
            #expect(error?.description.contains("cannot log in to Vault") == true)
        }
        // With authorities in between, and after a rotation.
        try lab.workload.change(#"{"fault": "x509-middle", "generation": 2}"#)
        #expect(try lab.store(.spiffeX509).secret(for: try CredentialName(Self.git))?.text == "canary-1")
    }

    @Test(
        "a certificate that is rotated makes the keeper of leases log in anew at once; one taken back ends what is lent"
    )
    func keeper() throws {
        let lab = try SpiffeVaultLab()
        let rules = SpiffeVaultLab.state().replacing(
            "\"kv\": {",
            with: """
                "dynamic": {"db/creds/app": {"ttl": 3000, "max_ttl": 86400,
                            "data": {"username": "user-%n", "password": "canary-secret-%n"}}},
                "kv": {"aibox/custom/app": {"dynamic": "db/creds/app", "hosts": "app.example", "member": "password"},
                """)
        try lab.change(rules)
        var clock = Double(Timestamp.now.seconds)
        var told: [CredentialChange] = []
        let keeper = try lab.keeper(
            lab.settings(.spiffeX509), lent: ["custom:app": Int64(clock) + 36_000],
            outlet: LeaseKeeper.Outlet(
                tell: { (change) throws(AiboxError) in
                    told.append(change)
                    return true
                }, record: { (_) throws(AiboxError) in }, now: { clock }, steady: { clock }, chance: { 0.5 }))
        func logins() -> Int { lab.requests.count { $0.contains("auth/cert/login") } }
        func pass(_ seconds: Double) {
            let end = clock + seconds
            while let pause = keeper.pause, clock + pause <= end {
                clock += pause
                keeper.work()
            }
            clock = end
        }
        let follower = try #require(try keeper.followIdentity())
        defer { follower.end() }
        func next() throws -> X509SVIDWatcher.Update {
            var waiting = pollfd(fd: follower.news.number, events: Int16(POLLIN), revents: 0)
            try #require(poll(&waiting, 1, 20_000) == 1, "nothing came")
            return try #require(follower.take())
        }
        #expect(try keeper.begin().first?.places.first?.secret == "canary-secret-1")
        // What the login was made with is no news.
        #expect(keeper.heard(try next()) == nil)
        pass(60)
        #expect(logins() == 1 && told.isEmpty)
        let count = lab.requests.count
        try lab.workload.change(#"{"generation": 2}"#)
        #expect(keeper.heard(try next()) == nil)
        pass(1)
        #expect(logins() == 2 && told.last?.places.first?.secret == "canary-secret-2")
        #expect(lab.requests.dropFirst(count).allSatisfy { $0.contains(#""peer": ["\#(Self.id)"]"#) })
        // An agent that does so all the time makes no storm of logins.
        for generation in 3..<8 {
            try lab.workload.change("{\"generation\": \(generation)}")
            #expect(keeper.heard(try next()) == nil)
            pass(1)
        }
        #expect(logins() == 2)
        pass(10)
        #expect(logins() == 3)
        // The former logins end, with what was lent by them.
        pass(400)
        let leases = { try File.text(lab.folder + "/leases.json").split(separator: "\"state\": \"live\"").count - 1 }
        #expect(try leases() == 1)
        try lab.workload.fault("permission-denied")
        let reason = try #require(keeper.heard(try next()))
        #expect(reason.contains("no SPIFFE identity"))
        keeper.takeBackAll(reason: reason)
        #expect(told.last?.isRevocation == true && keeper.isEmpty)
        #expect(keeper.settle(reason: reason) == nil)
        #expect(try leases() == 0)
    }

    @Test("of several identities the settings choose; without a choice the start says what there is")
    func several() throws {
        let lab = try SpiffeVaultLab()
        let other = "spiffe://lab.test/billing"
        func fails(_ auth: Configuration.Credentials.VaultAuth, _ words: [String], _ id: String) {
            let error = #expect(throws: AiboxError.self) {
                try lab.store(auth) { $0.spiffeID = id }.read(try CredentialName(Self.git))
            }
            for word in words { #expect(error?.description.contains(word) == true, "\(error?.description ?? "")") }
        }
        for auth in [Configuration.Credentials.VaultAuth.spiffeJWT, .spiffeX509] {
            // Whichever comes first.
            for (first, second) in [(Self.id, other), (other, Self.id)] {
                try lab.workload.change(#"{"id": "\#(first)", "others": ["\#(second)"]}"#)
                fails(auth, ["several identities", Self.id + ", " + other, "credentials.spiffe_id"], "")
                #expect(lab.requests.isEmpty, "nobody is shown any")
                for id in [Self.id, other] {
                    let store = try lab.store(auth) { $0.spiffeID = id }
                    #expect(try store.identity()?.hasPrefix(id + " until ") == true)
                }
            }
            // One name with two entries is one identity.
            try lab.workload.change(#"{"others": ["\#(Self.id)"]}"#)
            #expect(try lab.store(auth).identity()?.hasPrefix(Self.id + " until ") == true)
        }
        try lab.workload.change(#"{"others": ["\#(other)"]}"#)
        fails(
            .spiffeX509, ["does not offer", Self.id + ", " + other + ", not spiffe://lab.test/gone"],
            Self.id.replacing("aibox", with: "gone"))
        fails(.spiffeJWT, ["no SPIFFE identity"], "spiffe://lab.test/gone")
        // An agent that answers with all, though one was asked for.
        try lab.workload.change(#"{"fault": "jwt-all", "others": ["\#(other)"]}"#)
        fails(.spiffeJWT, ["does not offer"], "spiffe://lab.test/gone")
        fails(.spiffeJWT, ["is no workload's SPIFFE ID"], "spiffe://lab.test")
        let store = try lab.store(.spiffeX509) { $0.spiffeID = Self.id }
        #expect(try store.secret(for: try CredentialName(Self.git))?.text == "canary-1")
    }

    @Test(
        "a keeper that began as one workload goes on as it, whatever else the agent has; taken back, nothing takes its place"
    )
    func stays() throws {
        let lab = try SpiffeVaultLab()
        let keeper = try lab.keeper(lab.settings(.spiffeX509))
        _ = try keeper.begin()
        let follower = try #require(try keeper.followIdentity())
        defer { follower.end() }
        func next() throws -> X509SVIDWatcher.Update {
            var waiting = pollfd(fd: follower.news.number, events: Int16(POLLIN), revents: 0)
            try #require(poll(&waiting, 1, 20_000) == 1, "nothing came")
            return try #require(follower.take())
        }
        _ = try next()
        try lab.workload.change(#"{"generation": 2, "id": "spiffe://lab.test/zzz", "others": ["\#(Self.id)"]}"#)
        guard case .svid(let svid) = try next() else {
            Issue.record("it is there")
            return
        }
        #expect(svid.id.description == Self.id)
        try lab.workload.change(#"{"generation": 3, "id": "spiffe://lab.test/zzz"}"#)
        #expect(keeper.heard(try next())?.contains("does not offer the identity") == true)
        #expect(keeper.settle(reason: "over") == nil)
    }

    @Test("only a login with an X.509-SVID has one to follow")
    func followed() throws {
        let lab = try SpiffeVaultLab()
        for auth in [Configuration.Credentials.VaultAuth.spiffeJWT, .cert] {
            var vault = lab.settings(auth)
            vault.vaultRole = auth == .cert ? "ci" : "aibox"
            let keeper = try lab.keeper(vault)
            #expect(try keeper.followIdentity() == nil)
        }
    }

    @Test("a certificate in a file logs in, if the file is this user's own and holds all of it")
    func certificate() throws {
        let lab = try SpiffeVaultLab()
        let store = try lab.store(.cert, role: "ci")
        try store.check()
        #expect(try store.identity()?.hasPrefix("urn:ci until ") == true)
        #expect(try store.secret(for: try CredentialName(Self.git))?.text == "canary-1")
        #expect(lab.requests.allSatisfy { $0.contains(#""peer": ["urn:ci"]"#) } && lab.requests.count == 3)
        func fails(_ words: String, _ name: String, _ text: String) throws {
            try File.replace(lab.folder + "/" + name, with: text)
            let error = #expect(throws: AiboxError.self, "\(words)") {
                try lab.store(.cert, role: "ci") { $0.vaultSecretPath = lab.folder + "/" + name }
                    .read(try CredentialName(Self.git))
            }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
            #expect(error?.description.contains("BEGIN") != true)
        }
        let (certificate, key) = (try File.text(lab.folder + "/ci.crt"), try File.text(lab.folder + "/ci.key"))
        try fails("there is none, or it is encrypted", "no-key.pem", certificate)
        try fails("cannot read certificates", "no-certificate.pem", key)
        try fails("does not fit", "other.pem", certificate + File.text(lab.folder + "/ca.key"))
        try fails("cannot read certificates", "garbage.pem", "garbage")
        let broken = certificate.replacing("-----END", with: "!!!!\n-----END")
        try fails("cannot be read", "broken.pem", certificate + broken + key)
        try SystemCommandRunner().require(
            Command(
                "openssl",
                [
                    "pkcs8", "-topk8", "-in", lab.folder + "/ci.key", "-passout", "pass:x", "-out",
                    lab.folder + "/encrypted.key",
                ]), "openssl")
        // Nobody is asked for its passphrase: a test would wait for ever.
        try fails("encrypted", "locked.pem", certificate + File.text(lab.folder + "/encrypted.key"))
        try SystemCommandRunner().require(Command("chmod", ["644", lab.folder + "/ci.pem"]), "chmod")
        #expect(throws: AiboxError.self) { try store.read(try CredentialName(Self.git)) }
    }

    @Test(
        "without an identity that holds, Vault is not asked at all, and no other login takes its place",
        arguments: [
            ("permission-denied", "no SPIFFE identity"), ("unavailable", "agent runs"), ("jwt-audience", "not for"),
            ("x509-foreign", "authority"), ("silent-socket", "no socket"),
        ])
    func noIdentity(fault: String, words: String) throws {
        let lab = try SpiffeVaultLab()
        try File.replace(lab.folder + "/.vault-token", with: "t-1")
        try lab.workload.fault(fault)
        let auth: Configuration.Credentials.VaultAuth = fault.hasPrefix("x509") ? .spiffeX509 : .spiffeJWT
        if fault == "silent-socket" { lab.workload.stop() }
        let settings = lab.settings(auth) {
            if fault == "silent-socket" { $0.spiffeEndpoint = "unix:///nonexistent/api.sock" }
            // As it is by default, with a token that would do.
            $0.vaultSecretPath = "~/.vault-token"
        }
        let store = try VaultStore(settings, paths: lab.paths, environment: [:])
        let file = try FileStoreLab()
        let available = AvailableStores(
            environment: EnvironmentStore([:]), command: nil, keyring: SecretServiceStore(environment: [:]),
            file: file.store(), vault: store)
        let error = #expect(throws: AiboxError.self) {
            try CredentialStores(settings, of: available).read(try CredentialName(Self.git))
        }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        #expect(lab.requests.isEmpty)
        let state = try #require(available.states.first { $0.kind == .vault })
        #expect(state.problem?.description.contains(words) == true && state.identity == nil)
    }

    @Test("what is missing or wrong in the settings is told before anybody is asked")
    func settings() throws {
        let lab = try SpiffeVaultLab()
        func fails(_ words: String, _ body: () throws -> VaultStore) {
            let error = #expect(throws: AiboxError.self) { try body() }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
        fails("needs a role") { try lab.store(.spiffeJWT, role: "") }
        fails("neither credentials.spiffe_endpoint nor SPIFFE_ENDPOINT_SOCKET") {
            try lab.store(.spiffeX509) { $0.spiffeEndpoint = "" }
        }
        fails("over tcp") {
            try lab.store(.spiffeX509, environment: ["SPIFFE_ENDPOINT_SOCKET": "tcp://127.0.0.1:1"]) {
                $0.spiffeEndpoint = ""
            }
        }
        let store = try lab.store(
            .spiffeX509, environment: ["SPIFFE_ENDPOINT_SOCKET": "unix://\(lab.folder)/api.sock"]
        ) { $0.spiffeEndpoint = "" }
        #expect(try store.secret(for: try CredentialName(Self.git))?.text == "canary-1")
        #expect(try lab.workload.calls.count == 1)
    }

    @Test("a namespace goes with the login; a server that nobody vouches for is shown no identity")
    func namespaces() throws {
        let lab = try SpiffeVaultLab()
        try lab.change(SpiffeVaultLab.state(namespace: "team/a"))
        for auth in [Configuration.Credentials.VaultAuth.spiffeJWT, .spiffeX509] {
            #expect(throws: AiboxError.self) { try lab.store(auth).read(try CredentialName(Self.git)) }
            let store = try lab.store(auth) { $0.vaultNamespace = "team/a" }
            #expect(try store.secret(for: try CredentialName(Self.git))?.text == "canary-1")
            let count = lab.requests.count
            let error = #expect(throws: AiboxError.self) {
                try lab.store(auth) { $0.vaultCA = lab.folder + "/ca.crt" }.read(try CredentialName(Self.git))
            }
            #expect(error?.description.contains("certificate") == true && lab.requests.count == count)
        }
    }

    @Test(
        "the script for real servers tries its whole table against the lab's, with every method, and says what does not hold"
    )
    func script() throws {
        let lab = try SpiffeVaultLab()
        let folder = (0..<4).reduce(#filePath) { path, _ in Path.parent(path) } + "/scripts"
        let program = try AiboxProgram()
        for (name, text) in [("token", "t-1\n"), ("secret-id", "s-1\n"), ("jwt", "j-1")] {
            try File.replace(lab.folder + "/" + name, with: text)
        }
        try lab.change(
            SpiffeVaultLab.state(namespace: "team/a").replacing(
                "\"tokens\": {}, \"approle\": {}, \"jwt\": {}",
                with: "\"tokens\": {\"t-1\": \"p\"}, \"approle\": {\"r-1\": \"s-1\"}, \"jwt\": {\"ci\": \"j-1\"}"))
        func run(_ change: [String: String] = [:], only: Set<String>? = nil) throws -> CommandResult {
            var variables = [
                "SPIFFE_ENDPOINT_SOCKET": "unix://\(lab.folder)/api.sock",
                "AIBOX_TEST_VAULT_ADDR": "https://localhost:" + lab.port,
                "AIBOX_TEST_VAULT_CA": lab.folder + "/lab.crt", "AIBOX_TEST_VAULT_NAMESPACE": "team/a",
                "AIBOX_TEST_JWT_AUDIENCE": "vault.test",
            ]
            let methods = [
                "token": ["AIBOX_TEST_TOKEN_FILE": lab.folder + "/token"],
                "approle": [
                    "AIBOX_TEST_APPROLE_ROLE": "r-1", "AIBOX_TEST_APPROLE_FILE": lab.folder + "/secret-id",
                ],
                "jwt": ["AIBOX_TEST_SIGNED_ROLE": "ci", "AIBOX_TEST_SIGNED_FILE": lab.folder + "/jwt"],
                "cert": ["AIBOX_TEST_PEM_ROLE": "ci", "AIBOX_TEST_PEM_FILE": lab.folder + "/ci.pem"],
                "spiffe-jwt": ["AIBOX_TEST_JWT_ROLE": "aibox"], "spiffe-x509": ["AIBOX_TEST_CERT_ROLE": "aibox"],
            ]
            for (method, own) in methods where only?.contains(method) != false { variables.merge(own) { $1 } }
            variables.merge(change) { $1 }
            return try SystemCommandRunner().run(
                Command(
                    folder + "/vault-spire-tests", [program.path], environment: variables.mapValues { $0 as String? }),
                timeout: .seconds(300))
        }
        let result = try run()
        #expect(result.succeeded && !result.text.contains("FAILED"), "\(result.text)\(result.errorText)")
        let lines = result.text.split(separator: "\n")
        #expect(lines.first?.contains("not tried: the login of aibox-lease-keeper") == true)
        // Every row of the table, once for each method that it is for.
        let rows = try File.text(folder + "/vault-spire-cases").split(separator: "\n").filter { !$0.hasPrefix("#") }
        let reach = ["all": 6, "file": 4, "spiffe": 2]
        let count = rows.map { row in reach[String(row.prefix { $0 != "\t" })] ?? 1 }.reduce(0, +)
        #expect(rows.count > 25 && lines.last == "== \(count) tried, 0 not, for want of a value", "\(lines.last ?? "")")
        #expect(lines.count { $0.hasSuffix(": holds") } == count)
        let failed = try run(["AIBOX_TEST_JWT_AUDIENCE": "another"], only: ["spiffe-jwt"])
        #expect(failed.termination == .exited(1) && failed.text.contains("FAILED"))
        #expect(try run(only: []).termination == .exited(64))
        let plain = try run(["AIBOX_TEST_VAULT_NAMESPACE": ""], only: ["token"])
        #expect(plain.text.contains("FAILED"), "it is in a namespace")
        #expect(plain.text.contains("1 not, for want of a value"), "\(plain.text)")
    }
}
