public import AiboxNetwork

/// The one use that a surrogate is good for.
public struct SurrogateBinding: Sendable, Equatable {
    public var sandbox: String
    public var credential: CredentialName
    /// The real destinations.
    public var destinations: [CredentialDestination]
    public var place: CredentialPlace

    public init(
        sandbox: String, credential: CredentialName, destinations: [CredentialDestination], place: CredentialPlace
    ) {
        self.sandbox = sandbox
        self.credential = credential
        self.destinations = destinations
        self.place = place
    }

    /// As the credential itself is bound.
    public init(sandbox: String, _ credential: Credential) {
        self.init(
            sandbox: sandbox, credential: credential.name, destinations: credential.destinations,
            place: credential.place)
    }
}

/// An attempt to use a surrogate, as the broker saw it.
public struct SurrogateUse: Sendable, Equatable {
    /// The sandbox whose gateway took the request.
    public var sandbox: String
    /// Whether the request goes on over TLS.
    public var isEncrypted: Bool
    /// The real destination.
    public var host: HostName
    public var port: UInt16
    /// The request's target, without a scheme and a host.
    public var path: String
    /// Where it stood.
    public var place: CredentialPlace

    public init(
        sandbox: String, isEncrypted: Bool = true, host: HostName, port: UInt16 = 443, path: String,
        place: CredentialPlace
    ) {
        self.sandbox = sandbox
        self.isEncrypted = isEncrypted
        self.host = host
        self.port = port
        self.path = path
        self.place = place
    }
}

/// Why a surrogate was not exchanged; the words go to the agent and to the audit log.
public enum SurrogateRefusal: String, Error, Sendable, CaseIterable {
    case malformed = "it is no surrogate"
    case unknown = "it was never lent, or its sandbox has stopped"
    case expired = "its time is over"
    case revoked = "it was taken back"
    case sandbox = "it belongs to another sandbox"
    case scheme = "the destination is not reached over TLS"
    case host = "it is for another host"
    case port = "it is for another port"
    case path = "it is for other paths"
    case place = "it stands in another place of the request than its own"
}

extension SurrogateBinding {
    /// Nil if the use is the one that the surrogate is for.
    func refusal(of use: SurrogateUse) -> SurrogateRefusal? {
        if use.sandbox != sandbox { return .sandbox }
        if !use.isEncrypted { return .scheme }
        let here = destinations.filter { $0.host == use.host }
        if here.isEmpty { return .host }
        let port = here.filter { $0.port == use.port }
        if port.isEmpty { return .port }
        guard port.contains(where: { $0.covers(host: use.host, port: use.port, path: use.path) }) else { return .path }
        return use.place == place ? nil : .place
    }
}
