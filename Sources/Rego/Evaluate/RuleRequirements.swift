/// What the input must hold for a body to have any solution: paths that must be there, and what some must equal.
///
/// OPA's rule index leaves such bodies out before it evaluates anything in them. Here they are evaluated in order, and
/// an error in a body that could have no solution is forgotten.
struct RuleRequirements {
    private var needed: [(path: [Value], expected: Value?)] = []

    var isEmpty: Bool { needed.isEmpty }

    init(_ body: [LiteralNode]) {
        for literal in body where !literal.negated && literal.with.isEmpty {
            switch literal.kind {
            case .term(let node): collect(node)
            case .unify(let left, let right):
                collect(left)
                collect(right)
                equality(left, right)
            case .call(let call):
                for argument in call.arguments { collect(argument) }
            case .every, .notBody: break
            }
        }
    }

    private mutating func equality(_ left: Node, _ right: Node) {
        if let path = RuleRequirements.inputPath(left), case .constant(let value) = right, value.rank < 4 {
            needed.append((path, value))
        } else if let path = RuleRequirements.inputPath(right), case .constant(let value) = left, value.rank < 4 {
            needed.append((path, value))
        }
    }

    private static func inputPath(_ node: Node) -> [Value]? {
        guard case .ref(.input, let parts, _) = node, !parts.isEmpty else { return nil }
        var path: [Value] = []
        for part in parts {
            guard case .constant(let key) = part else { return nil }
            path.append(key)
        }
        return path
    }

    private mutating func collect(_ node: Node) {
        if let path = RuleRequirements.inputPath(node) { return needed.append((path, nil)) }
        switch node {
        case .array(let items), .set(let items): for item in items { collect(item) }
        case .object(let pairs):
            for (key, value) in pairs {
                collect(key)
                collect(value)
            }
        case .ref(let base, let path, _):
            if case .node(let inner) = base { collect(inner) }
            for part in path { collect(part) }
        case .constant, .local, .call, .comprehension: break
        }
    }

    func areMet(_ input: Value) -> Bool {
        needed.allSatisfy { path, expected in
            let found = input.lookup(path: path)
            return found.isDefined && expected.map { $0.equals(found) } ?? true
        }
    }
}

extension Context {
    /// Whether a failed evaluation goes on: the error came from a body that OPA would not have looked at.
    @inline(never)
    func forgives(_ requirements: RuleRequirements) -> Bool {
        guard let code = error?.code, code == .builtin || code == .evalType || code == .conflict,
            !requirements.areMet(input)
        else { return false }
        failed = false
        error = nil
        return true
    }
}
