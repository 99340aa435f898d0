import AiboxCrypto
import AiboxSystem
import AiboxWire

extension VaultClient {
    /// One login, which goes on until it is ended.
    struct Session {
        let client: VaultClient
        let token: Secret
        /// What Vault said of the token at the login; nil for a token that somebody else made.
        let facts: VaultToken?

        /// The newest version of a secret's data; nil if there is none or it was deleted.
        func read(_ mount: String, _ path: String) throws(AiboxError) -> JSONObject? {
            let answer = try ask("GET", "\(mount)/data/\(path)")
            if VaultClient.isAbsent(answer) { return nil }
            guard answer.status == 200, case .object(let data)? = VaultClient.json(answer)?["data"]?["data"] else {
                throw VaultClient.failure("cannot read from Vault", answer)
            }
            return data
        }

        /// The names directly below a path, folders with a slash at the end; none if there is no such path.
        func names(_ mount: String, _ path: String) throws(AiboxError) -> [String] {
            let answer = try ask("GET", "\(mount)/metadata/\(path)?list=true")
            if VaultClient.isAbsent(answer) { return [] }
            guard answer.status == 200, let keys = VaultClient.json(answer)?["data"]?["keys"]?.elements else {
                throw VaultClient.failure("cannot list in Vault", answer)
            }
            return keys.compactMap(\.stringValue)
        }

        /// Takes the token back, if a login made it.
        func end() throws(AiboxError) {
            if client.login == .token { return }
            let answer = try ask("POST", "auth/token/revoke-self")
            if answer.status == 204 || answer.status == 200 { return }
            // Without Vault's policy `default` it may not, but perhaps what takes back any login.
            if answer.status == 403, let accessor = facts?.accessor, (try? revoke(accessor: accessor)) != nil { return }
            throw VaultClient.failure("cannot take a login to Vault back", answer)
        }

        func ask(_ method: String, _ path: String, _ body: JSONObject? = nil) throws(AiboxError) -> HTTPSExchange.Answer
        {
            try client.send(method, path, token: token, body.map { JSONValue.object($0).bytes } ?? [])
        }
    }
}
