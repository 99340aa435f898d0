/// The organisation's list with what a person changed in this stay (`aibox network allow` and `deny`).
///
/// Never beyond the organisation's policy: an addition needs its permission, a denial needs none.
public struct SessionRules: Sendable, Equatable {
    /// A host that was added or taken away, and until when.
    public struct Change: Sendable, Equatable {
        public var host: HostPattern
        /// nil: as long as the sandbox runs.
        public var until: ContinuousClock.Instant?

        public init(host: HostPattern, until: ContinuousClock.Instant?) {
            self.host = host
            self.until = until
        }

        func isOver(_ now: ContinuousClock.Instant) -> Bool { until.map { $0 <= now } ?? false }
    }

    public enum Refusal: Error, Sendable, Equatable {
        /// The organisation lists it not, and permits no additions.
        case beyondPolicy(HostPattern)
        /// A wider denial covers it.
        case denied(by: HostPattern)
    }

    private var base: [AllowRuleSource]
    private var baseHosts: [HostPattern]
    private var permitsAdditions: Bool
    public private(set) var additions: [Change] = []
    public private(set) var denials: [Change] = []

    /// - Throws: what is wrong with the list.
    public init(_ base: [AllowRuleSource], permitsAdditions: Bool) throws(AllowListProblems) {
        self.base = base
        baseHosts = try AllowList(base).hosts
        self.permitsAdditions = permitsAdditions
    }

    /// The last word counts: a denial of the same host, or of one that the pattern covers, is lifted. What the policy lists of it can
    /// be reached again; more is added where the policy permits that.
    ///
    /// - Throws: if nothing would be different, since the policy or a wider denial stands against it.
    public mutating func allow(_ host: HostPattern, until: ContinuousClock.Instant?) throws(Refusal) {
        let kept = denials.filter { !host.covers($0.host) }
        if let wider = kept.first(where: { $0.host.covers(host) }) { throw .denied(by: wider.host) }
        let isListed = baseHosts.contains { $0.covers(host) }
        if !isListed, !permitsAdditions, kept == denials { throw .beyondPolicy(host) }
        denials = kept
        if isListed || !permitsAdditions { return }
        additions.removeAll { $0.host == host }
        additions.append(Change(host: host, until: until))
    }

    public mutating func deny(_ host: HostPattern, until: ContinuousClock.Instant?) {
        additions.removeAll { host.covers($0.host) }
        denials.removeAll { $0.host == host }
        denials.append(Change(host: host, until: until))
    }

    /// Takes away what rested on exceptions that have ended; with that, where so it is, everything.
    ///
    /// - Throws: what is wrong with the list that is left.
    public mutating func end(_ ending: ExceptionEnding) throws(AllowListProblems) {
        if ending.closing != nil { (base, additions, permitsAdditions) = ([], [], false) }
        base.removeAll { $0.layer != "user" && ending.entries.contains($0.id) }
        baseHosts = try AllowList(base).hosts
    }

    /// Takes away the additions whose time is over.
    public mutating func endAdditions(_ now: ContinuousClock.Instant) { additions.removeAll { $0.isOver(now) } }

    /// Lifts the denials whose time is over.
    public mutating func endDenials(_ now: ContinuousClock.Instant) { denials.removeAll { $0.isOver(now) } }

    /// When something ends next.
    public var nextEnd: ContinuousClock.Instant? { (additions + denials).compactMap(\.until).min() }

    /// The list that holds now.
    public func list() throws(AllowListProblems) -> AllowList { try list(over: base) }

    /// The changes of this stay on another list.
    public func list(over base: [AllowRuleSource]) throws(AllowListProblems) -> AllowList {
        var sources = base
        if !additions.isEmpty {
            let names = additions.map(\.host.description)
            var id = "session-allow"
            while base.contains(where: { $0.id == id }) { id += "-" }
            sources.append(AllowRuleSource(id: id, hosts: names, ports: [80, 443], layer: "session"))
        }
        return try AllowList(sources, denials: denials.map { HostDenial(id: "session-deny", host: $0.host) })
    }
}
