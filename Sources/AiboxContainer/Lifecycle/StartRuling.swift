import AiboxConfig
import AiboxNetwork
import AiboxPolicy
import AiboxSystem

/// What the policy says to one start, found before anything is made.
struct StartRuling {
    /// As it is kept for the sandbox's stay.
    let documents: PolicySet
    let policy: EffectivePolicy
    /// SHA-256 of the effective policy.
    let digest: String
    /// The start's context with what the policy bounds.
    let context: SandboxContext
    /// The way out; nil where the settings want none.
    let plan: EgressPlan?
    /// In words, where another engine than the policy's is used.
    let fallback: String?
    /// What the person should know: fallbacks, lowered limits, what is not enforced.
    let notes: [String]

    /// - Throws: the refusal, or what is wrong with the documents.
    init(_ context: SandboxContext, workspace: Workspace, sandbox: String) throws(AiboxError) {
        let documents = try context.policySet(workspace: workspace.path)
        let policy = try documents.effective()
        let enforcement = PolicyEnforcement(policy)
        try enforcement.refuse()
        try policy.judge(rootful: context.host.isRoot)
        var notes: [String] = []
        var fallback: String?
        if case .fallback(let words) = try policy.judge(context.configuration.isolation) {
            fallback = words
            notes.append(words)
        }
        var bounded = context
        for pin in policy.pins { try pin.hold(&bounded.configuration) }
        notes += policy.bound(&bounded.configuration.resources)
        bounded.policy = policy
        self.documents = documents
        self.policy = policy
        self.fallback = fallback
        self.context = bounded
        var plan = try NetworkPolicy(policy).plan(bounded.configuration.network)
        if let way = plan { plan?.endings = try documents.endings(of: policy, way, bounded.configuration.network) }
        self.plan = plan
        digest = try policy.digest()
        self.notes = notes + policy.notes + enforcement.notes
    }
}
