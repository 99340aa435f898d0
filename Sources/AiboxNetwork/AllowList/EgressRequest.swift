/// What the sandbox asks to reach, as far as it can be seen at one point of the way.
public struct EgressRequest: Sendable, Equatable {
    /// What is known of the request beside host and port.
    public enum Content: Sendable, Equatable {
        /// A tunnel: CONNECT, or TLS on the transparent port. Only TLS may follow.
        case tunnel
        /// One HTTP request, in the clear or after inspection.
        case http(AllowRule.Scheme, method: String, path: RequestPath)
    }

    public var host: HostName
    public var port: UInt16
    public var content: Content

    public init(host: HostName, port: UInt16, content: Content) {
        self.host = host
        self.port = port
        self.content = content
    }

    public var scheme: AllowRule.Scheme {
        switch content {
        case .tunnel: .https
        case .http(let scheme, _, _): scheme
        }
    }
}

/// The verdict on a request.
public enum EgressDecision: Sendable, Equatable {
    case allow(EgressGrant)
    case deny(EgressDenial)

    public var isAllowed: Bool {
        if case .allow = self { true } else { false }
    }
}

/// Why, and within which limits, a request passes.
public struct EgressGrant: Sendable, Equatable {
    public var rule: String
    public var layer: String
    /// The tunnel has to be opened: methods or paths are limited.
    public var needsInspection: Bool
    public var rateLimit: AllowRule.RateLimit?
    /// Bytes that may be sent; nil: no limit.
    public var maxUpload: Int64?

    public init(
        rule: String, layer: String, needsInspection: Bool = false, rateLimit: AllowRule.RateLimit? = nil,
        maxUpload: Int64? = nil
    ) {
        self.rule = rule
        self.layer = layer
        self.needsInspection = needsInspection
        self.rateLimit = rateLimit
        self.maxUpload = maxUpload
    }
}
