/// What a policy permits that another one does not, and the other way round.
public struct PolicyDifference: Sendable, Equatable {
    public enum Direction: String, Sendable {
        /// Becomes possible.
        case opens
        /// Stops being possible.
        case closes
        /// Neither is tighter.
        case changes
    }

    public struct Row: Sendable, Equatable {
        public var direction: Direction
        public var field: String
        /// In words: `https://api.example.com:443 GET /v1/models`.
        public var what: String
        /// Where the newer policy, or for what it no longer says the older one, says so.
        public var origin: PolicyOrigin
    }

    public private(set) var rows: [Row] = []

    public init(from old: EffectivePolicy, to new: EffectivePolicy) {
        for field in PolicySchema.fields {
            let before = old[field.name]
            let after = new[field.name]
            if before == after { continue }
            switch field.order {
            case .allowList: compareLists(field, before, after)
            case .tools: compareRules(field, before.map(ToolRule.tools) ?? [], after.map(ToolRule.tools) ?? [])
            case .servers: compareRules(field, before.map(ToolRule.servers) ?? [], after.map(ToolRule.servers) ?? [])
            case .union: compareElements(field, before, after, more: .closes)
            case .part, .covered, .ranges: compareElements(field, before, after, more: .opens)
            case .same, .organisation, .on, .less, .more, .later, .tighter, .below, .pins:
                compareValues(field, before, after)
            }
        }
    }

    private mutating func compareValues(_ field: PolicyField, _ before: PolicyItem?, _ after: PolicyItem?) {
        let words = "\(before.map(field.words(of:)) ?? "no limit") -> \(after.map(field.words(of:)) ?? "no limit")"
        var direction = Direction.changes
        switch (before, after) {
        case (let before?, let after?):
            let opens = !field.loosening(of: before, by: after).isEmpty
            let closes = !field.loosening(of: after, by: before).isEmpty
            direction = opens == closes ? .changes : opens ? .opens : .closes
            if case .pins = field.order { direction = opens || !isKept(before, after) ? .opens : .closes }
        // No statement is no limit.
        case (nil, _): if field.isLimit { direction = .closes }
        case (_, nil): if field.isLimit { direction = .opens }
        }
        rows.append(
            Row(direction: direction, field: field.name, what: words, origin: (after ?? before)?.origin ?? .builtIn))
    }

    private func isKept(_ before: PolicyItem, _ after: PolicyItem) -> Bool {
        before.members.keys.allSatisfy { after.members[$0] != nil }
    }

    private mutating func compareElements(
        _ field: PolicyField, _ before: PolicyItem?, _ after: PolicyItem?, more: Direction
    ) {
        let old = before?.elements ?? []
        let new = after?.elements ?? []
        for item in new where !old.contains(item) {
            rows.append(Row(direction: more, field: field.name, what: field.entryWords(item), origin: item.origin))
        }
        for item in old where !new.contains(item) {
            rows.append(
                Row(
                    direction: more == .opens ? .closes : .opens, field: field.name,
                    what: field.entryWords(item), origin: item.origin))
        }
    }

    private mutating func compareLists(_ field: PolicyField, _ before: PolicyItem?, _ after: PolicyItem?) {
        let old = before ?? PolicyItem(.list([]), .builtIn)
        let new = after ?? PolicyItem(.list([]), .builtIn)
        for (direction, from, to) in [(Direction.opens, old, new), (.closes, new, old)] {
            for request in to.elements.flatMap(Self.requests)
            where !AllowListOrder(earlier: from, later: request.list).violations.isEmpty {
                let row = Row(direction: direction, field: field.name, what: request.words, origin: request.list.origin)
                if !rows.contains(where: { $0.direction == direction && $0.what == row.what }) { rows.append(row) }
            }
        }
    }

    /// An entry of the allow-list as single kinds of requests, each a list with an entry of its own.
    private static func requests(_ entry: PolicyItem) -> [(words: String, list: PolicyItem)] {
        func each(_ name: String) -> [PolicyItem?] {
            guard let list = entry[name] else { return [nil] }
            return list.elements.map { element in PolicyItem(.list([element]), list.origin) }
        }
        var requests: [(words: String, list: PolicyItem)] = []
        let source = AllowRuleWords(entry)
        for host in each("hosts") {
            for port in each("ports") {
                for scheme in each("schemes") {
                    for method in each("methods") {
                        for path in each("paths") {
                            var members = entry.members
                            for (name, value) in [
                                ("hosts", host), ("ports", port), ("schemes", scheme), ("methods", method),
                                ("paths", path),
                            ] { members[name] = value }
                            let single = PolicyItem(.group(members), entry.origin)
                            requests.append(
                                (
                                    source.words(host, port, scheme, method, path),
                                    PolicyItem(.list([single]), entry.origin)
                                )
                            )
                        }
                    }
                }
            }
        }
        return requests
    }

    private mutating func compareRules(_ field: PolicyField, _ before: [ToolRule], _ after: [ToolRule]) {
        var seen: Set<[String]> = []
        var samples = (after + before).map(\.words)
        // What else a program does is decided by whether a rule holds it, and a server that no rule names by whether any is named.
        samples += samples.compactMap { words in field.order.isCommands ? words.first.map { [$0] } : nil }
        if !field.order.isCommands { samples.append(["*", "*"]) }
        for words in samples where seen.insert(words).inserted {
            // A command line that the rule fits; an asterisk stands for a word of no meaning.
            let argv = words.map { $0.replacing("*", with: "x") }
            let old = ToolRule.effect(before, argv)
            let new = ToolRule.effect(after, argv)
            if old.outcome == new.outcome { continue }
            // No rule fits: one of those for which anybody is asked.
            let asking = ToolRule.naming(after + before, [argv[0]]).first ?? (after + before).first
            rows.append(
                Row(
                    direction: new.outcome < old.outcome ? .opens : .closes, field: field.name,
                    what: "\(words.joined(separator: " ")): \(old.outcome) -> \(new.outcome)",
                    origin: (new.rule ?? old.rule ?? asking)?.origin ?? .builtIn))
        }
    }
}

extension PolicyField {
    /// Whether a field that nobody spoke about bounds nothing.
    fileprivate var isLimit: Bool {
        if case .less = order { return true }
        return false
    }
}

/// An entry of the allow-list in the words of a request.
private struct AllowRuleWords {
    private let limit: String

    init(_ entry: PolicyItem) {
        var words: [String] = []
        if let rate = entry["rate_limit"]?["requests_per_min"]?.integer { words.append("\(rate)/min") }
        if let connections = entry["rate_limit"]?["connections"]?.integer { words.append("\(connections) connections") }
        if let bytes = entry["max_upload"]?.integer { words.append("\(bytes) bytes up") }
        limit = words.isEmpty ? "" : " (" + words.joined(separator: ", ") + ")"
    }

    func words(
        _ host: PolicyItem?, _ port: PolicyItem?, _ scheme: PolicyItem?, _ method: PolicyItem?, _ path: PolicyItem?
    ) -> String {
        let port = port?.elements.first?.integer ?? 443
        let scheme = scheme?.texts.first.map { $0 + "://" } ?? ""
        let request = [method?.texts.first, path?.texts.first].compactMap { $0 }.map { " " + $0 }.joined()
        return "\(scheme)\(host?.texts.first ?? ""):\(port)\(request)\(limit)"
    }
}
