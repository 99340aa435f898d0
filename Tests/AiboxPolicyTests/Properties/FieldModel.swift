import AiboxNetwork

@testable import AiboxPolicy

/// What a field can say, and when a value is looser than another one: said once more, without the table's orders and
/// without the code that compares policies.
struct FieldModel: Sendable {
    typealias Comparison = @Sendable (_ child: PolicyItem?, _ parent: PolicyItem?) -> Bool

    let name: String
    /// Values of every kind that matters; none for the lists of rules, which `RandomPolicy` makes.
    let values: [PolicyItem.Content]
    /// Whether `child`, which holds after a later document spoke, permits what `parent` does not.
    let exceeds: Comparison
    /// The elements of all layers count together: what a later document says need not repeat the earlier one's.
    var isPooled = false
    /// Nobody but the organisation may say it.
    var isOrganisations = false

    private init(_ name: String, _ values: [PolicyItem.Content], _ exceeds: @escaping Comparison) {
        self.name = name
        self.values = values
        self.exceeds = exceeds
    }

    /// In the order of the table of fields; one without a row here fails `PolicyPropertyTests`.
    static let all: [FieldModel] = [
        .fixed("network.mode", ["deny-by-default", "allow-by-default"]), .rules("network.allow"),
        .words("network.user_hosts", ["any", "none"]),
        .addresses(
            "network.targets", ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "fd00::/8"],
            ["10.9.0.1", "10.1.9.1", "10.1.2.3", "fd00::1", "192.168.1.1"]),
        .organisations(
            "network.names",
            [.entries([]), .entries([["name": .text("a.example.com"), "addresses": .texts(["10.1.1.1"])]])]),
        .organisations(
            "network.upstream_proxy",
            [
                .members(["host": .text("p.example.com"), "port": .integer(3128)]),
                .members(["host": .text("p.example.com"), "port": .integer(3129), "tls": .boolean(true)]),
            ]),
        .organisations(
            "network.inspection", [.text("permitted"), .text("permitted"), .text("permitted"), .text("forbidden")]),
        .organisations("network.authorities", [.texts([]), .texts(["/etc/ca.pem"])]),
        .path("filesystem.workspace_root", ["/workspace", "/workspace/src", "/workspace/src/a", "/workspace2", "/"]),
        .union("filesystem.deny", ["/workspace/a", "/workspace/b", "/etc", "/"]),
        .union("filesystem.protected", ["/workspace/a/x", "/workspace/.git", "/workspace"]), .rules("tools.rules"),
        .most("tools.review_timeout", [1, 60, 600, 3600]), .most("resources.cpus", [1, 2, 4, 8]),
        .most("resources.memory", [1 << 29, 1 << 30, 1 << 33]), .most("resources.pids", [64, 512, 4096]),
        .most("resources.tmp_size", [1 << 20, 1 << 28, 1 << 30]), .most("resources.disk", [1 << 30, 1 << 34]),
        FieldModel("runtime.engine", ["crun", "gvisor", "kata"].map { .text($0) }) { child, parent in
            !engines(child).isSubset(of: engines(parent))
        },
        FieldModel("runtime.fallback", subsets(["crun", "gvisor", "kata"])) { child, parent in
            !Set(child?.texts ?? []).isSubset(of: parent?.texts ?? [])
        },
        .on("runtime.rootless"), .on("runtime.ephemeral"), .most("credentials.git_token_ttl", [0, 60, 3600, 14_400]),
        .most("credentials.llm_api_key_ttl", [0, 60, 3600]), .most("credentials.mirror_token_ttl", [0, 60, 3600]),
        .most("credentials.custom_ttl", [0, 60, 3600]), .fixed("credentials.injection", ["surrogate", "direct"]),
        .words("credentials.on_misuse", ["report", "stop"]), .on("credentials.revoke_on_stop"),
        .on("credentials.no_persist_to_workspace"),
        .models(
            "llm.models", ["*", "small-*", "small-1", "large", "arn:*", "arn:eu:small-1"],
            ["small-1", "small-2", "large", "larger", "x", "arn:eu:small-1", "arn:us:large"]),
        .most("llm.requests_per_minute", [1, 60, 600]), .most("llm.tokens_per_minute", [1000, 100_000]),
        .most("llm.budget_tokens", [0, 1000, 1_000_000]), .most("llm.daily_tokens", [0, 1000, 1_000_000]),
        .most("llm.daily_cost", [0, 12_500_000, 90_000_000]), .most("llm.sandbox_daily_tokens", [0, 1000, 1_000_000]),
        .most("llm.sandbox_daily_cost", [0, 2_500_000, 12_500_000]),
        .organisations(
            "llm.prices",
            [
                .entries([]),
                .entries([["model": .text("*"), "input": .integer(3_000_000), "output": .integer(15_000_000)]]),
            ]),
        .union(
            "llm.dlp",
            entries: [
                ["id": .text("a"), "canary": .text("CANARY-AAAA"), "action": .text("block")],
                ["id": .text("b"), "canary": .text("CANARY-BBBB"), "action": .text("report")],
                ["id": .text("a"), "canary": .text("CANARY-AAAA"), "action": .text("report")],
                ["id": .text("k"), "known": .text("private-key"), "action": .text("block")],
            ]),
        .words("llm.logging", ["none", "metadata", "hash", "full"]),
        .organisations("llm.payload_size", [.integer(1 << 20), .integer(1 << 26)]),
        .organisations("llm.payload_days", [.integer(1), .integer(30)]),
        .words("llm.uploads", ["permitted", "forbidden"]), .on("llm.redact"),
        .union("push.protected", ["main", "release/*", "agent/x", "**"]),
        .patterns(
            "push.unreviewed", ["**", "agent/*", "agent/**", "agent/x"],
            ["agent/x", "agent/y", "agent/a/b", "main", "release/1"], paths: true),
        .least("push.reviewers", [1, 2, 3]), .words("audit.on_failure", ["continue", "stop"]),
        .words("audit.recording_policy", ["disabled", "optional", "required"]),
        .words("audit.trace_policy", ["disabled", "optional", "required"]),
        .fixed("audit.recording_recipient", ["aibox-recording:a", "aibox-recording:b"]), .rules("mcp.servers"),
        .patterns(
            "toolpacks.allow", ["*", "node@*", "node@22", "go*"], ["node@22", "node@20", "go", "gopls", "nmap"],
            paths: false), .union("toolpacks.deny", ["nmap", "node@20", "*"]),
        .words("learn.mode", ["permitted", "forbidden"]),
        .pins([
            "resources.cpus": [("1", 3), ("2", 2), ("8", 1)], "gvisor.enabled": [("true", 2), ("false", 1)],
            "network.enabled": [("false", 2), ("true", 1)],
        ]),
        .organisations(
            "exceptions",
            [
                .entries([]), .entries([exception("x1", "2027-01-31", "api.other.example")]),
                .entries([
                    exception("x2", "2026-11-21", "w.example.com"), exception("x3", "2026-11-22", "w.example.com"),
                ]),
            ]), .union("required", ["tools", "push.protected", "resources"]),
    ]

    private static func exception(_ id: String, _ day: String, _ host: String) -> [String: PolicyItem.Content] {
        ["id": .text(id), "owner": .text("ann"), "expires": .text(day), "hosts": .texts([host])]
    }
}

