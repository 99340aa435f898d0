public import AiboxNetwork
public import AiboxSystem

/// All that is known about a credential except its secret.
public struct Credential: Sendable, Equatable {
    public var name: CredentialName
    /// Where it may go; never empty.
    public var destinations: [CredentialDestination]
    /// The name that goes with a password; nil for the type's own.
    public var user: String?
    public var place: CredentialPlace
    /// When it was put into its store; nil where the store does not say.
    public var added: Timestamp?
    /// When its issuer ends it; nil where nobody said.
    public var expires: Timestamp?
    /// Whether its store makes the secret anew for each sandbox.
    public var isDynamic = false

    /// What the name alone tells: place and destination of its type.
    ///
    /// - Throws: `usage` if the name leaves open where it may go.
    public init(
        _ name: CredentialName, destinations: [CredentialDestination] = [], user: String? = nil,
        place: CredentialPlace? = nil, added: Timestamp? = nil, expires: Timestamp? = nil
    ) throws(AiboxError) {
        self.name = name
        self.place = place ?? Self.place(of: name)
        self.added = added
        self.expires = expires
        if let user {
            guard !user.isEmpty, user.utf8.count <= 256, !user.contains(":"),
                user.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f })
            else {
                throw AiboxError(
                    .usage, "this is no user's name", why: "it is empty, or has a colon, a space or a control character"
                )
            }
        }
        self.user = user
        self.destinations = destinations.isEmpty ? try Self.destinations(of: name) : destinations
        if name.type == .git || name.type == .mirror {
            let own = try CredentialDestination(name.qualifier)
            for destination in self.destinations where destination.host != own.host || destination.port != own.port {
                throw AiboxError(
                    .usage, "\(name) goes to \(own) alone", remedy: "add one for \(destination.host) beside it")
            }
        }
    }

    private static func place(of name: CredentialName) -> CredentialPlace {
        switch name.type {
        case .git, .mirror: .basic
        case .llm where name.provider == .anthropic: .header("x-api-key")
        case .llm, .custom: .bearer
        }
    }

    private static func destinations(of name: CredentialName) throws(AiboxError) -> [CredentialDestination] {
        switch name.type {
        case .git, .mirror: return [try CredentialDestination(name.qualifier)]
        case .llm:
            if let host = name.provider?.host { return [try CredentialDestination(host)] }
        case .custom: break
        }
        throw AiboxError(
            .usage, "\(name) needs to say where it may go", remedy: "aibox auth add \(name) --host HOST")
    }

    /// The name to present beside the secret where the place asks for one.
    public var userOrDefault: String {
        // What the large git servers take beside a token; others ignore it.
        user ?? (name.type == .git ? "x-access-token" : "aibox")
    }

    /// Whether it may go with a request over TLS.
    public func covers(host: HostName, port: UInt16, path: String) -> Bool {
        destinations.contains { $0.covers(host: host, port: port, path: path) }
    }
}

/// A credential with its secret.
public struct StoredCredential: Sendable, Equatable {
    public var credential: Credential
    public var secret: Secret

    public init(_ credential: Credential, _ secret: Secret) {
        self.credential = credential
        self.secret = secret
    }
}
