import AiboxCrypto
import AiboxSystem
import AiboxWire

/// The part of Vault's HTTP API that aibox needs (developer.hashicorp.com/vault/api-docs): logins, KV version 2,
/// and taking back one's own token.
struct VaultClient: Sendable {
    var exchange: HTTPSExchange
    /// With slashes between its parts, none around.
    var namespace: String
    var login: VaultLogin
    /// Where the method is enabled, below `auth/`.
    var loginMount: String
    /// The file with the token, the secret id, the JWT, or certificate and key.
    var secretPath: String

    /// Runs `body` with a token that is taken back afterwards, however `body` ends.
    func session<Result>(
        _ body: (Session) throws(AiboxError) -> Result
    ) throws(AiboxError) -> Result {
        let session = try open()
        let result: Result
        do throws(AiboxError) { result = try body(session) } catch {
            // What went wrong first is what has to be told.
            try? session.end()
            throw error
        }
        try session.end()
        return result
    }

    /// The whole of it in bounded time and size, however slowly an answer drips.
    func send(
        _ method: String, _ path: String, token: Secret?, _ body: [UInt8] = []
    ) throws(AiboxError) -> HTTPSExchange.Answer {
        var headers = [("X-Vault-Request", "true"), ("Accept", "application/json")]
        if let token { headers.append(("X-Vault-Token", token.text)) }
        if !namespace.isEmpty { headers.append(("X-Vault-Namespace", namespace)) }
        if !body.isEmpty { headers.append(("Content-Type", "application/json")) }
        var exchange = exchange
        exchange.deadline = exchange.deadline ?? .now + exchange.timeout * 2
        exchange.largestAnswer = min(exchange.largestAnswer, Self.largestAnswer)
        do throws(AiboxError) {
            return try exchange.send(method, "/v1/" + path, headers: headers, body: body)
        } catch {
            throw AiboxError(.failed, Self.silence, why: error.reason, remedy: "try again later")
        }
    }

    /// What errors say of a Vault that is not there.
    static let silence = "Vault does not answer"

    /// Bytes.
    private static let largestAnswer = 1 << 20

    static func json(_ answer: HTTPSExchange.Answer) -> JSONValue? {
        try? JSONParser.parse(answer.body, limits: .init(size: largestAnswer))
    }

    /// Whether Vault says that there is nothing at a path of a KV engine, or that its newest version was deleted. A 404 with words
    /// (no such engine or namespace, another version of KV), or of something before Vault, says nothing of that
    /// (developer.hashicorp.com/vault/api-docs, "HTTP status codes"; /secret/kv/kv-v2, "Read secret version").
    static func isAbsent(_ answer: HTTPSExchange.Answer) -> Bool {
        guard answer.status == 404, let json = json(answer) else { return false }
        if case .object? = json["data"]?["metadata"] { return true }
        return json["errors"]?.elements?.isEmpty == true && (json["warnings"]?.elements ?? []).isEmpty
    }

    /// With the status and Vault's own words, the members `errors` and `warnings`; nothing else of a body is repeated.
    static func failure(_ what: String, _ answer: HTTPSExchange.Answer) -> AiboxError {
        let words = ["errors", "warnings"].flatMap { json(answer)?[$0]?.elements ?? [] }
        let said = words.compactMap(\.stringValue).prefix(3).joined(separator: "; ")
        let why =
            switch answer.status {
            case 403: "permission denied"
            case 503: "it is sealed or in maintenance"
            default: "it answered with status \(answer.status)"
            }
        return AiboxError(.failed, what, why: said.isEmpty ? why : "\(why): \(said.prefix(300))")
    }
}
