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
}

extension VaultClient {
    /// Proves who this is, in the one way that the settings name (developer.hashicorp.com/vault/api-docs/auth).
    ///
    /// - Returns: the token, and the client that goes on: with the certificate of the login, where one was shown, since Vault may bind
    ///   the token to it.
    func logIn() throws(AiboxError) -> (client: VaultClient, token: Secret) {
        switch login {
        case .token: return (self, try storedSecret())
        case .appRole(let role):
            return (self, try logIn(["role_id": .string(role), "secret_id": .string(try storedSecret().text)]))
        case .jwt(let role):
            return (self, try logIn(["role": .string(role), "jwt": .string(try storedSecret().text)]))
        case .certificate(let role): return try logIn(try storedIdentity(), role)
        case .spiffeJWT(let role, let audience, let api):
            let token = try api.jwtSVID(audience: audience).token
            return (self, try logIn(["role": .string(role), "jwt": .string(token.text)]))
        case .spiffeX509(let role, let api): return try logIn(try api.x509SVID().identity, role)
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

    private func logIn(_ body: JSONObject) throws(AiboxError) -> Secret {
        let answer = try send("POST", "auth/\(loginMount)/login", token: nil, JSONValue.object(body).bytes)
        guard answer.status == 200, let token = Self.json(answer)?["auth"]?["client_token"]?.stringValue,
            let secret = try? Secret(token)
        else { throw Self.failure("cannot log in to Vault", answer) }
        return secret
    }

    private func logIn(
        _ identity: TLSClientIdentity, _ role: String
    ) throws(AiboxError) -> (client: VaultClient, token: Secret) {
        var client = self
        client.exchange.identity = identity
        return (client, try client.logIn(role.isEmpty ? [:] : ["name": .string(role)]))
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
