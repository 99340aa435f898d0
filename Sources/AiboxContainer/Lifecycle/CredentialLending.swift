import AiboxAudit
import AiboxConfig
import AiboxCrypto
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import AiboxWire

/// What of the credentials a sandbox is lent: surrogates inside, the credentials themselves for its broker alone (P4).
struct CredentialLending: Sendable {
    /// nil: nothing is lent, and there is no proxy.
    private(set) var plan: BrokerPlan?
    /// Why less is lent than there is, for the person.
    let notes: [String]
    /// What the policies in Rego said of each.
    let rulings: [CredentialRuling]

    /// Characters: the broker takes none that is shorter.
    private static let shortestSecret = 8

    static let none = CredentialLending(plan: nil, notes: [])

    private init(plan: BrokerPlan?, notes: [String]) {
        self.plan = plan
        self.notes = notes
        rulings = []
    }

    /// - Parameters:
    ///   - places: credentials for git servers, mirrors and other places.
    ///   - judge: asks the policies in Rego.
    ///   - now: seconds since 1970.
    ///   - spent: tokens that the sandbox has spent so far; asked only if there is a budget.
    init(
        _ keys: [LLMKey], places: [PlaceGrant], _ policy: EffectivePolicy, judge: CredentialJudge, gateway: String,
        network: EgressPlan?, now: Int64, spent: () throws(AiboxError) -> Int
    ) throws(AiboxError) {
        if keys.isEmpty, places.isEmpty {
            self = .none
            return
        }
        guard let network else {
            self = CredentialLending(plan: nil, notes: ["no credential is lent: the sandbox has no way out"])
            return
        }
        // What everything has to go through, this would go past.
        if network.upstream != nil {
            self = CredentialLending(
                plan: nil, notes: ["no credential is lent: the broker cannot go through network.upstream_proxy"])
            return
        }
        var notes: [String] = []
        var rulings: [CredentialRuling] = []
        /// Whether the policies in Rego let it be lent.
        func isLent(_ type: String, _ seconds: Int, _ name: String, _ destination: String) throws(AiboxError) -> Bool {
            let question = PolicyQuestion.credential(
                type: type, seconds: seconds, name: name, destination: destination)
            let ruling = try judge.rule(question, name: name)
            if !rulings.contains(where: { $0.question == ruling.question }) {
                rulings.append(ruling)
                if let note = ruling.note { notes.append(note) }
            }
            return ruling.isLent
        }
        // What could not be told from text is looked for in no answer, and so is not lent.
        let isShort: (String) -> Bool = { $0.utf8.count < Self.shortestSecret }
        let short = Set(
            keys.filter { isShort($0.secret) }.map(\.name) + places.filter { isShort($0.secret) }.map(\.name))
        notes += short.sorted().map {
            "\($0) is not lent: its secret is shorter than \(Self.shortestSecret) characters, and could not be told from text"
        }
        let keys = keys.filter { !short.contains($0.name) }
        let policy = CredentialPolicy(policy)
        var grants: [BrokerPlan.Grant] = []
        if policy.modelKeys <= 0, !keys.isEmpty {
            notes.append(
                "no key for a language model is lent: credentials.llm_api_key_ttl of the policy is 0s")
        } else {
            let style = LLMStyle.of(gateway)
            for key in keys {
                let apis = key.apis.filter { style.map(\.api) ?? $0 == $0 }
                if let style, apis.isEmpty {
                    notes.append(
                        "\(key.name) is not lent: network.llm_gateway is one of \(style.rawValue), which takes no key for \(key.apis.map(\.rawValue).joined(separator: ", "))"
                    )
                }
                for api in apis {
                    let base = gateway.isEmpty ? key.base : gateway
                    var grant = BrokerPlan.Grant(
                        name: key.name, api: api, surrogate: try Self.surrogate(api), secret: key.secret, base: base,
                        header: key.header, expires: min(now + Int64(policy.modelKeys), key.expires ?? .max))
                    if grant.wouldShowAWSKey {
                        notes.append(
                            "\(key.name) is not lent: it is a key of AWS, with which requests are signed for Bedrock, and network.llm_gateway is no bedrock+https URL"
                        )
                        break
                    }
                    // All of them may get it, or none does.
                    var isLentToAll = true
                    for url in BrokerPlan.Grant.bases(base ?? api.standardBase) where isLentToAll {
                        isLentToAll = try isLent("llm_api_key", policy.modelKeys, key.name, Self.authority(url))
                    }
                    if !isLentToAll { continue }
                    grant.tellsWho = !gateway.isEmpty && style == nil
                    grants.append(grant)
                }
            }
            if !grants.isEmpty, policy.models.isEmpty { notes.append("llm.models of the policy permits no model") }
        }
        let (reachable, placeNotes) = try Self.reachable(
            places.filter { !short.contains($0.name) }, policy, network, now)
        notes += placeNotes
        var places: [PlaceGrant] = []
        for grant in reachable
        where try isLent(grant.kind.policyType, policy.places[grant.kind] ?? 0, grant.name, grant.authority) {
            places.append(grant)
        }
        self.notes = notes
        self.rulings = rulings
        if grants.isEmpty, places.isEmpty {
            plan = nil
            return
        }
        var limits = policy.limits
        if limits.tokens != nil, !grants.isEmpty { limits.spent = try spent() }
        var plan = BrokerPlan(
            grants: grants, places: places, models: policy.models, limits: limits, layer: policy.layer,
            targets: network.targets.map(\.description),
            names: network.names.map {
                BrokerPlan.PinnedName(name: $0.name.text, addresses: $0.addresses.map(\.description))
            }, authorities: network.originAuthorities)
        plan.leaks = policy.leaks
        plan.permitsUploads = policy.permitsUploads
        plan.digests = policy.keepsDigests
        plan.prices = policy.prices
        self.plan = plan
    }

