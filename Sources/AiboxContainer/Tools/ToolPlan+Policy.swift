import AiboxPolicy
import AiboxSystem
import AiboxWire

extension ToolPlan {
    /// What the gateway of a sandbox is told, so that it answers as `aibox policy why tool` does.
    init(_ gate: ToolGate, _ policy: EffectivePolicy, _ modules: PolicyModules) throws(AiboxError) {
        let authority = PolicyAuthority(policy, modules, action: "tool")
        let rules = (policy["tools.rules"]?.elements ?? []).map { item in
            let words = item["match"]?.texts ?? []
            let id = item["id"]?.text ?? words.joined(separator: " ")
            return Rule(
                id: id, origin: item.origin.description, owner: authority.owner(id), length: words.count)
        }
        let own = ["tools.default", "tools.options"].map { id in
            Rule(id: id, origin: authority.place(id) ?? "", owner: authority.owner(id), length: 0)
        }
        self.init(
            policy: policy.decisionDocument, modules: modules.json, programs: gate.programs, rules: rules + own,
            digest: try policy.digest(), patience: ToolCoverage.reviewSeconds(policy))
    }
}
