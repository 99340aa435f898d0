import AiboxContainer
import AiboxCredentials
import AiboxCrypto
import AiboxNetwork
import AiboxSystem
import AiboxWire

/// What of the credentials a start takes: the policy decides which of them the sandbox's broker gets.
struct LentCredentials {
    private(set) var llmKeys: [LLMKey] = []
    private(set) var places: [PlaceGrant] = []

    init(_ stores: CredentialStores) throws(AiboxError) {
        for (credential, _) in try stores.list() {
            if let stored = try stores.read(credential.name)?.stored { try take(stored) }
        }
    }

    init(_ stored: StoredCredential) throws(AiboxError) { try take(stored) }

    private mutating func take(_ stored: StoredCredential) throws(AiboxError) {
        switch stored.credential.name.type {
        case .llm: llmKeys.append(try Self.key(stored))
        case .git: places += Self.places(stored, .git)
        case .mirror: places += Self.places(stored, .mirror)
        case .custom: places += Self.places(stored, .custom)
        }
    }

    /// One for each place where it is good.
    private static func places(_ stored: StoredCredential, _ kind: PlaceGrant.Kind) -> [PlaceGrant] {
        let credential = stored.credential
        let secret = stored.secret.text
        let (header, value) =
            switch credential.place {
            case .basic:
                ("Authorization", "Basic " + Base64.encode(Array("\(credential.userOrDefault):\(secret)".utf8)))
            case .bearer: ("Authorization", "Bearer " + secret)
            case .header(let name): (name, secret)
            }
        return credential.destinations.map { place in
            PlaceGrant(
                kind, name: credential.name.description, host: place.host.text, port: place.port, path: place.path,
                header: header, value: value, secret: secret, expires: credential.expires?.seconds)
        }
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
        let apis: [BrokerPlan.API] =
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
