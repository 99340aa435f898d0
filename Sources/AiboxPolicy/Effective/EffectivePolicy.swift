public import AiboxConfig
import AiboxNetwork
public import AiboxSystem

/// What holds for a sandbox: the organisation's policy as the team's and the project's tighten it.
public struct EffectivePolicy: Sendable, Equatable {
    /// By the names of `PolicySchema`: every field that somebody spoke about or that has a default.
    public let values: [String: PolicyItem]
    /// Every statement about each field, from the first layer's to the last one's.
    let statements: [String: [PolicyItem]]
    /// The documents, org first.
    public let documents: [PolicyDocument]
    /// What the person at the machine should know: exceptions that have ended, rules that forbid more than they seem to.
    public let notes: [String]

    /// - Parameters:
    ///   - organisation: nil stands for nothing but the defaults.
    ///   - day: today in UTC, `2027-01-31`.
    /// - Returns: the policy, or everything in which a later document would loosen an earlier one.
    public static func merge(
        organisation: PolicyDocument, team: PolicyDocument? = nil, project: PolicyDocument? = nil, day: String
    ) -> Result<EffectivePolicy, PolicyViolations> {
        var notes: [String] = []
        var stack = base(organisation, day: day, &notes)
        var violations: [PolicyViolation] = []
        for document in [team, project].compactMap({ $0 }) {
            let (merged, loosened) = PolicyStack.merge(stack, PolicyStack(document))
            stack = merged
            violations += loosened
        }
        violations += stack.foreign + forbiddenInspections(stack)
        let values = stack.values
        let later = [team, project].compactMap { $0 }
        violations += ToolRule.uncovered("tools.rules", organisation, later, ToolRule.tools)
        violations += ToolRule.uncovered("mcp.servers", organisation, later, ToolRule.servers)
        if let rules = values["tools.rules"].map(ToolRule.tools) {
            notes += ToolRule.forbiddenWhole(rules) + ToolRule.beginningNotes(rules)
        }
        if !violations.isEmpty { return .failure(PolicyViolations(violations: violations)) }
        return .success(
            EffectivePolicy(
                values: values, statements: stack.statements,
                documents: [organisation, team, project].compactMap { $0 }, notes: notes))
    }

    /// The organisation's document with what holds where it is silent, and with the exceptions of the day.
    private static func base(_ organisation: PolicyDocument, day: String, _ notes: inout [String]) -> PolicyStack {
        var stack = PolicyStack(statements: PolicySchema.standards)
        for (name, item) in organisation.fields { stack.statements[name] = [item] }
        var additions: [PolicyItem] = []
        for exception in organisation.fields["exceptions"]?.elements ?? [] {
            let expires = exception["expires"]?.text ?? ""
            if expires < day {
                notes.append(
                    "the exception \(exception["id"]?.text ?? "") of \(exception["owner"]?.text ?? "") ended on \(expires) (\(exception.origin))"
                )
                continue
            }
            let members = exception.members.filter { ["id", "hosts", "ports"].contains($0.key) }
            additions.append(PolicyItem(.group(members), exception.origin))
        }
        if !additions.isEmpty, var list = stack.statements["network.allow"]?.last {
            list.content = .list(list.elements + additions)
            stack.statements["network.allow"] = [list]
        }
        return stack
    }

    /// Entries of any layer that open TLS where the organisation wants none of it opened.
    private static func forbiddenInspections(_ stack: PolicyStack) -> [PolicyViolation] {
        guard let verdict = stack.statements["network.inspection"]?.last, verdict.text == "forbidden" else { return [] }
        let entries = (stack.statements["network.allow"] ?? []).flatMap(\.elements)
        return entries.compactMap { entry in
            guard let rule = try? AllowList([AllowRuleSource(entry)]).rules.first, rule.opensTLS else { return nil }
            let cause = ["inspect", "methods", "paths"].compactMap { entry[$0]?.origin }.first ?? entry.origin
            return PolicyViolation(
                "network.allow", "entry \(rule.id) opens TLS, which is forbidden", cause, verdict.origin)
        }
    }

    /// As `merge`.
    ///
    /// - Throws: one error with every violation; each names both places.
    public init(
        organisation: PolicyDocument, team: PolicyDocument? = nil, project: PolicyDocument? = nil, day: String
    ) throws(AiboxError) {
        switch Self.merge(organisation: organisation, team: team, project: project, day: day) {
        case .success(let policy): self = policy
        case .failure(let violations): throw violations.asError
        }
    }

    init(
        values: [String: PolicyItem], statements: [String: [PolicyItem]], documents: [PolicyDocument], notes: [String]
    ) {
        self.values = values
        self.statements = statements
        self.documents = documents
        self.notes = notes
    }

    /// Where the organisation's part was read from, for messages.
    public var source: String { documents.first?.file ?? PolicyOrigin.builtIn.file }

    public subscript(field: String) -> PolicyItem? { values[field] }

    /// Where a rule that decided stands: the entry with its id, or with its text.
    public func origin(ofRule rule: String, field: String) -> PolicyOrigin? {
        let section = field.prefix { $0 != "." } + "."
        for (name, item) in values.sorted(by: { $0.key < $1.key }) where name.hasPrefix(section) || name == "exceptions"
        {
            if name == rule { return item.origin }
            for entry in item.elements {
                let id =
                    entry["id"]?.text ?? entry.text.map { "\(name):\($0)" }
                    ?? entry["match"]?.texts.joined(separator: " ")
                if id == rule { return entry.origin }
            }
        }
        return nil
    }

    func text(_ field: String) -> String { values[field]?.text ?? "" }

    /// Who bounds a field, for messages: `/etc/aibox/org-policy.yaml:12`, or the organisation's file if nobody spoke.
    func place(_ field: String) -> String {
        guard let origin = values[field]?.origin, !origin.isBuiltIn else { return source }
        return origin.description
    }
}

/// Everything in which documents loosen what came before them.
public struct PolicyViolations: Error, Sendable, Equatable {
    public let violations: [PolicyViolation]

    /// In the order of the documents.
    public var problems: [Problem] { ProblemCollector(violations.map(\.problem)).ordered }

    public var asError: AiboxError {
        let layers = Set(violations.map(\.origin.layer)).sorted().map(\.words).joined(separator: " and ")
        return AiboxError(
            .policyInvalid, "\(layers) would loosen what holds", problems: problems,
            remedy: "a later policy may only tighten; aibox policy validate shows it again")
            ?? AiboxError(.policyInvalid, "the policies cannot be used")
    }
}
