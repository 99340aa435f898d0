public import AiboxWire

/// What a policy says of credentials that are lent, and of the language models that they lead to.
public struct CredentialPolicy: Sendable, Equatable {
    /// Names in which `*` stands for anything; none: no model may be asked.
    public var models: [String]
    /// Who wrote that list.
    public var layer: String
    public var limits: BrokerPlan.Limits
    /// What is kept of requests and answers, from the least.
    public enum Logging: String, Sendable, Comparable, CaseIterable {
        /// Counts and names stand in the audit log; both are the same.
        case none, metadata
        /// Digests beside them.
        case hash
        /// The content, encrypted, as well.
        case full

        public static func < (left: Logging, right: Logging) -> Bool {
            allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
        }
    }

    public var logging: Logging
    /// Digests of requests and answers are written down.
    public var keepsDigests: Bool { logging >= .hash }
    /// Requests and answers are kept.
    public var keepsContent: Bool { logging == .full }
    /// What rules about leaks look for is masked in what is kept.
    public var masksLeaks: Bool
    /// Bytes and days of content that is kept; nil: any number.
    public var payloadSize: Int?
    public var payloadDays: Int?
    /// Whether files may be kept at the provider.
    public var permitsUploads: Bool
    /// What models cost.
    public var prices: [LLMPrice]
    /// What must not leave with a request.
    public var leaks: [LeakRule]
    /// Seconds for which a key for a model is lent; 0: none is.
    public var modelKeys: Int
    /// Seconds for which a credential for a place is lent; 0: none is.
    public var places: [PlaceGrant.Kind: Int]
    /// Whether leases of Vault are revoked when the sandbox ends, or left to end by themselves.
    public var revokesOnStop: Bool
    /// Whether a sandbox is cut off in which what stands for a credential was used where it does not belong.
    public var endsOnMisuse: Bool

    public init(_ policy: EffectivePolicy) {
        models = policy["llm.models"]?.texts ?? []
        layer = (policy["llm.models"]?.origin.layer ?? .org).rawValue
        limits = BrokerPlan.Limits(
            requestsPerMinute: policy["llm.requests_per_minute"]?.integer,
            tokensPerMinute: policy["llm.tokens_per_minute"]?.integer, tokens: policy["llm.budget_tokens"]?.integer,
            dailyTokens: policy["llm.daily_tokens"]?.integer, dailyCost: policy["llm.daily_cost"]?.integer,
            sandboxDailyTokens: policy["llm.sandbox_daily_tokens"]?.integer,
            sandboxDailyCost: policy["llm.sandbox_daily_cost"]?.integer)
        logging = Logging(rawValue: policy["llm.logging"]?.text ?? "") ?? .none
        masksLeaks = policy["llm.redact"]?.boolean ?? true
        permitsUploads = policy["llm.uploads"]?.text == "permitted"
        payloadSize = policy["llm.payload_size"]?.integer
        payloadDays = policy["llm.payload_days"]?.integer
        revokesOnStop = policy["credentials.revoke_on_stop"]?.boolean ?? true
        endsOnMisuse = policy["credentials.on_misuse"]?.text == "stop"
        prices = (policy["llm.prices"]?.elements ?? []).map { entry in
            LLMPrice(
                model: entry["model"]?.text ?? "", input: entry["input"]?.integer ?? 0,
                output: entry["output"]?.integer ?? 0, cached: entry["cached"]?.integer,
                cacheWrite: entry["cache_write"]?.integer, hourWrite: entry["cache_write_1h"]?.integer)
        }
        leaks = (policy["llm.dlp"]?.elements ?? []).compactMap { LeakRule($0) }
        modelKeys = policy["credentials.llm_api_key_ttl"]?.integer ?? 0
        places = Dictionary(
            uniqueKeysWithValues: PlaceGrant.Kind.allCases.map { ($0, policy[$0.lifetimeField]?.integer ?? 0) })
    }
}

extension LeakRule {
    /// An entry of `llm.dlp`.
    init?(_ entry: PolicyItem) {
        guard let id = entry["id"]?.text else { return nil }
        let content: Content
        if let canary = entry["canary"]?.text {
            content = .canary(canary)
        } else if let name = entry["known"]?.text, let known = Self.known.first(where: { $0.name == name }) {
            content = .pattern(known.pattern)
        } else if let pattern = entry["pattern"]?.text {
            content = .pattern(pattern)
        } else {
            return nil
        }
        self.init(
            id: id, content, blocks: entry["action"]?.text != "report", layer: entry.origin.layer.rawValue)
    }
}
