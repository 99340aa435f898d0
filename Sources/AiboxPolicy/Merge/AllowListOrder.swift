import AiboxNetwork

/// Whether a later `network.allow` permits nothing that an earlier one does not.
///
/// Follows `AllowList.decide`: for each host of a later entry, the earlier entries that speak for it (those that name
/// it exactly, else those with a wildcard), and of these one that permits each port, scheme, method and path in full.
/// Where it cannot be sure it refuses.
struct AllowListOrder {
    fileprivate typealias Placed = (rule: AllowRule, item: PolicyItem)

    /// An earlier list, read once for several comparisons.
    struct Prepared {
        fileprivate let list: PolicyItem
        fileprivate let placed: [Placed]?

        init(_ list: PolicyItem) {
            self.list = list
            placed = AllowListOrder.placed(list)
        }
    }

    private let earlier: [Placed]
    private let later: [Placed]
    private let parent: PolicyItem
    private(set) var violations: [PolicyViolation] = []
    /// Limits of later entries for what one earlier entry permits, by the earlier entry's place.
    private var shares: [Int: [Int: AllowRule.RateLimit]] = [:]

    init(earlier: PolicyItem, later: PolicyItem) { self.init(earlier: Prepared(earlier), later: later) }

    init(earlier: Prepared, later: PolicyItem) {
        parent = earlier.list
        guard let before = earlier.placed, let after = Self.placed(later) else {
            // Documents are checked when they are read; what got here unread is not trusted.
            self.earlier = []
            self.later = []
            violations = [PolicyViolation("network.allow", "is not understood", later.origin, parent.origin)]
            return
        }
        self.earlier = before
        self.later = after
        for index in self.later.indices { compare(index) }
        compareShares()
    }

    fileprivate static func placed(_ list: PolicyItem) -> [Placed]? {
        let items = list.elements
        guard let rules = try? AllowList(items.map { AllowRuleSource($0) }).rules else { return nil }
        return zip(rules, items).map { ($0, $1) }
    }

    private mutating func refuse(_ entry: Placed, _ member: String, _ message: String, _ parent: PolicyItem) {
        let violation = PolicyViolation(
            "network.allow", "entry \(entry.rule.id) " + message, entry.item[member]?.origin ?? entry.item.origin,
            parent.origin)
        if !violations.contains(violation) { violations.append(violation) }
    }

    /// The places of the entries of `list` that speak for a host.
    private static func speaking(_ list: [Placed], for host: HostPattern) -> [Int] {
        let exact = list.indices.filter { list[$0].rule.hosts.contains(host) }
        if !exact.isEmpty { return exact }
        return list.indices.filter { index in list[index].rule.hosts.contains { $0.covers(host) } }
    }

    private mutating func compare(_ index: Int) {
        let entry = later[index]
        for host in entry.rule.hosts {
            compare(index, host)
            if host.isExact { continue }
            // Names that the earlier list singles out, and the later one leaves to its wildcard.
            let singled = earlier.flatMap(\.rule.hosts).filter { name in
                name.isExact && host.covers(name) && !later.contains { $0.rule.hosts.contains(name) }
            }
            for name in singled { compare(index, name) }
        }
    }

    private mutating func compare(_ index: Int, _ host: HostPattern) {
        let entry = later[index]
        let rule = entry.rule
        let speaking = Self.speaking(earlier, for: host)
        guard let nearest = speaking.first.map({ earlier[$0].item }) else {
            return refuse(entry, "hosts", "has the host \(host), which is not on the list", parent)
        }
        for port in rule.ports {
            let open = speaking.filter { earlier[$0].rule.ports.contains(port) }
            if open.isEmpty {
                refuse(entry, "ports", "opens port \(port) of \(host)", nearest)
                continue
            }
            for scheme in rule.schemes.sorted(by: { $0.rawValue < $1.rawValue }) {
                let spoken = open.filter { earlier[$0].rule.schemes.contains(scheme) }
                if spoken.isEmpty {
                    refuse(entry, "schemes", "permits \(scheme.rawValue) to \(host):\(port)", earlier[open[0]].item)
                    continue
                }
                compareRequests(index, host, port, scheme, spoken)
            }
        }
        let inspecting = speaking.first { earlier[$0].rule.opensTLS }
        let own = Self.speaking(later, for: host)
        if let inspecting, rule.schemes.contains(.https), !own.contains(where: { later[$0].rule.opensTLS }) {
            refuse(entry, "inspect", "reaches \(host) without inspection", earlier[inspecting].item)
        }
    }

