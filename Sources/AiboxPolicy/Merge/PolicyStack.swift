/// What a number of layers say, one upon the other: for each field every statement about it, from the first layer's to
/// the last one's. Each is as tight as the one before, or `merge` has said otherwise.
///
/// Merging is associative, also in what it complains about, because a stack forgets no statement; and a stack merged
/// with itself says the same.
public struct PolicyStack: Sendable, Equatable {
    var statements: [String: [PolicyItem]]

    public init(_ document: PolicyDocument) { statements = document.fields.mapValues { [$0] } }

    init(statements: [String: [PolicyItem]]) { self.statements = statements }

    /// Puts a later stack on an earlier one and reports where it would loosen. `foreign` tells the rest.
    public static func merge(_ earlier: PolicyStack, _ later: PolicyStack) -> (PolicyStack, [PolicyViolation]) {
        var violations: [PolicyViolation] = []
        var merged = earlier
        for name in later.statements.keys.sorted() {
            guard let field = PolicySchema.field(name), let above = later.statements[name], let first = above.first
            else {
                continue
            }
            let below = earlier.statements[name] ?? []
            if field.order.isPooled {
                for lower in below {
                    for upper in above { violations += field.loosening(of: lower, by: upper) }
                }
            } else if let last = below.last, last != first {
                violations += field.loosening(of: last, by: first)
            }
            // Only the very same statement is dropped: who said it last is needed for what comes later.
            let isRepeated = below.last.map { $0 == first && $0.origin == first.origin } ?? false
            merged.statements[name] = isRepeated ? below + above.dropFirst() : below + above
        }
        return (merged, violations)
    }

    /// Statements that only the organisation may make, whatever was said before them: about these merging has nothing to
    /// compare, so that it is no matter of the order in which layers are merged.
    var foreign: [PolicyViolation] {
        statements.keys.sorted().flatMap { name -> [PolicyViolation] in
            guard case .organisation? = PolicySchema.field(name)?.order, let said = statements[name] else { return [] }
            let own = said.first { $0.origin.layer == .org }
            return said.filter { $0.origin.layer != .org }.map { item in
                PolicyViolation(
                    name, "is for the organisation's policy alone to say", item.origin, own?.origin ?? .builtIn)
            }
        }
    }

    /// What holds for each field that somebody spoke about, as the one said it who said it first.
    var values: [String: PolicyItem] {
        var values = statements.compactMapValues(\.last)
        for (name, said) in statements where said.count > 1 {
            guard let field = PolicySchema.field(name), let last = said.last else { continue }
            if field.order.isPooled {
                values[name] = PolicyField.pool(said)
            } else {
                values[name] = said.reversed().prefix { $0 == last }.last ?? last
            }
        }
        return values
    }
}

extension PolicyField {
    /// All elements, or members, together; those that say the same once, where they were said first. Of two members
    /// with one name the later one, which is as tight.
    static func pool(_ statements: [PolicyItem]) -> PolicyItem {
        guard var result = statements.first else { return PolicyItem(.list([]), .builtIn) }
        var elements = result.elements
        var seen = Set(elements)
        var members = result.members
        for statement in statements.dropFirst() {
            for element in statement.elements where seen.insert(element).inserted { elements.append(element) }
            for (name, member) in statement.members where members[name] != member { members[name] = member }
            if !statement.elements.isEmpty || !statement.members.isEmpty { result.origin = statement.origin }
        }
        if case .group = result.content { result.content = .group(members) } else { result.content = .list(elements) }
        return result
    }
}
