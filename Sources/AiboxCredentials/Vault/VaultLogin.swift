import AiboxCrypto
import AiboxSystem
import AiboxWire

/// How aibox proves to Vault who it is.
enum VaultLogin: Sendable, Equatable {
    /// A token in a file; it is used as it is and not taken back.
    case token
    /// AppRole: the role id, and the secret id in the file.
    case appRole(role: String)
    /// JWT or OIDC: the role, and the signed token in the file.
    case jwt(role: String)
    /// TLS certificates: the role, or empty for whichever fits; certificate and key in the file.
    case certificate(role: String)
    /// JWT, with a JWT-SVID for that audience.
    case spiffeJWT(role: String, audience: String, WorkloadAPI)
    /// TLS certificates, with the X.509-SVID.
    case spiffeX509(role: String, WorkloadAPI)

    /// The path under `auth/` where the method is enabled unless somebody chose another.
    var method: String {
        switch self {
        case .token: "token"
        case .appRole: "approle"
        case .jwt, .spiffeJWT: "jwt"
        case .certificate, .spiffeX509: "cert"
        }
    }

    /// The Workload API that it asks; nil where a file holds what it shows.
    var workloadAPI: WorkloadAPI? {
        switch self {
        case .token, .appRole, .jwt, .certificate: nil
        case .spiffeJWT(_, _, let api), .spiffeX509(_, let api): api
        }
    }

    /// The same, for that workload and no other.
    func pinned(to id: SpiffeID?) -> VaultLogin {
        guard let id else { return self }
        switch self {
        case .token, .appRole, .jwt, .certificate: return self
        case .spiffeJWT(let role, let audience, var api):
            api.chosen = id
            return .spiffeJWT(role: role, audience: audience, api)
        case .spiffeX509(let role, var api):
            api.chosen = id
            return .spiffeX509(role: role, api)
        }
    }
}

extension VaultClient {
    /// Proves who this is, in the one way that the settings name (developer.hashicorp.com/vault/api-docs/auth).
    ///
    /// - Returns: the login, whose client goes on with the certificate that was shown, where one was: Vault may bind the token to it.
    func open() throws(AiboxError) -> Session {
        switch login {
        case .token: return Session(client: self, token: try storedSecret(), facts: nil)
        case .appRole(let role):
            return try logIn(["role_id": .string(role), "secret_id": .string(try storedSecret().text)])
        case .jwt(let role):
            return try logIn(["role": .string(role), "jwt": .string(try storedSecret().text)])
        case .certificate(let role): return try logIn(try storedIdentity(), role)
        case .spiffeJWT(let role, let audience, let api):
            let svid = try api.jwtSVID(audience: audience)
            return try logIn(["role": .string(role), "jwt": .string(svid.token.text)], as: svid.id)
        case .spiffeX509(let role, let api):
            let svid = try api.x509SVID()
            return try logIn(svid.identity, role, as: svid.id)
        }
    }

    /// Whom it would show, with the end of that: nil where a file holds a secret that says nothing.
    func identity() throws(AiboxError) -> String? {
        switch login {
        case .token, .appRole, .jwt: return nil
        case .certificate:
            let leaf = try storedIdentity().chain.leaf()
            return "\(leaf.uris.first ?? leaf.subject) until \(leaf.notAfter.local)"
        case .spiffeJWT(_, let audience, let api):
            let svid = try api.jwtSVID(audience: audience)
            return "\(svid.id) until \(svid.expires.local)"
        case .spiffeX509(_, let api):
            let svid = try api.x509SVID()
            return "\(svid.id) until \(svid.expires.local)"
        }
    }

    private func logIn(_ body: JSONObject, as id: SpiffeID? = nil) throws(AiboxError) -> Session {
        let what = "cannot log in to Vault"
        let answer = try send("POST", "auth/\(loginMount)/login", token: nil, JSONValue.object(body).bytes)
        let auth = Self.json(answer)?["auth"]
        if answer.status == 200, case .object? = auth?["mfa_requirement"] {
            throw AiboxError(
                .failed, what, why: "it wants a second factor, which no program has",
                remedy: "have a role of its own made for aibox, without Vault's login MFA")
        }
        guard answer.status == 200, let auth, let token = auth["client_token"]?.stringValue,
            let secret = try? Secret(token)
        else { throw Self.failure(what, answer) }
        var client = self
        client.login = login.pinned(to: id)
        return Session(client: client, token: secret, facts: VaultToken(auth: auth))
    }

    private func logIn(
        _ identity: TLSClientIdentity, _ role: String, as id: SpiffeID? = nil
    ) throws(AiboxError) -> Session {
        var client = self
        client.exchange.identity = identity
        return try client.logIn(role.isEmpty ? [:] : ["name": .string(role)], as: id)
    }

    private func storedSecret() throws(AiboxError) -> Secret {
        var bytes = try storedBytes()
        defer { bytes.wipe() }
        while bytes.last == UInt8(ascii: "\n") || bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return try Secret(bytes)
    }

    private func storedIdentity() throws(AiboxError) -> TLSClientIdentity {
        var bytes = try storedBytes()
        defer { bytes.wipe() }
        do throws(AiboxError) { return try TLSClientIdentity(pem: bytes) } catch {
            throw AiboxError(
                .failed, "cannot log in to Vault", why: "\(secretPath): \(error.reason)",
                remedy: "put the certificate, those that vouch for it, and the key into it as PEM")
        }
    }

    private func storedBytes() throws(AiboxError) -> [UInt8] {
        if let bytes = try PrivateFile.read(secretPath, limit: Secret.longest) { return bytes }
        throw AiboxError(
            .failed, "cannot log in to Vault", why: "\(secretPath) is not there",
            remedy: "aibox config set credentials.vault_secret_path FILE")
    }

    /// - Throws: if what the login needs is plainly not there. Asks nobody.
    func check() throws(AiboxError) {
        if let file = exchange.authorities {
            do throws(AiboxError) { try TLSConnection.check(authorities: file) } catch {
                throw AiboxError(
                    .failed, error.what, why: error.why, remedy: "aibox config set credentials.vault_ca FILE")
            }
        }
        guard let api = login.workloadAPI else {
            _ = try storedBytes()
            return
        }
        if !File.isSocket(api.endpoint.path) {
            throw AiboxError(
                .failed, "cannot get a SPIFFE identity from \(api.endpoint.path)", why: "there is no socket",
                remedy: "start the SPIFFE agent, or aibox config set credentials.spiffe_endpoint unix:///PATH/TO/SOCKET"
            )
        }
    }
}
