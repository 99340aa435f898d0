import AiboxConfig
import AiboxNetwork
import AiboxTestSupport

@testable import AiboxPolicy

/// Random lists of rules for three layers, and random requests. A later layer is a change of the one before more often than
/// not, so that enough of them tighten.
struct RandomPolicy {
    static let day = "2026-11-22"

    enum Theme: CaseIterable {
        case network, tools, servers

        /// The list of rules.
        var field: String {
            switch self {
            case .network: "network.allow"
            case .tools: "tools.rules"
            case .servers: "mcp.servers"
            }
        }
    }

    /// One kind for each action of the decision contract; `agent` is a tool of an agent's own.
    enum Request: Sendable {
        case connect(EgressRequest)
        case tool([String])
        case agent([String])
        case server([String])
        case file(String, write: Bool)
        case credential(String, seconds: Int)
        case push(String, force: Bool, delete: Bool)
        case model(String, content: String)
        case start(Configuration.Isolation)

        /// What of a policy decides it; a fault is named by the first.
        var sections: [String] {
            switch self {
            case .connect: ["network.allow", "network.user_hosts"]
            case .tool, .agent: ["tools.rules"]
            case .server: ["mcp.servers"]
            case .file: ["filesystem."]
            case .credential: ["credentials."]
            case .push: ["push."]
            case .model: ["llm."]
            case .start: ["runtime."]
            }
        }
    }

    /// A list of the organisation's, and changes of it.
    struct Family {
        var org: PolicyItem
        var team: [PolicyItem]
        var project: [PolicyItem]
    }

    private var random: SeededGenerator
    private var layer = PolicyLayer.org
    private var line = 1

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func family(_ theme: Theme) -> Family {
        func list(_ fields: [String: PolicyItem], _ old: PolicyItem) -> PolicyItem { fields[theme.field] ?? old }
        layer = .org
        let org = list(fields(theme), item(.list([])))
        layer = .team
        var team: [PolicyItem] = []
        for _ in 0..<6 { team.append(list(later(theme, than: [theme.field: org]), placed(org))) }
        layer = .project
        var project: [PolicyItem] = []
        for number in 0..<6 {
            let parent = chance(50) ? org : team[number]
            project.append(list(later(theme, than: [theme.field: parent]), placed(parent)))
        }
        return Family(org: org, team: team, project: project)
    }

    /// The same, said by this layer.
    private mutating func placed(_ list: PolicyItem) -> PolicyItem { item(list.content) }

    // MARK: - Documents

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func one<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    private mutating func item(_ content: PolicyItem.Content) -> PolicyItem {
        line += 1
        return PolicyItem(content, PolicyOrigin(layer: layer, file: layer.rawValue, line: line))
    }

    private mutating func texts(_ texts: [String]) -> PolicyItem {
        var items: [PolicyItem] = []
        for text in texts { items.append(item(.text(text))) }
        return item(.list(items))
    }

    private mutating func some(_ words: [String], _ percent: Int = 40) -> [String] {
        var chosen: [String] = []
        for word in words where chance(percent) { chosen.append(word) }
        return chosen
    }

    private mutating func fields(_ theme: Theme) -> [String: PolicyItem] {
        switch theme {
        case .network:
            var fields: [String: PolicyItem] = [:]
            if chance(90) { fields["network.allow"] = allow(Int.random(in: 0...3, using: &random)) }
            if chance(40) { fields["network.user_hosts"] = item(.text(one(["any", "none"]))) }
            return fields
        case .tools: return ["tools.rules": rules(Int.random(in: 0...4, using: &random))]
        case .servers: return ["mcp.servers": servers(Int.random(in: 0...2, using: &random))]
        }
    }

