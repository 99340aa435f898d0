public import AiboxWire

/// What a policy says of credentials that are lent, and of the language models that they lead to.
public struct CredentialPolicy: Sendable, Equatable {
    /// Names in which `*` stands for anything; none: no model may be asked.
    public var models: [String]
    /// Who wrote that list.
    public var layer: String
    public var limits: BrokerPlan.Limits
    /// Seconds for which a key for a model is lent; 0: none is.
    public var modelKeys: Int
    /// Seconds for which a credential for a place is lent; 0: none is.
    public var places: [PlaceGrant.Kind: Int]

    public init(_ policy: EffectivePolicy) {
        models = policy["llm.models"]?.texts ?? []
        layer = (policy["llm.models"]?.origin.layer ?? .org).rawValue
        limits = BrokerPlan.Limits(
            requestsPerMinute: policy["llm.requests_per_minute"]?.integer,
            tokensPerMinute: policy["llm.tokens_per_minute"]?.integer, tokens: policy["llm.budget_tokens"]?.integer)
        modelKeys = policy["credentials.llm_api_key_ttl"]?.integer ?? 0
        places = Dictionary(
            uniqueKeysWithValues: PlaceGrant.Kind.allCases.map { ($0, policy[$0.lifetimeField]?.integer ?? 0) })
    }
}
