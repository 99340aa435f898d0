import AiboxContainer
import AiboxCredentials
import AiboxSystem
import AiboxWire

/// The keys for language models among the credentials, as a start takes them.
enum LLMKeys {
    static func read(_ stores: CredentialStores) throws(AiboxError) -> [LLMKey] {
        var keys: [LLMKey] = []
        for (credential, _) in try stores.list() where credential.name.type == .llm {
            guard let stored = try stores.read(credential.name)?.stored else { continue }
            keys.append(try key(stored))
        }
        return keys
    }

    private static func key(_ stored: StoredCredential) throws(AiboxError) -> LLMKey {
        let credential = stored.credential
        let header: String
        switch credential.place {
        case .bearer: header = "Authorization"
        case .header(let name): header = name
        case .basic:
            throw AiboxError(
                .usage, "\(credential.name) is a password, not a key", remedy: "add it again with --place bearer")
        }
        let apis: [LLMPlan.API] =
            switch credential.name.provider {
            case .anthropic: [.anthropic]
            case .openai: [.openai]
            // A gateway of the organisation's: it speaks one of the two, or both.
            case .custom, nil: [.anthropic, .openai]
            }
        return LLMKey(
            name: credential.name.description, apis: apis, secret: stored.secret.text,
            base: credential.destinations.first.map { "https://\($0)" }, header: header,
            expires: credential.expires?.seconds)
    }
}
