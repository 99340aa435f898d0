public import AiboxWire

/// What a policy says of language models, as the LLM proxy takes it.
public struct LLMPolicy: Sendable, Equatable {
    /// Names in which `*` stands for anything; none: no model may be asked.
    public var models: [String]
    /// Who wrote that list.
    public var layer: String
    public var limits: LLMPlan.Limits
    /// Seconds for which a key is lent; 0: none is.
    public var lifetime: Int

    public init(_ policy: EffectivePolicy) {
        models = policy["llm.models"]?.texts ?? []
        layer = (policy["llm.models"]?.origin.layer ?? .org).rawValue
        limits = LLMPlan.Limits(
            requestsPerMinute: policy["llm.requests_per_minute"]?.integer,
            tokensPerMinute: policy["llm.tokens_per_minute"]?.integer, tokens: policy["llm.budget_tokens"]?.integer)
        lifetime = policy["credentials.llm_api_key_ttl"]?.integer ?? 0
    }
}
