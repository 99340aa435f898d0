public import AiboxConfig
import AiboxCrypto
public import AiboxSystem
import AiboxWire

/// Credentials in HashiCorp Vault (or OpenBao), secrets engine KV version 2: `MOUNT/TYPE/WHICH`, such as
/// `aibox/git-token/github.com`, with the members `secret`, or `dynamic` (a path that makes one), and as needed `hosts`
/// (separated by commas or as a list), `user`, `place` and `expires`. Only read: who may change them is Vault's to say.
///
/// Each use logs in, and takes its token back at the end.
public struct VaultStore: CredentialStore {
    public let kind = CredentialStoreKind.vault
    var client: VaultClient
    private let mount: String
    private let address: String

    /// - Parameter environment: may say where the SPIFFE Workload API is.
    /// - Throws: if the settings do not say all that is needed.
    public init(
        _ settings: Configuration.Credentials, paths: Paths, environment: [String: String] = Environment.all
    ) throws(AiboxError) {
        let start = "https://"
        guard settings.vaultAddress.hasPrefix(start) else {
            throw AiboxError(
                .failed, "credentials.vault_addr is no https URL", why: "a token is never sent in the clear",
                remedy: "aibox config set credentials.vault_addr https://HOST:8200")
        }
        var authority = settings.vaultAddress.dropFirst(start.count)
        if authority.last == "/" { authority.removeLast() }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard !authority.contains("/"), let host = parts.first, let port = UInt16(parts.count > 1 ? parts[1] : "443")
        else {
            throw AiboxError(
                .failed, "credentials.vault_addr has a path",
                remedy: "aibox config set credentials.vault_addr https://HOST:8200")
        }
        let login = try Self.login(settings, environment)
        client = VaultClient(
            exchange: HTTPSExchange(
                host: String(host), port: port,
                authorities: settings.vaultCA.isEmpty ? nil : paths.absolute(settings.vaultCA, base: paths.home),
                timeout: .seconds(10)),
            namespace: settings.vaultNamespace, login: login,
            loginMount: settings.vaultAuthMount.isEmpty ? login.method : settings.vaultAuthMount,
            secretPath: paths.absolute(settings.vaultSecretPath, base: paths.home))
        mount = settings.vaultMount
        address = settings.vaultAddress
    }

    /// Each is a request of its own.
    static let most = 500

    public var place: String { address }

    /// A login would be an act; whether there is what it needs is none.
    public func check() throws(AiboxError) { try client.check() }

    /// Whom Vault would be shown, and until when; nil where it is shown a secret of a file.
    ///
    /// - Throws: if whoever knows that does not say it: the SPIFFE Workload API, which is asked, or the file.
    public func identity() throws(AiboxError) -> String? { try client.identity() }

    private static func login(
        _ settings: Configuration.Credentials, _ environment: [String: String]
    ) throws(AiboxError) -> VaultLogin {
        func api() throws(AiboxError) -> WorkloadAPI {
            var api = WorkloadAPI(try WorkloadEndpoint(setting: settings.spiffeEndpoint, environment: environment))
            if !settings.spiffeID.isEmpty { api.chosen = try SpiffeID(workload: settings.spiffeID) }
            return api
        }
        let role = settings.vaultRole
        if role.isEmpty, [.approle, .jwt, .spiffeJWT].contains(settings.vaultAuth) {
            throw AiboxError(
                .failed, "credentials.vault_auth needs a role", remedy: "aibox config set credentials.vault_role ROLE")
        }
        switch settings.vaultAuth {
        case .token: return .token
        case .approle: return .appRole(role: role)
        case .jwt: return .jwt(role: role)
        case .cert: return .certificate(role: role)
        case .spiffeJWT:
            let audience = settings.vaultAudience.isEmpty ? settings.vaultAddress : settings.vaultAudience
            return .spiffeJWT(role: role, audience: audience, try api())
        case .spiffeX509: return .spiffeX509(role: role, try api())
        }
    }

    public func list() throws(AiboxError) -> [Credential] {
        try client.session { (session) throws(AiboxError) in
            var names: [CredentialName] = []
            for type in CredentialType.allCases {
                for key in try session.names(mount, type.rawValue) {
                    // A folder, or what has no name of a credential, is somebody else's.
                    if let name = try? CredentialName(type.rawValue + ":" + key) { names.append(name) }
                }
            }
            if names.count > Self.most {
                throw AiboxError(
                    .failed, "Vault's \(mount) cannot be used", why: "it holds more than \(Self.most) credentials",
                    remedy: "have a secrets engine for this user, and set credentials.vault_mount to it")
            }
            var found: [Credential] = []
            for name in names {
                if let entry = try entry(name, session) { found.append(entry.credential) }
            }
            return found.sorted { $0.name < $1.name }
        }
    }

    /// - Throws: also for a dynamic secret: it is made for a sandbox, whose keeper takes it back.
    public func read(_ name: CredentialName) throws(AiboxError) -> StoredCredential? {
        guard let entry = try client.session({ (session) throws(AiboxError) in try entry(name, session) }) else {
            return nil
        }
        if case .fixed(let secret) = entry.source { return StoredCredential(entry.credential, secret) }
        throw AiboxError(
            .failed, "\(name) is made by Vault for each sandbox", why: "it has no secret of its own to read",
            remedy: "aibox start lends it")
    }

    /// What KV says; makes no secret.
    func entry(_ name: CredentialName, _ session: VaultClient.Session) throws(AiboxError) -> VaultEntry? {
        // A colon before a port is the one character of a name that a path spells otherwise.
        let path = name.type.rawValue + "/" + name.qualifier.replacing(":", with: "%3A")
        guard let data = try session.read(mount, path) else { return nil }
        do { return try VaultEntry(name, data) } catch {
            throw AiboxError(
                .failed, "Vault's entry of \(name) cannot be used",
                why: "a member is missing, unknown or of the wrong kind",
                remedy: "docs/credentials.md says what it has to hold")
        }
    }

    public func write(_ stored: StoredCredential) throws(AiboxError) {
        throw refuseChange(
            "vault kv put \(mount)/\(stored.credential.name.type.rawValue)/\(stored.credential.name.qualifier) secret=-"
        )
    }

    public func remove(_ name: CredentialName) throws(AiboxError) -> Bool {
        throw refuseChange("vault kv delete \(mount)/\(name.type.rawValue)/\(name.qualifier)")
    }
}
