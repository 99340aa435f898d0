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
            case .tools: compareRules(field, before, after, ToolRule.tools)
            case .servers: compareRules(field, before, after, ToolRule.servers)
            case .union: compareElements(field, before, after)
            case .part, .covered, .models, .ranges: comparePermitted(field, before, after)
            case .pins: comparePins(field, before, after)
            case .same, .organisation, .on, .less, .more, .later, .tighter, .below:
                compareValues(field, before, after)
            }
        }
        compareAdditions(old, new)
    }

    /// A list that takes hosts away ends `user_hosts: any`, whatever stands there.
    private mutating func compareAdditions(_ old: EffectivePolicy, _ new: EffectivePolicy) {
        let (before, after) = (NetworkPolicy(old).additions, NetworkPolicy(new).additions)
        let field = "network.user_hosts"
        if before == after || old[field] != new[field] { return }
        rows.append(
            Row(
                direction: after == .any ? .opens : .closes, field: field,
                what: "\(before) -> \(after), for a list that takes hosts away ends it",
                origin: (after == .any ? old : new)["network.allow"]?.origin ?? .builtIn))
    }

    private mutating func compareValues(_ field: PolicyField, _ before: PolicyItem?, _ after: PolicyItem?) {
        let nothing = field.isLimit ? "no limit" : "nothing"
        let words = "\(before.map(field.words(of:)) ?? nothing) -> \(after.map(field.words(of:)) ?? nothing)"
        var direction = Direction.changes
        switch (before, after) {
        case (let before?, let after?):
            let opens = !field.loosening(of: before, by: after).isEmpty
            let closes = !field.loosening(of: after, by: before).isEmpty
            direction = opens == closes ? .changes : opens ? .opens : .closes
        // No statement is no limit.
        case (nil, _): if field.isLimit { direction = .closes }
        case (_, nil): if field.isLimit { direction = .opens }
        }
        rows.append(
            Row(direction: direction, field: field.name, what: words, origin: (after ?? before)?.origin ?? .builtIn))
    }

    /// A row for each setting: one that is fixed no more may be anything.
    private mutating func comparePins(_ field: PolicyField, _ before: PolicyItem?, _ after: PolicyItem?) {
        let (old, new) = (before?.members ?? [:], after?.members ?? [:])
        for name in Set(old.keys).union(new.keys).sorted() where old[name] != new[name] {
            let was = old[name].map { PolicyItem(.group([name: $0]), $0.origin) }
            let now = new[name].map { PolicyItem(.group([name: $0]), $0.origin) }
            var direction: Direction = now == nil ? .opens : .closes
            if let was, let now, !field.loosening(of: was, by: now).isEmpty {
                direction = field.loosening(of: now, by: was).isEmpty ? .opens : .changes
            }
            let words = [old[name], new[name]].map { $0?.text ?? "not fixed" }.joined(separator: " -> ")
            rows.append(
                Row(
                    direction: direction, field: field.name, what: "\(name): \(words)",
                    origin: (now ?? was)?.origin ?? .builtIn))
        }
    }

    /// Lists of which more is tighter.
    private mutating func compareElements(_ field: PolicyField, _ before: PolicyItem?, _ after: PolicyItem?) {
        let old = before?.elements ?? []
        let new = after?.elements ?? []
        for (direction, items) in [
            (Direction.closes, new.filter { !old.contains($0) }), (.opens, old.filter { !new.contains($0) }),
        ] {
            rows += items.map {
                Row(direction: direction, field: field.name, what: field.entryWords($0), origin: $0.origin)
            }
        }
    }

    /// Lists of what is permitted: an element counts that the other list does not cover.
    private mutating func comparePermitted(_ field: PolicyField, _ before: PolicyItem?, _ after: PolicyItem?) {
        let old = before ?? PolicyItem(.list([]), .builtIn)
        let new = after ?? PolicyItem(.list([]), .builtIn)
        for (direction, from, to) in [(Direction.opens, old, new), (.closes, new, old)] {
            for item in to.elements
            where !field.loosening(of: from, by: PolicyItem(.list([item]), item.origin)).isEmpty {
                rows.append(
                    Row(direction: direction, field: field.name, what: field.entryWords(item), origin: item.origin))
            }
        }
    }

    private mutating func compareLists(_ field: PolicyField, _ before: PolicyItem?, _ after: PolicyItem?) {
        let old = before ?? PolicyItem(.list([]), .builtIn)
        let new = after ?? PolicyItem(.list([]), .builtIn)
        for (direction, from, to) in [(Direction.opens, old, new), (.closes, new, old)] {
            let known = AllowListOrder.Prepared(from)
            let settled = UnchangedHosts(from)
            var words: Set<String> = []
            for request in to.elements.compactMap(settled.others).flatMap(Self.requests)
            where !AllowListOrder(earlier: known, later: request.list).violations.isEmpty {
                if !words.insert(request.words).inserted { continue }
                rows.append(
                    Row(direction: direction, field: field.name, what: request.words, origin: request.list.origin))
            }
            if rows.contains(where: { $0.field == field.name && $0.direction == direction }) { continue }
            // What no single request shows: limits that several entries share.
            for violation in AllowListOrder(earlier: known, later: to).violations {
                rows.append(
                    Row(
                        direction: direction, field: field.name,
                        what: direction == .opens ? violation.message : "before, " + violation.message,
                        origin: violation.origin))
            }
        }
    }

    /// Parts of an entry that are compared by themselves; an entry of more is compared in larger ones.
    private static let parts = 512

    /// An entry of the allow-list as single kinds of requests, each a list with an entry of its own. Members that would make
    /// too many of them stay whole.
    private static func requests(_ entry: PolicyItem) -> [(words: String, list: PolicyItem)] {
        var count = 1
        func each(_ name: String) -> [PolicyItem?] {
            guard let list = entry[name] else { return [nil] }
            let (next, isTooMuch) = count.multipliedReportingOverflow(by: max(1, list.elements.count))
            if isTooMuch || next > parts { return [list] }
            count = next
            return list.elements.map { element in PolicyItem(.list([element]), list.origin) }
        }
        let (hosts, ports, schemes) = (each("hosts"), each("ports"), each("schemes"))
        let (methods, paths) = (each("methods"), each("paths"))
        var requests: [(words: String, list: PolicyItem)] = []
        let source = AllowRuleWords(entry)
        for host in hosts {
            for port in ports {
                for scheme in schemes {
                    for method in methods {
                        for path in paths {
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

    private mutating func compareRules(
        _ field: PolicyField, _ old: PolicyItem?, _ new: PolicyItem?, _ read: (PolicyItem) -> [ToolRule]
    ) {
        let (before, after) = (old.map(read) ?? [], new.map(read) ?? [])
        var seen: Set<[String]> = []
        var samples = (after + before).map(\.words)
        // What else a program does is decided by whether a rule holds it, and a server that no rule names by whether any is named.
        samples += samples.compactMap { words in field.order.isCommands ? words.first.map { [$0] } : nil }
        if !field.order.isCommands { samples.append(["*", "*"]) }
        for words in samples where seen.insert(words).inserted {
            // Command lines that the rule fits; an asterisk stands for words of no meaning, of which a rule may name one.
            for filler in ["x", "other-word"] {
                let argv = words.map { $0.replacing("*", with: filler) }
                let was = ToolRule.effect(before, argv, isAsked: isAsked(field, old, before, argv))
                let said = ToolRule.effect(after, argv, isAsked: isAsked(field, new, after, argv))
                if was.outcome == said.outcome { continue }
                // No rule fits: one of those for which anybody is asked.
                let asking = ToolRule.naming(after + before, [argv[0]]).first ?? (after + before).first
                rows.append(
                    Row(
                        direction: said.outcome < was.outcome ? .opens : .closes, field: field.name,
                        what: "\(words.joined(separator: " ")): \(was.outcome) -> \(said.outcome)",
                        origin: (said.rule ?? was.rule ?? asking)?.origin ?? (new ?? old)?.origin ?? .builtIn))
                break
            }
        }
        compareUnseen(field, before, after)
    }

    /// Rules that are in one of the lists alone, where no sample is told otherwise: with patterns that proves nothing.
    private mutating func compareUnseen(_ field: PolicyField, _ before: [ToolRule], _ after: [ToolRule]) {
        if rows.contains(where: { $0.field == field.name }) { return }
        func others(_ rules: [ToolRule], than list: [ToolRule], _ words: String) -> [Row] {
            rules.filter { rule in
                rule.words.contains { $0.contains("*") }
                    && !list.contains { $0.words == rule.words && $0.outcome == rule.outcome }
            }.map { rule in
                Row(
                    direction: .changes, field: field.name,
                    what: "\(rule.words.joined(separator: " ")): \(rule.outcome), \(words)", origin: rule.origin)
            }
        }
        rows += others(after, than: before, "a new rule") + others(before, than: after, "a rule no more")
    }

    /// A list of servers is asked about every tool, also one without tools; a tool of an agent's own, which begins with a capital,
    /// as soon as a rule names it; nil for programs.
    private func isAsked(
        _ field: PolicyField, _ list: PolicyItem?, _ rules: [ToolRule], _ argv: [String]
    ) -> Bool? {
        if !field.order.isCommands { return list?.elements.isEmpty == false }
        guard argv[0].first?.isUppercase == true else { return nil }
        return rules.contains { $0.names(argv[0]) }
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
        let ports = port?.elements.compactMap { $0.integer.map { "\($0)" } } ?? ["443"]
        let scheme = scheme.map { Self.first($0.texts) + "://" } ?? ""
        let request = [method, path].compactMap { $0.map { " " + Self.first($0.texts) } }.joined()
        return "\(scheme)\(Self.first(host?.texts ?? [])):\(Self.first(ports))\(request)\(limit)"
    }

    /// The first of them, and how many there are besides.
    private static func first(_ texts: [String]) -> String {
        let text = texts.first ?? ""
        return texts.count > 1 ? "\(text) (and \(texts.count - 1) more)" : text
    }
}
