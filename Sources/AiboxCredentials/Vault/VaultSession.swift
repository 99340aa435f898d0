import AiboxCrypto
import AiboxSystem
import AiboxWire

extension VaultClient {
    /// A login that goes on until it is ended.
    func open() throws(AiboxError) -> Session {
        let (client, token) = try logIn()
        return Session(client: client, token: token)
    }

    /// One login.
    struct Session {
        let client: VaultClient
        let token: Secret

        /// The newest version of a secret's data; nil if there is none or it was deleted.
        func read(_ mount: String, _ path: String) throws(AiboxError) -> JSONObject? {
            let answer = try ask("GET", "\(mount)/data/\(path)")
            if answer.status == 404 { return nil }
            guard answer.status == 200, case .object(let data)? = VaultClient.json(answer)?["data"]?["data"] else {
                throw VaultClient.failure("cannot read from Vault", answer)
            }
            return data
        }

        /// The names directly below a path, folders with a slash at the end; none if there is no such path.
        func names(_ mount: String, _ path: String) throws(AiboxError) -> [String] {
            let answer = try ask("GET", "\(mount)/metadata/\(path)?list=true")
            if answer.status == 404 { return [] }
            guard answer.status == 200, let keys = VaultClient.json(answer)?["data"]?["keys"]?.elements else {
                throw VaultClient.failure("cannot list in Vault", answer)
            }
            return keys.compactMap(\.stringValue)
        }

        /// Takes the token back, if a login made it.
        func end() throws(AiboxError) {
            if client.login == .token { return }
            let answer = try ask("POST", "auth/token/revoke-self")
            guard answer.status == 204 || answer.status == 200 else {
                throw VaultClient.failure("cannot take a login to Vault back", answer)
            }
        }

        func ask(_ method: String, _ path: String, _ body: JSONObject? = nil) throws(AiboxError) -> HTTPSExchange.Answer
        {
            try client.send(method, path, token: token, body.map { JSONValue.object($0).bytes } ?? [])
        }
    }
}
