/// Where the rules of a decision stand, and who may change them.
public struct PolicyAuthority: Sendable {
    private let policy: EffectivePolicy
    private let modules: PolicyModules
    private let action: String
    /// Of a question about a credential: `git_token`, ...
    private let credential: String?

    /// - Parameters:
    ///   - action: what was asked about.
    ///   - credential: its type, where that is a credential.
    public init(
        _ policy: EffectivePolicy, _ modules: PolicyModules, action: String = "start", credential: String? = nil
    ) {
        self.policy = policy
        self.modules = modules
        self.action = action
        self.credential = credential
    }

    /// The field in whose entries a rule is looked for by its id; nil where the id begins with its section.
    private var entries: String? {
        switch action {
        case "tool": "tools.rules"
        case "mcp": "mcp.servers"
        case "network": "network.allow"
        default: nil
        }
    }

    /// The field that a rule of the baseline's goes by, and whether it refuses what the field does not have.
    private func field(_ rule: String) -> (name: String, isLacking: Bool)? {
        switch rule {
        case "tools.default": ("tools.rules", true)
        case "mcp.default": ("mcp.servers", true)
        case "llm.default": ("llm.models", true)
        case "push.default": ("push.unreviewed", true)
        case "default-deny": ("network.allow", true)
        case "llm.budget": ("llm.budget_tokens", false)
        case "llm.rate": ("llm.requests_per_minute", false)
        case "credentials.default", "credentials.ttl": credential.map { ("credentials.\($0)_ttl", false) }
        default: nil
        }
    }

    private func origin(_ rule: String) -> PolicyOrigin? {
        guard let (name, _) = field(rule) else {
            return policy.origin(ofRule: rule, field: entries ?? rule).flatMap { $0.isBuiltIn ? nil : $0 }
        }
        // Of lists that count together the first one is the one that has to permit it.
        let isPooled = PolicySchema.field(name)?.order.isPooled ?? false
        let said = isPooled ? policy.statements[name] ?? [] : [policy[name]].compactMap(\.self)
        return said.map(\.origin).first { !$0.isBuiltIn }
    }

    /// `file:line` of a rule: the document's that sets its value, else the policy's in Rego.
    public func place(_ rule: String) -> String? { origin(rule)?.description ?? modules.place(ofRule: rule) }

    /// Who says so; nil where no document does.
    public func layer(_ rule: String) -> String? { origin(rule)?.layer.rawValue }

    /// Whose word would change the answer, as a clause.
    public func owner(_ rule: String) -> String {
        if let (name, isLacking) = field(rule) {
            let origin = origin(rule)
            let who = origin.map { "\($0.file) (\($0.layer.rawValue))" } ?? "\(policy.source) (org)"
            return "who owns \(who) may \(isLacking ? "add to" : origin == nil ? "set" : "change") \(name)"
        }
        if let origin = origin(rule) { return "who owns \(origin.file) (\(origin.layer.rawValue)) may change it" }
        let own = modules.sources.first { source in
            source.isOwn && (modules.place(ofRule: rule)?.hasPrefix(source.name + ":") ?? false)
        }
        if let own { return "who owns \(own.name) (org) may change it" }
        return "a rule of aibox's own, which no policy changes"
    }

    /// What the person who starts a sandbox can ask for instead, as a clause; nil where nothing helps.
    public func alternative(_ rule: String) -> String? {
        let section = rule.prefix { $0 != "." }
        switch (section, rule) {
        case ("resources", _):
            let name = rule.dropFirst(section.count + 1)
            return "ask for less: aibox config set resources.\(name)"
        case ("mounts", _): return "take the folder of one project as the workspace"
        case (_, "runtime.engine"): return "aibox config set gvisor.enabled true"
        case (_, "runtime.rootless"): return "start it as an ordinary user"
        default: return nil
        }
    }
}
