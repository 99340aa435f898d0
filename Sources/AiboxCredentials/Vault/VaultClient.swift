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

    /// The path under `auth/` where the method is enabled unless somebody chose another.
    var method: String {
        switch self {
        case .token: "token"
        case .appRole: "approle"
        case .jwt: "jwt"
        }
    }
}

/// The part of Vault's HTTP API that aibox needs (developer.hashicorp.com/vault/api-docs): logins of AppRole and JWT, KV version 2,
/// and taking back one's own token.
struct VaultClient: Sendable {
    var exchange: HTTPSExchange
    /// With slashes between its parts, none around.
    var namespace: String
    var login: VaultLogin
    /// Where the method is enabled, below `auth/`.
    var loginMount: String
    /// The file with the token, the secret id or the JWT.
    var secretPath: String

    /// Runs `body` with a token that is taken back afterwards, however `body` ends.
    func session<Result>(
        _ body: (Session) throws(AiboxError) -> Result
    ) throws(AiboxError) -> Result {
        let session = Session(client: self, token: try logIn())
        let result: Result
        do throws(AiboxError) { result = try body(session) } catch {
            // What went wrong first is what has to be told.
            try? session.end()
            throw error
        }
        try session.end()
        return result
    }

    func logIn() throws(AiboxError) -> Secret {
        guard var bytes = try PrivateFile.read(secretPath, limit: Secret.longest) else {
            throw AiboxError(
                .failed, "cannot log in to Vault", why: "\(secretPath) is not there",
                remedy: "aibox config set credentials.vault_secret_path FILE")
        }
        defer { bytes.wipe() }
        while bytes.last == UInt8(ascii: "\n") || bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        let secret = try Secret(bytes)
        let body: JSONObject
        switch login {
        case .token: return secret
        case .appRole(let role): body = ["role_id": .string(role), "secret_id": .string(secret.text)]
        case .jwt(let role): body = ["role": .string(role), "jwt": .string(secret.text)]
        }
        let answer = try send("POST", "auth/\(loginMount)/login", token: nil, JSONValue.object(body).bytes)
        guard answer.status == 200, let token = Self.json(answer)?["auth"]?["client_token"]?.stringValue,
            let secret = try? Secret(token)
        else { throw Self.failure("cannot log in to Vault", answer) }
        return secret
    }

    func send(
        _ method: String, _ path: String, token: Secret?, _ body: [UInt8] = []
    ) throws(AiboxError) -> HTTPSExchange.Answer {
        var headers = [("X-Vault-Request", "true"), ("Accept", "application/json")]
        if let token { headers.append(("X-Vault-Token", token.text)) }
        if !namespace.isEmpty { headers.append(("X-Vault-Namespace", namespace)) }
        if !body.isEmpty { headers.append(("Content-Type", "application/json")) }
        do throws(AiboxError) {
            return try exchange.send(method, "/v1/" + path, headers: headers, body: body)
        } catch {
            throw AiboxError(.failed, "Vault does not answer", why: error.reason, remedy: "try again later")
        }
    }

    static func json(_ answer: HTTPSExchange.Answer) -> JSONValue? {
        try? JSONParser.parse(answer.body, limits: .init(size: 1 << 20))
    }

    /// With the status and Vault's own words, the member `errors`; nothing else of a body is repeated.
    static func failure(_ what: String, _ answer: HTTPSExchange.Answer) -> AiboxError {
        let said = (json(answer)?["errors"]?.elements ?? []).compactMap(\.stringValue).prefix(3).joined(separator: "; ")
        let why =
            switch answer.status {
            case 403: "permission denied"
            case 503: "it is sealed or in maintenance"
            default: "it answered with status \(answer.status)"
            }
        return AiboxError(.failed, what, why: said.isEmpty ? why : "\(why): \(said.prefix(300))")
    }
}
