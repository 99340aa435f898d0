public import AiboxWire

/// A key for a language model, as a store of credentials holds it.
public struct LLMKey: Sendable {
    /// The credential's name.
    public var name: String
    /// The wire formats that it is good for.
    public var apis: [BrokerPlan.API]
    public var secret: String
    /// Where it leads: `https://host[:port][/path]`; nil: to the provider itself.
    public var base: String?
    /// The header that carries it; nil: the API's own.
    public var header: String?
    /// When its issuer ends it: seconds since 1970.
    public var expires: Int64?

    public init(
        name: String, apis: [BrokerPlan.API], secret: String, base: String? = nil, header: String? = nil,
        expires: Int64? = nil
    ) {
        self.name = name
        self.apis = apis
        self.secret = secret
        self.base = base
        self.header = header
        self.expires = expires
    }
}
