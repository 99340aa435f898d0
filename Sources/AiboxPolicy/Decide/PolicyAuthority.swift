/// Where the rules of a decision stand, and who may change them.
public struct PolicyAuthority: Sendable {
    private let policy: EffectivePolicy
    private let modules: PolicyModules
    /// The field whose entries are rules; nil where a rule's name says it.
    private let field: String?

    /// - Parameter action: what was asked about.
    public init(_ policy: EffectivePolicy, _ modules: PolicyModules, action: String = "start") {
        self.policy = policy
        self.modules = modules
        field = action == "tool" ? "tools.rules" : nil
    }

    private func origin(_ rule: String) -> PolicyOrigin? {
        policy.origin(ofRule: rule, field: field ?? rule).flatMap { $0.isBuiltIn ? nil : $0 }
    }

    /// `file:line` of a rule: the document's that sets its value, else the policy's in Rego.
    public func place(_ rule: String) -> String? { origin(rule)?.description ?? modules.place(ofRule: rule) }

    /// Who says so; nil where no document does.
    public func layer(_ rule: String) -> String? { origin(rule)?.layer.rawValue }

    /// Whose word would change the answer, as a clause.
    public func owner(_ rule: String) -> String {
        if let origin = origin(rule) { return "who owns \(origin.file) (\(origin.layer.rawValue)) may change it" }
        if rule == "tools.default" { return "who owns \(policy.source) (org) may add a rule that lets it run" }
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
