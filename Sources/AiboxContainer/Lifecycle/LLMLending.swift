import AiboxAudit
import AiboxConfig
import AiboxCrypto
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
public import AiboxWire

/// A key for a language model, as a store of credentials holds it.
public struct LLMKey: Sendable {
    /// The credential's name.
    public var name: String
    /// The wire formats that it is good for.
    public var apis: [LLMPlan.API]
    public var secret: String
    /// Where it leads: `https://host[:port][/path]`; nil: to the provider itself.
    public var base: String?
    /// The header that carries it; nil: the API's own.
    public var header: String?
    /// When its issuer ends it: seconds since 1970.
    public var expires: Int64?

    public init(
        name: String, apis: [LLMPlan.API], secret: String, base: String? = nil, header: String? = nil,
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

/// What of the keys a sandbox is lent: surrogates inside, the keys themselves for its LLM proxy alone (P4).
struct LLMLending: Sendable {
    /// nil: nothing is lent, and there is no proxy.
    let plan: LLMPlan?
    /// Why less is lent than there is, for the person.
    let notes: [String]

    static let none = LLMLending(plan: nil, notes: [])

    private init(plan: LLMPlan?, notes: [String]) {
        self.plan = plan
        self.notes = notes
    }

    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - spent: tokens that the sandbox has spent so far; asked only if there is a budget.
    init(
        _ keys: [LLMKey], _ policy: EffectivePolicy, gateway: String, network: EgressPlan?, now: Int64,
        spent: () throws(AiboxError) -> Int
    ) throws(AiboxError) {
        if keys.isEmpty {
            self = .none
            return
        }
        func without(_ why: String) -> LLMLending {
            LLMLending(plan: nil, notes: ["no key for a language model is lent: \(why)"])
        }
        guard let network else {
            self = without("the sandbox has no way out")
            return
        }
        // What everything has to go through, this would go past.
        if network.upstream != nil {
            self = without("the LLM proxy cannot go through network.upstream_proxy")
            return
        }
        let policy = LLMPolicy(policy)
        if policy.lifetime <= 0 {
            self = without("credentials.llm_api_key_ttl of the policy is 0s")
            return
        }
        var grants: [LLMPlan.Grant] = []
        for key in keys {
            for api in key.apis {
                grants.append(
                    LLMPlan.Grant(
                        name: key.name, api: api, surrogate: try Self.surrogate(api), secret: key.secret,
                        base: gateway.isEmpty ? key.base : gateway, header: key.header,
                        expires: min(now + Int64(policy.lifetime), key.expires ?? .max)))
            }
        }
        var limits = policy.limits
        if limits.tokens != nil { limits.spent = try spent() }
        plan = LLMPlan(
            grants: grants, models: policy.models, limits: limits, layer: policy.layer,
            targets: network.targets.map(\.description),
            names: network.names.map {
                LLMPlan.PinnedName(name: $0.name.text, addresses: $0.addresses.map(\.description))
            }, authorities: network.originAuthorities)
        notes = policy.models.isEmpty ? ["llm.models of the policy permits no model"] : []
    }

    /// Looks like a key of the API to programs that check, and is worth nothing anywhere but at this sandbox's proxy.
    private static func surrogate(_ api: LLMPlan.API) throws(AiboxError) -> String {
        api.surrogatePrefix + Hex.encode(try SecureRandom.bytes(32))
    }

    /// The LLM proxy, as it is reached from inside.
    static let address = "http://\(SandboxSpec.gatewayAddress):\(LLMPlan.port)"

    /// What the programs inside read.
    var environment: [SandboxSpec.Variable] {
        guard let plan else { return [] }
        var variables: [SandboxSpec.Variable] = []
        if let grant = plan.grants.first(where: { $0.api == .anthropic }) {
            variables += [.init("ANTHROPIC_API_KEY", grant.surrogate), .init("ANTHROPIC_BASE_URL", Self.address)]
        }
        if let grant = plan.grants.first(where: { $0.api == .openai }) {
            variables += [.init("OPENAI_API_KEY", grant.surrogate), .init("OPENAI_BASE_URL", Self.address + "/v1")]
        }
        if let first = plan.grants.first { variables.append(.init("AIBOX_LLM_API_KEY", first.surrogate)) }
        return variables
    }

    /// Tokens of the sandbox's answers so far, as the audit log has them.
    static func spent(_ sandbox: String, auditFolder: String) throws(AiboxError) -> Int {
        var query = AuditIndex.Query()
        query.sandbox = sandbox
        query.type = AuditEventType.llmResponse.rawValue
        var sum = 0
        try AuditIndex(folder: auditFolder).forEach(query) { record throws(AiboxError) in
            for name in ["input_tokens", "output_tokens"] {
                sum += Int(clamping: max(0, record.json["details"]?[name]?.wholeNumber ?? 0))
            }
        }
        return sum
    }
}