    private mutating func later(_ theme: Theme, than parent: [String: PolicyItem]) -> [String: PolicyItem] {
        if chance(20) { return [:] }
        if chance(25) { return fields(theme) }
        switch theme {
        case .network:
            guard let list = parent["network.allow"] else { return [:] }
            var entries: [PolicyItem] = []
            for entry in list.elements where chance(75) { entries.append(changed(entry)) }
            if chance(5), let entry = list.elements.first { entries.append(changed(entry, id: "z")) }
            var fields = ["network.allow": item(.list(entries))]
            if chance(20) { fields["network.user_hosts"] = item(.text(one(["any", "none"]))) }
            return fields
        case .tools:
            var added: [PolicyItem] = []
            for rule in parent["tools.rules"]?.elements ?? [] where chance(40) { added.append(changed(rule: rule)) }
            return ["tools.rules": item(.list(added))]
        case .servers: return ["mcp.servers": servers(1)]
        }
    }

    private static let hosts = ["*.example.com", "api.example.com", "git.example.com", "api.other.example"]
    private static let paths = ["/**", "/v1/**", "/v1/*", "/v1/models", "/v1/m*", "/v1/files/*"]

    private mutating func allow(_ count: Int) -> PolicyItem {
        var entries: [PolicyItem] = []
        for index in 0..<count { entries.append(entry("e\(index)")) }
        return item(.list(entries))
    }

    private mutating func entry(_ id: String) -> PolicyItem {
        var members = ["id": item(.text(id))]
        let isInspected = chance(40)
        let hosts = isInspected ? Array(Self.hosts.dropFirst()) : Self.hosts
        let named = some(hosts, 45)
        members["hosts"] = texts(named.isEmpty ? [one(hosts)] : named)
        if chance(30) {
            let port = item(.integer(one([80, 443, 8443])))
            members["ports"] = item(.list([item(.integer(443))] + (port.integer == 443 ? [] : [port])))
        }
        if chance(20) { members["schemes"] = texts(one([["https"], ["https", "http"]])) }
        if isInspected {
            if chance(50) { members["methods"] = texts(one([["GET"], ["GET", "POST"], ["POST"]])) }
            if chance(50) { members["paths"] = texts([one(Self.paths)]) }
            if chance(30), members["methods"] == nil, members["paths"] == nil {
                members["inspect"] = item(.boolean(true))
            }
        }
        if chance(30) { members["rate_limit"] = limit() }
        if chance(15) { members["max_upload"] = item(.integer(one([10, 20]))) }
        return item(.group(members))
    }

    private mutating func limit() -> PolicyItem {
        var members: [String: PolicyItem] = [:]
        if chance(80) { members["requests_per_min"] = item(.integer(one([30, 60]))) }
        if chance(30) { members["connections"] = item(.integer(one([2, 4]))) }
        return item(.group(members))
    }

    /// The entry with one part replaced, dropped or kept.
    private mutating func changed(_ entry: PolicyItem, id: String? = nil) -> PolicyItem {
        var members = entry.members
        if let id { members["id"] = item(.text(id)) }
        if chance(50) {
            let fresh = self.entry("x").members
            let part = one(["hosts", "ports", "schemes", "methods", "paths", "rate_limit", "max_upload", "inspect"])
            members[part] = fresh[part] ?? members[part]
            if chance(15), part != "hosts" { members[part] = nil }
        } else if chance(50), let first = members["hosts"]?.elements.first {
            members["hosts"] = item(.list([first]))
        }
        // What a reader would refuse is no document.
        let changed = item(.group(members))
        return (try? AllowList([AllowRuleSource(changed)])) == nil ? entry : changed
    }

    private static let words = [
        ["git"], ["git", "push"], ["git", "*"], ["*"], ["cu*"], ["curl"], ["/usr/bin/curl"], ["curl", "-x"],
    ]

    private mutating func rules(_ count: Int) -> PolicyItem {
        var rules: [PolicyItem] = []
        for _ in 0..<count { rules.append(rule(one(Self.words))) }
        return item(.list(rules))
    }

