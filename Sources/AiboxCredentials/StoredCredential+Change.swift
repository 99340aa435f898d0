import AiboxCrypto
import AiboxNetwork
public import AiboxSystem
public import AiboxWire

extension StoredCredential {
    /// What the gateway of a sandbox takes that was lent it.
    ///
    /// - Parameter modelGateway: where every model is asked; empty: at its provider's.
    /// - Throws: `usage` for a key of a model's that is to be presented as a password.
    public func change(modelGateway: String) throws(AiboxError) -> CredentialChange {
        var change = CredentialChange(name: credential.name.description, places: places)
        if credential.name.type == .llm {
            let base = credential.destinations.first.map { "https://\($0)" }
            change.key = CredentialChange.Key(
                secret: secret.text, base: modelGateway.isEmpty ? base : modelGateway, header: try keyHeader(),
                expires: credential.expires?.seconds)
        }
        return change
    }

    /// One for each place where it is good; none of a key for a model.
    public var places: [PlaceGrant] {
        let kind: PlaceGrant.Kind
        switch credential.name.type {
        case .llm: return []
        case .git: kind = .git
        case .mirror: kind = .mirror
        case .custom: kind = .custom
        }
        let secret = secret.text
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

    /// The header that carries a key for a model.
    public func keyHeader() throws(AiboxError) -> String {
        switch credential.place {
        case .bearer: return "Authorization"
        case .header(let name): return name
        case .basic:
            throw AiboxError(
                .usage, "\(credential.name) is a password, not a key", remedy: "add it again with --place bearer")
        }
    }
}
