import AiboxContainer
import AiboxCredentials
import AiboxCrypto
import AiboxSystem
import AiboxWire

/// What of the credentials a start takes: the policy decides which of them the sandbox's broker gets.
struct LentCredentials {
    private(set) var llmKeys: [LLMKey] = []
    private(set) var places: [PlaceGrant] = []
    /// Those whose secret the keeper of Vault's leases reads, once it is decided that they are lent.
    private(set) var kept: Set<String> = []

    init(_ stores: CredentialStores) throws(AiboxError) {
        for (credential, store) in try stores.list() {
            if store == .vault {
                kept.insert(credential.name.description)
                try take(StoredCredential(credential, try Self.nothing()))
            } else if let stored = try stores.read(credential.name)?.stored {
                try take(stored)
            }
        }
    }

    /// Stands where a secret will: it opens nothing, and is gone before anything is lent.
    private static func nothing() throws(AiboxError) -> Secret {
        try Secret("not-read-yet-" + Hex.encode(try SecureRandom.bytes(16)))
    }

    private mutating func take(_ stored: StoredCredential) throws(AiboxError) {
        places += stored.places
        if stored.credential.name.type == .llm { llmKeys.append(try Self.key(stored)) }
    }

    private static func key(_ stored: StoredCredential) throws(AiboxError) -> LLMKey {
        let credential = stored.credential
        let apis: [BrokerPlan.API] =
            switch credential.name.provider {
            case .anthropic: [.anthropic]
            case .openai: [.openai]
            // A gateway of the organisation's: it speaks one of the two, or both.
            case .custom, nil: [.anthropic, .openai]
            }
        return LLMKey(
            name: credential.name.description, apis: apis, secret: stored.secret.text,
            base: credential.destinations.first.map { "https://\($0)" }, header: try stored.keyHeader(),
            expires: credential.expires?.seconds)
    }
}