    private mutating func rule(_ words: [String]) -> PolicyItem {
        var members = [
            "match": texts(words), "id": item(.text("r\(UInt32.random(in: .min ... .max, using: &random))")),
        ]
        let outcome = Int.random(in: 0..<4, using: &random)
        members["allow"] = item(.boolean(outcome != 3))
        members["risk"] = item(.text(["safe", "review-required", "review-required", "blocked-by-default"][outcome]))
        if outcome == 1 { members["async"] = item(.boolean(true)) }
        return item(.group(members))
    }

    private mutating func changed(rule: PolicyItem) -> PolicyItem {
        let words = rule["match"]?.texts ?? []
        return self.rule(chance(50) ? words : words + [one(["push", "-x", "*"])])
    }

    private mutating func servers(_ count: Int) -> PolicyItem {
        var list: [PolicyItem] = []
        for id in ["files", "db"].prefix(count) {
            var tools: [String: PolicyItem] = [:]
            for pattern in some(["*", "read_*", "read_x", "drop"], 45) {
                tools[pattern] = item(.text(one(["safe", "review-required", "blocked-by-default"])))
            }
            list.append(item(.group(["id": item(.text(id)), "tools": item(.group(tools))])))
        }
        return item(.list(list))
    }

    // MARK: - Requests

    mutating func command() -> [String] {
        [one(["git", "curl", "/usr/bin/curl", "./curl", "nc"])] + some(["push", "-x", "a"])
    }

    private static let names = ["api.example.com", "git.example.com", "w.example.com", "api.other.example"]
        .compactMap { try? HostName($0) }
    private static let targets = ["/", "/v1/models", "/v1/many", "/v1/files/a", "/v1/files/a/b"]
        .compactMap { try? RequestPath($0) }

    /// One of any kind.
    mutating func request() -> Request {
        let path = one(["/workspace/a", "/workspace/a/x", "/workspace/src/a/b", "/workspace2/x", "/etc/x", "/"])
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1: if let request = connection() { return request }
        case 2: return .tool(command())
        case 3: return .agent([one(["git", "curl", "nc"])] + some(["push", "-x", "a"]))
        case 4: return .server([one(["files", "db"]), one(["read_x", "read_y", "drop", "z"])])
        case 5:
            let type = one(["git_token", "llm_api_key", "mirror_token", "custom"])
            return .credential(type, seconds: one([1, 60, 3600, 14_400]))
        case 6:
            let ref = one(["agent/x", "agent/y", "agent/a/b", "main", "release/1"])
            return .push(ref, force: chance(30), delete: chance(20))
        case 7:
            let content = one(["", "", "CANARY-AAAA", "CANARY-BBBB"])
            return .model(one(["small-1", "small-2", "large", "x", "arn:eu:small-1"]), content: content)
        case 8: return .start(one([.gvisor, .kata, .crun]))
        default: break
        }
        return .file(path, write: chance(60))
    }

    private mutating func connection() -> Request? {
        let content: EgressRequest.Content =
            chance(25)
            ? .tunnel
            : .http(one([.https, .https, .http]), method: one(["GET", "POST", "PUT"]), path: one(Self.targets))
        return .connect(EgressRequest(host: one(Self.names), port: one([443, 443, 80, 8443]), content: content))
    }
}

extension RandomPolicy.Request {
    /// What Rego is asked about it; nil where other tests compare, or nobody is asked.
    func question(_ policy: EffectivePolicy) -> PolicyQuestion? {
        switch self {
        case .connect, .tool, .agent, .start: nil
        case .server(let words):
            policy["mcp.servers"]?.elements.isEmpty ?? true ? nil : .server(id: words[0], tool: words[1])
        case .file(let path, let write): .file(path: path, write: write)
        case .credential(let type, let seconds): .credential(type: type, seconds: seconds)
        case .push(let ref, let force, let delete): .push(ref: "refs/heads/" + ref, force: force, delete: delete)
        case .model(let model, let content):
            // A budget of nothing is spent, which the judge has among the limits.
            content.isEmpty && policy["llm.budget_tokens"]?.integer != 0 ? .model(model) : nil
        }
    }
}