    private mutating func compareRequests(
        _ index: Int, _ host: HostPattern, _ port: UInt16, _ scheme: AllowRule.Scheme, _ spoken: [Int]
    ) {
        let entry = later[index]
        for method in entry.rule.methods.map({ $0.map(Optional.some) }) ?? [nil] {
            let willing = spoken.filter { place in
                guard let methods = earlier[place].rule.methods else { return true }
                return method.map { methods.contains($0) } ?? false
            }
            guard let first = willing.first else {
                refuse(
                    entry, "methods", "permits \(method ?? "every method") to \(host)", earlier[spoken[0]].item)
                continue
            }
            for path in entry.rule.paths.map({ $0.map(\.text) }) ?? ["/**"] {
                let isCovered = willing.contains { place in
                    guard let paths = earlier[place].rule.paths else { return true }
                    return paths.contains { $0.text == path }
                        || paths.contains { RequestPathPattern($0.text).covers(path) }
                }
                if !isCovered { refuse(entry, "paths", "permits \(path) on \(host)", earlier[first].item) }
            }
        }
        // Whatever earlier entry may have granted one of these requests, its limits hold. A tunnel is granted by the
        // first entry for the port.
        let tunnel = Self.speaking(later, for: host).first {
            later[$0].rule.ports.contains(port) && later[$0].rule.schemes.contains(.https)
        }
        for place in spoken where mayShare(entry.rule, earlier[place].rule) {
            compareLimits(entry, place, host)
            if let limit = entry.rule.rateLimit { shares[place, default: [:]][index] = limit }
        }
        if scheme == .https, tunnel == index, let first = spoken.first { compareLimits(entry, first, host) }
    }

    private func mayShare(_ one: AllowRule, _ other: AllowRule) -> Bool {
        if let mine = one.methods, let theirs = other.methods, Set(mine).isDisjoint(with: theirs) { return false }
        guard let mine = one.paths, let theirs = other.paths else { return true }
        return mine.contains { path in
            theirs.contains { RequestPathPattern($0.text).mayMeet(RequestPathPattern(path.text)) }
        }
    }

    private mutating func compareLimits(_ entry: Placed, _ place: Int, _ host: HostPattern) {
        let bound = earlier[place]
        let limits: [(String, Int?, Int?)] = [
            (
                "requests a minute", entry.rule.rateLimit?.requestsPerMinute, bound.rule.rateLimit?.requestsPerMinute
            ),
            ("connections", entry.rule.rateLimit?.connections, bound.rule.rateLimit?.connections),
        ]
        for (words, own, most) in limits {
            guard let most, own.map({ $0 > most }) ?? true else { continue }
            refuse(
                entry, "rate_limit",
                "permits \(own.map(String.init) ?? "any number of") \(words) to \(host), not \(most)",
                bound.item)
        }
        if let most = bound.rule.maxUpload, entry.rule.maxUpload.map({ $0 > most }) ?? true {
            let own = entry.rule.maxUpload.map { "\($0) bytes" } ?? "any amount"
            refuse(entry, "max_upload", "permits \(own) to be sent to \(host), not \(most) bytes", bound.item)
        }
    }

    /// Limits are counted for each entry: several entries in the place of one must not add up to more.
    private mutating func compareShares() {
        for (place, entries) in shares.sorted(by: { $0.key < $1.key }) where entries.count > 1 {
            let bound = earlier[place]
            let last = later[entries.keys.max() ?? 0]
            for (words, part) in [
                ("requests a minute", \AllowRule.RateLimit.requestsPerMinute), ("connections", \.connections),
            ] {
                guard let most = bound.rule.rateLimit?[keyPath: part] else { continue }
                let sum = entries.values.compactMap { $0[keyPath: part] }.reduce(0, +)
                if sum <= most { continue }
                let names = entries.keys.sorted().map { later[$0].rule.id }.joined(separator: ", ")
                refuse(
                    last, "rate_limit",
                    "and \(names) together permit \(sum) \(words), not the \(most) of "
                        + bound.rule.id, bound.item)
            }
        }
    }
}

extension AllowRule {
    fileprivate var opensTLS: Bool { needsInspection && schemes.contains(.https) }
}

/// A `PathPattern` compared with another one.
private struct RequestPathPattern {
    private let segments: [String]
    private let isDeep: Bool

    init(_ text: String) {
        var segments = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        isDeep = segments.last == "**"
        if isDeep { segments.removeLast() }
        self.segments = segments
    }

    /// True only if this pattern matches every path that the other one matches.
    func covers(_ text: String) -> Bool {
        let other = RequestPathPattern(text)
        if other.isDeep, !isDeep { return false }
        guard isDeep ? other.segments.count >= segments.count : other.segments.count == segments.count else {
            return false
        }
        return zip(segments, other.segments).allSatisfy { Self.covers($0, $1) }
    }

    /// In a segment an asterisk stands for one character at least; an asterisk of the other one counts as one.
    private static func covers(_ pattern: String, _ other: String) -> Bool {
        let input = Array(other.utf8)
        // `reached[i]`: the pattern so far can have consumed the first i bytes.
        var reached = [Bool](repeating: false, count: input.count + 1)
        reached[0] = true
        for byte in pattern.utf8 {
            var next = [Bool](repeating: false, count: input.count + 1)
            let isAsterisk = byte == UInt8(ascii: "*")
            for index in input.indices {
                if reached[index] || isAsterisk && next[index], isAsterisk || input[index] == byte {
                    next[index + 1] = true
                }
            }
            reached = next
        }
        return reached[input.count]
    }

    /// False only if no path is matched by both.
    func mayMeet(_ other: RequestPathPattern) -> Bool {
        if !isDeep, !other.isDeep, segments.count != other.segments.count { return false }
        if !isDeep, other.isDeep, segments.count < other.segments.count { return false }
        if isDeep, !other.isDeep, other.segments.count < segments.count { return false }
        return zip(segments, other.segments).allSatisfy { $0 == $1 || $0.contains("*") || $1.contains("*") }
    }
}
