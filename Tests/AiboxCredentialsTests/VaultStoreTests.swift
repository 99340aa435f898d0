import AiboxConfig
import AiboxCredentials
import AiboxSystem
import AiboxTestSupport
import Testing

/// Against a server that follows Vault's public API documents (Tests/lab/vault_server.py): no Vault is at hand.
@Suite("Vault")
struct VaultStoreTests {
    private final class VaultLab {
        let folder: TemporaryFolder
        let port: String
        private let server: LabProcess

        private static var script: String { Path.parent(Path.parent(#filePath)) + "/lab/vault_server.py" }

        init() throws {
            folder = try TemporaryFolder()
            let base = folder.path + "/lab"
            try SystemCommandRunner().require(
                Command(
                    "openssl",
                    [
                        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", base + ".key", "-out",
                        base + ".crt",
                    ]), "openssl makes no certificate")
            try File.replace(base + ".pem", with: try File.text(base + ".crt") + File.text(base + ".key"))
            try File.replace(folder.path + "/state.json", with: Self.state())
            server = try LabProcess(Command("python3", [Self.script, base + ".pem", folder.path]), ready: "ready")
            port = try File.text(folder.path + "/port")
            for (name, text) in [("token", "t-1\n"), ("secret-id", "s-1\n"), ("jwt", "j-1")] {
                try File.replace(folder.path + "/" + name, with: text)
            }
        }

        static func state(_ more: String = "", namespace: String = "") -> String {
            """
            {"namespace": "\(namespace)", "tokens": {"t-1": "p"}, "approle": {"r-1": "s-1"}, "jwt": {"aibox": "j-1"}, \(more)
             "kv": {"aibox/git-token/git.example": {"secret": "canary-1", "user": "bot"},
                    "aibox/git-token/git.example:8443": {"secret": "canary-2", "hosts": "git.example:8443/team"},
                    "aibox/git-token/gone.example": null, "aibox/git-token/not a host": {"secret": "x"},
                    "aibox/git-token/folder/x": {"secret": "x"},
                    "aibox/custom/tracker": {"secret": "canary-3", "hosts": ["a.example", "b.example"], "place": "header:X-Key",
                                             "expires": 1893456000}}}
            """
        }

        func settings(_ change: (inout Configuration.Credentials) -> Void = { _ in }) -> Configuration.Credentials {
            var settings = Configuration.Credentials()
            settings.store = .vault
            settings.vaultAddress = "https://localhost:" + port
            settings.vaultCA = folder.path + "/lab.crt"
            settings.vaultSecretPath = folder.path + "/token"
            change(&settings)
            return settings
        }

        func store(_ change: (inout Configuration.Credentials) -> Void = { _ in }) throws -> VaultStore {
            try VaultStore(
                settings(change),
                paths: Paths(
                    identity: UserIdentity(uid: 0, gid: 0, name: "x", home: folder.path), environment: [:]))
        }

        func change(_ state: String) throws { try File.replace(folder.path + "/state.json", with: state) }

        var requests: [String] {
            get throws { try File.text(folder.path + "/requests.jsonl").split(separator: "\n").map(String.init) }
        }
    }

    private static let git = "git-token:git.example"

    @Test("what Vault holds is read and listed, bound as it says")
    func reads() throws {
        let lab = try VaultLab()
        let store = try lab.store()
        try store.check()
        let found = try #require(try store.read(try CredentialName(Self.git)))
        #expect(found.secret.text == "canary-1" && found.credential.user == "bot")
        let port = try #require(try store.read(try CredentialName(Self.git + ":8443")))
        #expect(
            port.secret.text == "canary-2"
                && port.credential.destinations.map(\.description) == ["git.example:8443/team"])
        let custom = try #require(try store.read(try CredentialName("custom:tracker")))
        #expect(custom.credential.destinations.count == 2 && custom.credential.place == .header("x-key"))
        #expect(custom.credential.expires == Timestamp(seconds: 1_893_456_000))
        for name in ["git-token:gone.example", "git-token:none.example", "llm-api-key:openai"] {
            #expect(try store.read(try CredentialName(name)) == nil)
        }
        #expect(try store.list().map(\.name.description) == [Self.git, Self.git + ":8443", "custom:tracker"])
        #expect(throws: AiboxError.self) { try store.write(found) }
        #expect(throws: AiboxError.self) { try store.remove(found.credential.name) }
        #expect(
            try !lab.requests.contains { $0.contains("revoke") || $0.contains("login") }, "the token is somebody else's"
        )
    }