    /// Seconds since 1970 until which each is lent, by name.
    var ends: [String: Int64] {
        guard let plan else { return [:] }
        let all = plan.grants.map { ($0.name, $0.expires ?? .max) } + plan.places.map { ($0.name, $0.expires ?? .max) }
        return Dictionary(all) { min($0, $1) }
    }

    /// With the secrets of those whose keeper has them. One that it has not, or that leads elsewhere meanwhile, is not lent.
    func filled(_ changes: [CredentialChange], of names: Set<String>) -> CredentialLending {
        var lending = self
        let ends = ends
        for name in names.sorted() {
            var change = changes.first { $0.name == name } ?? CredentialChange(name: name)
            change.lease = CredentialChange.Lease(until: ends[name])
            lending.plan = lending.plan?.after(change, now: 0, lifetimes: [:])
        }
        if let plan = lending.plan, plan.grants.isEmpty, plan.places.isEmpty { lending.plan = nil }
        return lending
    }

    /// `host` or `host:port` of a URL.
    private static func authority(_ base: String) -> String {
        let rest = base.firstRange(of: "://").map { base[$0.upperBound...] } ?? base[...]
        return String(rest.prefix { $0 != "/" }).lowercased()
    }

    /// Those for servers that the sandbox may reach: with a credential it gets no further than without.
    private static func reachable(
        _ all: [PlaceGrant], _ policy: CredentialPolicy, _ network: EgressPlan, _ now: Int64
    ) throws(AiboxError) -> ([PlaceGrant], notes: [String]) {
        if all.isEmpty { return ([], []) }
        let list: AllowList
        do throws(AllowListProblems) { list = try AllowList(network.allow) } catch {
            throw AiboxError(.usage, "cannot read the allow-list", why: "\(error)")
        }
        var lent: [PlaceGrant] = []
        var notes = PlaceGrant.Kind.allCases.filter { kind in
            policy.places[kind] ?? 0 <= 0 && all.contains { $0.kind == kind }
        }.map { "no credential for \(words(for: $0)) is lent: \($0.lifetimeField) of the policy is 0s" }
        for var grant in all {
            guard let seconds = policy.places[grant.kind], seconds > 0 else { continue }
            if list.permits(grant) {
                grant.expires = min(now + Int64(seconds), grant.expires ?? .max)
                lent.append(grant)
            } else if let host = try? HostName(grant.host), !list.rules(for: host).isEmpty {
                notes.append(
                    "\(grant.name) is not lent: the allow-list opens \(grant.host) only in part, or on another port")
            }
        }
        return (lent, notes)
    }

    private static func words(for kind: PlaceGrant.Kind) -> String {
        switch kind {
        case .git: "git"
        case .mirror: "a mirror of packages"
        case .custom: "another place"
        }
    }

    /// Looks like a key of the API to programs that check, and is worth nothing anywhere but at this sandbox's proxy.
    private static func surrogate(_ api: BrokerPlan.API) throws(AiboxError) -> String {
        api.surrogatePrefix + Hex.encode(try SecureRandom.bytes(32))
    }

    /// The LLM proxy, as it is reached from inside.
    static let address = "http://\(SandboxSpec.gatewayAddress):\(BrokerPlan.port)"

    /// What the programs inside read.
    var environment: [SandboxSpec.Variable] {
        guard let plan else { return [] }
        var variables: [SandboxSpec.Variable] = []
        if let grant = plan.grants.first, let style = LLMStyle.of(grant.base) {
            variables = Self.variables(style, grant)
            variables.append(.init("AIBOX_LLM_API_KEY", grant.surrogate))
            return variables + Self.urls(plan.places)
        }
        if let grant = plan.grants.first(where: { $0.api == .anthropic }) {
            variables += [.init("ANTHROPIC_API_KEY", grant.surrogate), .init("ANTHROPIC_BASE_URL", Self.address)]
        }
        if let grant = plan.grants.first(where: { $0.api == .openai }) {
            variables += [.init("OPENAI_API_KEY", grant.surrogate), .init("OPENAI_BASE_URL", Self.address + "/v1")]
        }
        if let first = plan.grants.first { variables.append(.init("AIBOX_LLM_API_KEY", first.surrogate)) }
        return variables + Self.urls(plan.places)
    }

    /// Where programs find what a credential of a name of its own opens: `AIBOX_CUSTOM_NAME_URL`, of the first place that
    /// it was given.
    private static func urls(_ grants: [PlaceGrant]) -> [SandboxSpec.Variable] {
        var variables: [SandboxSpec.Variable] = []
        for grant in grants where grant.kind == .custom {
            let letters = grant.name.dropFirst("custom:".count).uppercased().map { "-.".contains($0) ? "_" : $0 }
            let name = "AIBOX_CUSTOM_\(String(letters))_URL"
            if !variables.contains(where: { $0.name == name }) {
                variables.append(.init(name, address + grant.brokerPath))
            }
        }
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