// MARK: - When a value is looser

extension FieldModel {
    private static func most(_ name: String, _ values: [Int]) -> FieldModel {
        FieldModel(name, values.map { .integer($0) }) { ($0?.integer ?? .max) > ($1?.integer ?? .max) }
    }

    private static func least(_ name: String, _ values: [Int]) -> FieldModel {
        FieldModel(name, values.map { .integer($0) }) { ($0?.integer ?? 0) < ($1?.integer ?? 0) }
    }

    private static func on(_ name: String) -> FieldModel {
        FieldModel(name, [.boolean(false), .boolean(true)]) { $1?.boolean == true && $0?.boolean != true }
    }

    /// - Parameter words: from the loosest.
    private static func words(_ name: String, _ words: [String]) -> FieldModel {
        let places = Dictionary(uniqueKeysWithValues: zip(words, words.indices))
        return FieldModel(name, words.map { .text($0) }) { child, parent in
            (places[child?.text ?? ""] ?? -1) < (places[parent?.text ?? ""] ?? -1)
        }
    }

    private static func fixed(_ name: String, _ words: [String]) -> FieldModel {
        FieldModel(name, words.map { .text($0) }) { $1 != nil && $0 != $1 }
    }

    private static func organisations(_ name: String, _ values: [PolicyItem.Content]) -> FieldModel {
        var model = FieldModel(name, values) { $0 != $1 }
        model.isOrganisations = true
        return model
    }

    private static func path(_ name: String, _ paths: [String]) -> FieldModel {
        FieldModel(name, paths.map { .text($0) }) { child, parent in
            guard let parent = parent?.text else { return false }
            let child = child?.text ?? "/"
            return !(child + "/").hasPrefix(parent == "/" ? "/" : parent + "/")
        }
    }

