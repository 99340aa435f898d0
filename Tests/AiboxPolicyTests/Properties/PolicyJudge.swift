import AiboxConfig
import AiboxNetwork

@testable import AiboxPolicy

/// How far a policy goes on one request: the larger, the more it permits.
struct Freedom: Equatable {
    var grade: Int
    /// Limits of what is permitted; nil is none.
    var limits: [Int?] = []

    func exceeds(_ parent: Freedom) -> Bool {
        if grade != parent.grade { return grade > parent.grade }
        return grade > 0
            && zip(limits, parent.limits).contains { own, most in most.map { (own ?? .max) > $0 } ?? false }
    }
}

/// Decides requests from the values of a policy, without the code that compares policies.
struct PolicyJudge {
    private let policy: EffectivePolicy
    private let list: AllowList?
    private let additions: Bool
    private let tools: [ToolRule]
    private let servers: [ToolRule]

    init(_ policy: EffectivePolicy) {
        self.policy = policy
        let network = NetworkPolicy(policy)
        list = try? AllowList(network.allow)
        additions = network.additions == .any
        tools = policy["tools.rules"].map { ToolRule.tools($0) } ?? []
        servers = policy["mcp.servers"].map { ToolRule.servers($0) } ?? []
    }

    func freedom(_ request: RandomPolicy.Request) -> Freedom {
        switch request {
        case .connect(let request):
            guard let list else { return Freedom(grade: 0) }
            switch list.decide(request) {
            case .allow(let grant):
                return Freedom(
                    grade: grant.needsInspection ? 1 : 2,
                    limits: [
                        grant.rateLimit?.requestsPerMinute, grant.rateLimit?.connections,
                        grant.maxUpload.map { Int($0) },
                    ])
            case .deny:
                // What a person could add on top.
                let isListed = list.hosts.contains { $0.matches(request.host) }
                return Freedom(grade: additions && !isListed && [80, 443].contains(request.port) ? 2 : 0)
            }
        // As the gate and an agent's hook: nobody asks about what no rule names, so it runs. A rule that lets everything run
        // names nothing.
        case .tool(let argv), .agent(let argv):
            return tool(argv) { $0.names(argv[0]) && ($0.outcome != .allow || $0.words[0] != "*") }
        case .server(let words):
            if policy["mcp.servers"]?.elements.isEmpty ?? true { return Freedom(grade: 3) }
            return Freedom(grade: 3 - ToolRule.decide(servers, words).outcome.rawValue)
        case .file(let path, let isWritten): return Freedom(grade: file(path, isWritten) ? 1 : 0)
        case .credential(let type, let seconds):
            return Freedom(grade: seconds <= policy["credentials.\(type)_ttl"]?.integer ?? 0 ? 1 : 0)
        case .push(let ref, let force, let delete):
            let isProtected = isNamed(ref, "push.protected")
            if isProtected, force || delete { return Freedom(grade: 0) }
            if !isProtected, isNamed(ref, "push.unreviewed") { return Freedom(grade: 2) }
            return Freedom(grade: 1, limits: [policy["push.reviewers"]?.integer.map { -$0 }])
        case .model(let model, let content): return ask(model, content)
        case .start(let engine): return Freedom(grade: (try? policy.judge(engine)) == nil ? 0 : 1)
        }
    }

    private func file(_ path: String, _ isWritten: Bool) -> Bool {
        func isBelow(_ roots: [String]) -> Bool {
            roots.contains { root in path == root || root == "/" || path.hasPrefix(root + "/") }
        }
        if isBelow(policy["filesystem.deny"]?.texts ?? []) { return false }
        if !isWritten { return true }
        if isBelow(policy["filesystem.protected"]?.texts ?? []) { return false }
        return isBelow([policy["filesystem.workspace_root"]?.text ?? "", "/tmp"])
    }

    private func isNamed(_ ref: String, _ field: String) -> Bool {
        (policy[field]?.texts ?? []).contains { PolicyPattern($0, paths: true).matches(ref) }
    }

    private func ask(_ model: String, _ content: String) -> Freedom {
        // As the LLM proxy: an ARN needs a pattern that is one.
        let isListed = (policy["llm.models"]?.texts ?? []).contains { pattern in
            PolicyPattern(pattern).matches(model) && (pattern.hasPrefix("arn:") || !model.hasPrefix("arn:"))
        }
        let leaks = (policy["llm.dlp"]?.elements ?? []).filter { rule in
            rule["canary"]?.text.map { content.contains($0) } ?? false
        }
        if !isListed || leaks.contains(where: { $0["action"]?.text == "block" }) { return Freedom(grade: 0) }
        let limits = [
            "requests_per_minute", "tokens_per_minute", "budget_tokens", "daily_tokens", "daily_cost",
            "sandbox_daily_tokens", "sandbox_daily_cost",
        ]
        return Freedom(grade: 1, limits: limits.map { policy["llm." + $0]?.integer })
    }

    private func tool(_ argv: [String], isAsked: (ToolRule) -> Bool) -> Freedom {
        if !tools.contains(where: isAsked) { return Freedom(grade: 3) }
        return Freedom(grade: 3 - ToolRule.decide(tools, argv).outcome.rawValue)
    }
}
