public import AiboxSystem

/// Where a sandbox may connect: the effective list of one generation, checked and immutable.
public struct AllowList: Sendable, Equatable {
    public let rules: [AllowRule]
    /// Hosts taken away again (`aibox network deny`): stronger than every rule.
    public let denials: [HostDenial]

    /// Nothing is allowed.
    public static let empty = AllowList(rules: [], denials: [])

    private init(rules: [AllowRule], denials: [HostDenial]) {
        self.rules = rules
        self.denials = denials
    }

    /// Checks every entry.
    ///
    /// - Throws: `AllowListProblems` with all that is wrong, not only the first.
    public init(
        _ sources: [AllowRuleSource], denials: [HostDenial] = [], suffixes: PublicSuffixList = .floor,
        field: String = "network.allow"
    ) throws(AllowListProblems) {
        var problems: [AllowListProblem] = []
        var rules: [AllowRule] = []
        var seen: [String: Int] = [:]
        for (index, source) in sources.enumerated() {
            let place = "\(field)[\(index)]"
            if let first = seen.updateValue(index, forKey: source.id), !source.id.isEmpty {
                problems.append(
                    AllowListProblem(field: place + ".id", message: "\(field)[\(first)] has the same id"))
            }
            let rule = AllowRule.checked(source, field: place, suffixes: suffixes, problems: &problems)
            if let rule { rules.append(rule) }
        }
        if !problems.isEmpty { throw AllowListProblems(problems: problems) }
        self.init(rules: rules, denials: denials)
    }

    /// The same list with a host taken away.
    public func denying(_ denial: HostDenial) -> AllowList { AllowList(rules: rules, denials: denials + [denial]) }

    /// Every pattern that a rule names, in order, without those taken away.
    public var hosts: [HostPattern] {
        var seen: Set<HostPattern> = []
        return rules.flatMap(\.hosts).filter { host in
            !denials.contains { $0.host.covers(host) } && seen.insert(host).inserted
        }
    }
}

/// A host that is refused whatever the rules say.
public struct HostDenial: Sendable, Equatable {
    public var id: String
    public var host: HostPattern
    public var layer: String

    public init(id: String, host: HostPattern, layer: String = "session") {
        self.id = id
        self.host = host
        self.layer = layer
    }
}

/// Everything that is wrong with an allow-list.
public struct AllowListProblems: Error, Sendable, Equatable, CustomStringConvertible {
    public let problems: [AllowListProblem]

    public var description: String { problems.map(\.description).joined(separator: "\n") }

    /// As the one error that reaches a person.
    public var asError: AiboxError {
        AiboxError(
            .policyInvalid, "the allow-list cannot be used", why: "\n" + description,
            remedy: "correct the policy, then run: aibox policy validate")
    }
}
