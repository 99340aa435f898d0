import AiboxNetwork
import AiboxTestSupport

@testable import AiboxPolicy

/// Random documents of three layers and random requests. A later layer is a change of the one before more often than not, so
/// that enough of them tighten.
struct RandomPolicy {
    static let day = "2026-11-22"

    enum Theme: Equatable {
        case network, tools, servers, values

        static func of(_ number: Int) -> Theme {
            switch number % 8 {
            case 0: .network
            case 1, 2: .tools
            case 3: .servers
            default: .values
            }
        }
    }

    enum Request: Sendable {
        case connect(EgressRequest)
        case tool([String])
        case agent([String])
        case server([String])
        case value(String, PolicyItem.Content)
    }

    private var random: SeededGenerator
    private var layer = PolicyLayer.org
    private var line = 1

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func triple(_ theme: Theme) -> (PolicyDocument, PolicyDocument, PolicyDocument) {
        layer = .org
        let org = PolicyDocument(layer: .org, file: "org", fields: fields(theme))
        layer = .team
        let team = PolicyDocument(layer: .team, file: "team", fields: later(theme, than: org.fields))
        layer = .project
        let parent = org.fields.merging(team.fields) { $1 }
        return (org, team, PolicyDocument(layer: .project, file: "project", fields: later(theme, than: parent)))
    }

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
        case .values: return values(percent: 35)
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
        case .values: return values(percent: 15)
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

    private mutating func values(percent: Int) -> [String: PolicyItem] {
        var fields: [String: PolicyItem] = [:]
        func put(_ name: String, _ content: PolicyItem.Content) { fields[name] = item(content) }
        if chance(percent) { put("resources.cpus", .integer(Int.random(in: 1...8, using: &random))) }
        if chance(percent) { put("credentials.git_token_ttl", .integer(one([0, 3600, 14400]))) }
        if chance(percent) { put("push.reviewers", .integer(Int.random(in: 1...3, using: &random))) }
        if chance(percent) { put("runtime.rootless", .boolean(chance(70))) }
        if chance(percent) { put("credentials.revoke_on_stop", .boolean(chance(80))) }
        if chance(percent) { put("runtime.engine", .text(one(["gvisor", "gvisor", "kata", "crun"]))) }
        if chance(percent) { fields["runtime.fallback"] = texts(some(["crun", "kata"], 30)) }
        if chance(percent) { put("llm.logging", .text(one(["none", "metadata", "hash", "full"]))) }
        if chance(percent) { put("llm.uploads", .text(one(["permitted", "permitted", "forbidden"]))) }
        if chance(percent) { put("audit.on_failure", .text(one(["continue", "stop", "stop"]))) }
        if chance(percent) { fields["llm.models"] = texts(some(["*", "small-*", "small-1", "large"], 35)) }
        if chance(percent) { fields["push.unreviewed"] = texts(some(["**", "agent/*", "agent/**", "agent/x"], 35)) }
        if chance(percent) {
            fields["network.targets"] = texts(some(["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24"], 35))
        }
        if chance(percent) { fields["filesystem.deny"] = texts(some(["/a", "/b"], 50)) }
        return fields
    }

    // MARK: - Requests

    mutating func requests(_ theme: Theme) -> [Request] {
        switch theme {
        case .network: return (0..<6).compactMap { _ in connection() }
        case .tools:
            return (0..<5).flatMap { _ -> [Request] in
                let argv = [one(["git", "curl", "/usr/bin/curl", "./curl", "nc"])] + some(["push", "-x", "a"])
                return [.tool(argv), .agent(argv)]
            }
        case .servers:
            return (0..<4).map { _ in .server([one(["files", "db"]), one(["read_x", "read_y", "drop", "z"])]) }
        case .values:
            return [
                .value("resources.cpus", .integer(Int.random(in: 1...9, using: &random))),
                .value("credentials.git_token_ttl", .integer(one([1, 3600, 7200, 14400]))),
                .value("push.reviewers", .integer(Int.random(in: 1...3, using: &random))),
                .value("runtime.rootless", .boolean(false)), .value("credentials.revoke_on_stop", .boolean(false)),
                .value("runtime.engine", .text(one(["gvisor", "kata", "crun"]))),
                .value("llm.logging", .text(one(["none", "metadata"]))), .value("audit.on_failure", .text("continue")),
                .value("llm.uploads", .text("permitted")),
                .value("llm.models", .text(one(["small-1", "small-2", "large", "x"]))),
                .value("push.unreviewed", .text(one(["agent/x", "agent/y", "agent/a/b", "main"]))),
                .value("network.targets", .text(one(["10.9.0.1", "10.1.9.1", "10.1.2.3"]))),
                .value("filesystem.deny", .text(one(["/a", "/b"]))),
            ]
        }
    }

    private static let names = ["api.example.com", "git.example.com", "w.example.com", "api.other.example"]
        .compactMap { try? HostName($0) }
    private static let targets = ["/", "/v1/models", "/v1/many", "/v1/files/a", "/v1/files/a/b"]
        .compactMap { try? RequestPath($0) }

    private mutating func connection() -> Request? {
        let content: EgressRequest.Content =
            chance(25)
            ? .tunnel
            : .http(one([.https, .https, .http]), method: one(["GET", "POST", "PUT"]), path: one(Self.targets))
        return .connect(EgressRequest(host: one(Self.names), port: one([443, 443, 80, 8443]), content: content))
    }
}