    @Test("AppRole and JWT log in for each use, and the token is taken back", arguments: ["approle", "jwt"])
    func logins(method: String) throws {
        let lab = try VaultLab()
        let store = try lab.store {
            $0.vaultAuth = method == "jwt" ? .jwt : .approle
            $0.vaultRole = method == "jwt" ? "aibox" : "r-1"
            $0.vaultSecretPath = lab.folder.path + (method == "jwt" ? "/jwt" : "/secret-id")
        }
        #expect(try store.secret(for: try CredentialName(Self.git))?.text == "canary-1")
        let asked = try lab.requests
        #expect(
            asked.count == 3 && asked[0].contains("/v1/auth/\(method)/login") && asked[1].contains("\"known\": true"))
        #expect(asked[2].contains("/v1/auth/token/revoke-self"))
        // Also after a failure.
        try lab.change(VaultLab.state(#""denied": ["aibox/git-token/git.example"],"#))
        let error = #expect(throws: AiboxError.self) { try store.read(try CredentialName(Self.git)) }
        #expect(error?.reason.contains("permission denied") == true)
        #expect(try lab.requests.last?.contains("revoke-self") == true)
        // A login that cannot be taken back is told.
        try lab.change(VaultLab.state(#""revoke": 500,"#))
        #expect(throws: AiboxError.self) { try store.read(try CredentialName(Self.git)) }
    }

    @Test(
        "a login without Vault's policy default is taken back by its accessor")
    func plainLogins() throws {
        let lab = try VaultLab()
        let store = try lab.store {
            $0.vaultAuth = .approle
            $0.vaultRole = "r-1"
            $0.vaultSecretPath = lab.folder.path + "/secret-id"
        }
        try lab.change(VaultLab.state(#""denied": ["auth/token/revoke-self"],"#))
        #expect(try store.secret(for: try CredentialName(Self.git))?.text == "canary-1")
        #expect(try lab.requests.last?.contains("auth/token/revoke-accessor") == true)
        try lab.change(VaultLab.state(#""denied": ["auth/token/revoke-self", "auth/token/revoke-accessor"],"#))
        #expect(throws: AiboxError.self) { try store.read(try CredentialName(Self.git)) }
    }

    @Test("a login that wants a second factor is refused, and says why")
    func secondFactor() throws {
        let lab = try VaultLab()
        let store = try lab.store {
            $0.vaultAuth = .approle
            $0.vaultRole = "r-1"
            $0.vaultSecretPath = lab.folder.path + "/secret-id"
        }
        try lab.change(
            VaultLab.state(#""auth": {"client_token": "", "mfa_requirement": {"mfa_request_id": "1"}},"#))
        let error = #expect(throws: AiboxError.self) { try store.read(try CredentialName(Self.git)) }
        #expect(error?.reason.contains("second factor") == true, "\(error?.reason ?? "")")
    }

    @Test("what is not Vault's word for nothing is an error, and a mount of thousands is not read through")
    func absent() throws {
        let lab = try VaultLab()
        for answer in [
            #""<html>nginx</html>""#, "{}", #"{"errors": ["no handler for route \"aibox/data\""]}"#,
            #"{"errors": [], "warnings": ["Invalid path for a versioned K/V secrets engine."]}"#,
        ] {
            try lab.change(
                VaultLab.state(
                    #""answers": {"aibox/data/git-token/git.example": [404, \#(answer)], "aibox/metadata/custom": [404, \#(answer)]},"#
                ))
            #expect(throws: AiboxError.self, "\(answer)") { try lab.store().read(try CredentialName(Self.git)) }
            #expect(throws: AiboxError.self, "\(answer)") { try lab.store().list() }
        }
        let many = (0...500).map { #""aibox/custom/n\#($0)": {"secret": "x"}"# }.joined(separator: ",")
        try lab.change(VaultLab.state().replacing("\"kv\": {", with: "\"kv\": {\(many), "))
        let before = try lab.requests.count
        let error = #expect(throws: AiboxError.self) { try lab.store().list() }
        #expect(try error?.reason.contains("more than 500") == true && lab.requests.count < before + 10)
    }

    @Test("authorities that are no certificates are told by the check, before anybody is asked")
    func authorities() throws {
        let lab = try VaultLab()
        try lab.store().check()
        try File.replace(lab.folder.path + "/garbage.pem", with: "garbage")
        for file in [lab.folder.path + "/garbage.pem", "/nonexistent/ca.pem"] {
            let error = #expect(throws: AiboxError.self) { try lab.store { $0.vaultCA = file }.check() }
            #expect(error?.description.contains("cannot use the certificates in \(file)") == true)
            #expect(error?.description.contains("credentials.vault_ca") == true)
        }
        #expect(try lab.requests.isEmpty)
    }

    @Test("a namespace goes with every request")
    func namespaces() throws {
        let lab = try VaultLab()
        try lab.change(VaultLab.state(namespace: "team/a"))
        for _ in 0..<2 {
            let error = #expect(throws: AiboxError.self) { try lab.store().read(try CredentialName(Self.git)) }
            #expect(error?.reason.contains("no handler for route") == true, "that is not the same as none")
            #expect(throws: AiboxError.self) { try lab.store().list() }
        }
        let before = try lab.requests.count
        let store = try lab.store { settings in
            settings.vaultNamespace = "team/a"
            settings.vaultAuth = .approle
            settings.vaultRole = "r-1"
            settings.vaultSecretPath = lab.folder.path + "/secret-id"
        }
        #expect(try store.secret(for: try CredentialName(Self.git))?.text == "canary-1")
        #expect(try lab.requests.dropFirst(before).allSatisfy { $0.contains("team/a") })
    }

    @Test("what is wrong is told, and neither token nor secret with it")
    func failures() throws {
        let lab = try VaultLab()
        func fails(_ words: String, _ change: (inout Configuration.Credentials) -> Void) {
            let error = #expect(throws: AiboxError.self, "\(words)") {
                try lab.store(change).read(try CredentialName(Self.git))
            }
            let text = error?.description ?? ""
            #expect(text.contains(words), "\(words): \(text)")
            for secret in ["canary", "t-1", "s-1", "t-wrong"] { #expect(!text.contains(secret)) }
        }
        fails("certificate") { $0.vaultCA = "" }
        fails("no https URL") { $0.vaultAddress = "http://localhost:" + lab.port }
        fails("has a path") { $0.vaultAddress = "https://localhost:\(lab.port)/vault" }
        fails("does not answer") { $0.vaultAddress = "https://localhost:1" }
        fails("needs a role") { $0.vaultAuth = .jwt }
        fails("is not there") { $0.vaultSecretPath = "/nonexistent" }
        try File.replace(lab.folder.path + "/wrong", with: "t-wrong")
        fails("permission denied") { $0.vaultSecretPath = lab.folder.path + "/wrong" }
        fails("cannot log in") { settings in
            settings.vaultAuth = .approle
            settings.vaultRole = "r-2"
        }
        try SystemCommandRunner().require(Command("chmod", ["644", lab.folder.path + "/token"]), "chmod")
        fails("others may touch it") { _ in }
        try SystemCommandRunner().require(Command("chmod", ["600", lab.folder.path + "/token"]), "chmod")
        try lab.change(VaultLab.state(#""sealed": true,"#))
        fails("sealed") { _ in }
        for entry in [
            #"{"secret": 7}"#, #"{"value": "canary"}"#, #"{"secret": "canary\n"}"#,
            #"{"secret": "canary", "hosts": "evil.example"}"#,
            #"{"secret": "canary", "more": 1}"#, #"{"secret": "canary", "place": "cookie"}"#,
        ] {
            try lab.change(
                VaultLab.state().replacing(#"{"secret": "canary-1", "user": "bot"}"#, with: entry))
            fails("cannot be used") { _ in }
        }
    }

    @Test("it is the store of the settings, and keeps nothing new")
    func chosen() throws {
        let lab = try VaultLab()
        let file = try FileStoreLab()
        let stores = try CredentialStores(
            lab.settings(),
            of: AvailableStores(
                environment: EnvironmentStore([:]), command: nil, keyring: SecretServiceStore(environment: [:]),
                file: file.store(), vault: try lab.store()))
        #expect(stores.stores.map(\.kind) == [.vault] && stores.writable == nil)
        #expect(try stores.secret(for: try CredentialName(Self.git))?.text == "canary-1")
        #expect(throws: AiboxError.self) {
            try stores.write(try FileStoreLab.stored(Self.git, "x"))
        }
    }
}