    private static func union(_ name: String, _ values: [PolicyItem.Content]) -> FieldModel {
        var model = FieldModel(name, values) { child, parent in
            guard let parent else { return false }
            let held = child?.elements ?? []
            return !parent.elements.allSatisfy { held.contains($0) }
        }
        model.isPooled = true
        return model
    }

    private static func union(_ name: String, _ words: [String]) -> FieldModel { union(name, subsets(words)) }

    private static func union(_ name: String, entries: [[String: PolicyItem.Content]]) -> FieldModel {
        union(name, [.entries([])] + entries.map { .entries([$0]) })
    }

    private static func patterns(_ name: String, _ words: [String], _ samples: [String], paths: Bool) -> FieldModel {
        sampled(name, words) { pattern in
            samples.map { matches(pattern[...], $0[...], paths: paths) }
        }
    }

    /// An ARN is permitted by a pattern that begins as one, and by nothing else.
    private static func models(_ name: String, _ words: [String], _ samples: [String]) -> FieldModel {
        sampled(name, words) { pattern in
            samples.map { sample in
                (pattern.hasPrefix("arn:") || !sample.hasPrefix("arn:"))
                    && matches(pattern[...], sample[...], paths: false)
            }
        }
    }

    private static func addresses(_ name: String, _ words: [String], _ samples: [String]) -> FieldModel {
        sampled(name, words) { word in
            samples.map { sample in IPAddress(sample).flatMap { AddressRange(word)?.contains($0) } ?? false }
        }
    }

    /// A list of words, each of which stands for some of the samples.
    private static func sampled(_ name: String, _ words: [String], _ covered: (String) -> [Bool]) -> FieldModel {
        let masks = words.map { word in
            covered(word).enumerated().reduce(UInt64(0)) { $1.element ? $0 | 1 << UInt64($1.offset) : $0 }
        }
        let known = Dictionary(uniqueKeysWithValues: zip(words, masks))
        @Sendable func mask(_ item: PolicyItem?) -> UInt64 {
            var mask: UInt64 = 0
            for element in item?.elements ?? [] { mask |= known[element.text ?? ""] ?? .max }
            return mask
        }
        return FieldModel(name, subsets(words)) { mask($0) & ~mask($1) != 0 }
    }

    /// - Parameter settings: each with its values, and how tight they are.
    private static func pins(_ settings: [String: [(String, Int)]]) -> FieldModel {
        var contents: [PolicyItem.Content] = [.members([:])]
        let names = settings.keys.sorted()
        for name in names {
            for (value, _) in settings[name] ?? [] { contents.append(.members([name: .text(value)])) }
        }
        contents.append(.members(settings.mapValues { .text($0.first?.0 ?? "") }))
        let ranks = settings.mapValues { Dictionary(uniqueKeysWithValues: $0) }
        var model = FieldModel("pins", contents) { child, parent in
            (parent?.members ?? [:]).contains { name, bound in
                let held = child?[name]?.text.flatMap { ranks[name]?[$0] } ?? 0
                return held < ranks[name]?[bound.text ?? ""] ?? 0
            }
        }
        model.isPooled = true
        return model
    }

    /// Rules, of which requests tell what they permit.
    private static func rules(_ name: String) -> FieldModel { FieldModel(name, []) { _, _ in false } }

    private static func engines(_ item: PolicyItem?) -> Set<String> {
        item?.text == "crun" ? ["crun", "gvisor", "kata"] : [item?.text ?? ""]
    }

    private static func subsets(_ words: [String]) -> [PolicyItem.Content] {
        (0..<(1 << words.count)).map { mask in
            .texts(words.indices.filter { mask & (1 << $0) != 0 }.map { words[$0] })
        }
    }

    private static func matches(_ pattern: Substring, _ text: Substring, paths: Bool) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first != "*" { return first == text.first && matches(pattern.dropFirst(), text.dropFirst(), paths: paths) }
        let isDeep = !paths || pattern.hasPrefix("**")
        let rest = pattern.drop { $0 == "*" }
        var left = text
        while true {
            if matches(rest, left, paths: paths) { return true }
            guard let next = left.first, isDeep || next != "/" else { return false }
            left = left.dropFirst()
        }
    }
}

// MARK: - Values without places

extension PolicyItem.Content {
    fileprivate static func texts(_ texts: [String]) -> Self { .list(texts.map { PolicyItem(.text($0), .builtIn) }) }

    fileprivate static func members(_ members: [String: PolicyItem.Content]) -> Self {
        .group(members.mapValues { PolicyItem($0, .builtIn) })
    }

    fileprivate static func entries(_ entries: [[String: PolicyItem.Content]]) -> Self {
        .list(entries.map { PolicyItem(.members($0), .builtIn) })
    }
}
