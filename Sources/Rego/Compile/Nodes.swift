/// A term after resolution: names are slots, rule references are absolute paths.
indirect enum Node: Sendable {
    case constant(Value)
    case local(Int)
    case array([Node])
    case set([Node])
    case object([(key: Node, value: Node)])
    case ref(RefBase, [Node], Location)
    case call(CallNode)
    case comprehension(ComprehensionNode)
}

enum RefBase: Sendable {
    case input
    case data
    case node(Node)
}

enum Callee: Sendable {
    /// Index into the table of built-ins.
    case builtin(Int)
    /// A function rule; its absolute path.
    case function([Value])
}

struct CallNode: Sendable {
    var callee: Callee
    /// As written, for messages.
    var name: String
    var arguments: [Node]
    var location: Location
}

final class ComprehensionNode: @unchecked Sendable {
    // Unchecked: rewritten while its rule is compiled by one thread, read only afterwards.
    enum Kind { case array, set, object }
    let kind: Kind
    var key: Node?
    var value: Node
    var body: [LiteralNode]
    let location: Location

    init(kind: Kind, key: Node?, value: Node, body: [LiteralNode], location: Location) {
        self.kind = kind
        self.key = key
        self.value = value
        self.body = body
        self.location = location
    }
}

final class EveryNode: @unchecked Sendable {
    // Unchecked: as ComprehensionNode.
    let key: Int?
    let value: Int
    var domain: Node
    var body: [LiteralNode]

    init(key: Int?, value: Int, domain: Node, body: [LiteralNode]) {
        self.key = key
        self.value = value
        self.domain = domain
        self.body = body
    }
}

final class NotNode: @unchecked Sendable {
    // Unchecked: as ComprehensionNode.
    var body: [LiteralNode]
    init(body: [LiteralNode]) { self.body = body }
}

struct WithNode: Sendable {
    enum Target: Sendable {
        case input([Value])
        case data([Value])
        case builtin(Int)
        case function([Value])
    }

    enum Replacement: Sendable {
        case value(Node)
        case callee(Callee)
    }

    var target: Target
    var replacement: Replacement
    var location: Location
}

struct LiteralNode: Sendable {
    indirect enum Kind: Sendable {
        case term(Node)
        case unify(Node, Node)
        /// A call as a statement: with one argument more than the arity, the last is matched with the result.
        case call(CallNode)
        case every(EveryNode)
        case notBody(NotNode)
    }

    var kind: Kind
    var negated = false
    var with: [WithNode] = []
    var location: Location
    /// Index of the written literal in its file's probe table; -1 for generated ones.
    var source: Int = -1
}

/// The variables of one rule or query.
final class Variables: @unchecked Sendable {
    // Unchecked: as ComprehensionNode.
    var names: [String] = []
    /// Implicit variables by name: one for the whole rule.
    var implicit: [String: Int] = [:]
    /// Where the term stands whose value a generated variable holds.
    var origins: [Int: Location] = [:]

    func fresh(_ name: String) -> Int {
        names.append(name)
        return names.count - 1
    }

    func isGenerated(_ variable: Int) -> Bool { names[variable].isEmpty }
}

/// One body with its value: a rule, or an else branch of it.
struct ClauseNode: Sendable {
    var body: [LiteralNode]
    /// What `contains` adds, or the value.
    var value: Node
    var location: Location
    var valueIsGenerated = false
}

final class RuleNode: @unchecked Sendable {
    // Unchecked: as ComprehensionNode.
    let module: Int
    let index: Int
    let location: Location
    let isDefault: Bool
    let isPartialSet: Bool
    /// The absolute path up to the first part that is not constant.
    var path: [Value] = []
    /// What follows `path` in the head.
    var tail: [Node] = []
    /// Nil for rules that are no functions.
    var arguments: [Node]?
    var clauses: [ClauseNode] = []
    var variables = Variables()
    let syntax: RuleSyntax
    /// Literals in the order of the source, for explanation and coverage.
    var literals: [Location] = []

    init(module: Int, index: Int, syntax: RuleSyntax) {
        self.module = module
        self.index = index
        self.syntax = syntax
        location = syntax.location
        isDefault = syntax.isDefault
        isPartialSet = syntax.head.isPartialSet
    }
}

extension Node {
    /// Calls `body` for each local that is read or bound outside comprehensions.
    func forEachLocal(_ body: (Int) -> Void) {
        switch self {
        case .constant, .comprehension: break
        case .local(let id): body(id)
        case .array(let items), .set(let items): for item in items { item.forEachLocal(body) }
        case .object(let pairs):
            for (key, value) in pairs {
                key.forEachLocal(body)
                value.forEachLocal(body)
            }
        case .ref(let base, let path, _):
            if case .node(let node) = base { node.forEachLocal(body) }
            for part in path { part.forEachLocal(body) }
        case .call(let call): for argument in call.arguments { argument.forEachLocal(body) }
        }
    }

    func forEachComprehension(_ body: (ComprehensionNode) -> Void) {
        switch self {
        case .constant, .local: break
        case .comprehension(let node): body(node)
        case .array(let items), .set(let items): for item in items { item.forEachComprehension(body) }
        case .object(let pairs):
            for (key, value) in pairs {
                key.forEachComprehension(body)
                value.forEachComprehension(body)
            }
        case .ref(let base, let path, _):
            if case .node(let node) = base { node.forEachComprehension(body) }
            for part in path { part.forEachComprehension(body) }
        case .call(let call): for argument in call.arguments { argument.forEachComprehension(body) }
        }
    }

    /// Every local, those inside comprehensions included.
    func forEachLocalDeep(_ body: (Int) -> Void) {
        forEachLocal(body)
        forEachComprehension { comprehension in
            comprehension.key?.forEachLocalDeep(body)
            comprehension.value.forEachLocalDeep(body)
            for literal in comprehension.body { literal.forEachLocalDeep(body) }
        }
    }

    /// Evaluates to one value without looking anything up.
    var isConstant: Bool {
        if case .constant = self { return true }
        return false
    }

    /// Holds no reference, call or comprehension.
    var isPlain: Bool {
        switch self {
        case .constant, .local: true
        case .array(let items), .set(let items): items.allSatisfy(\.isPlain)
        case .object(let pairs): pairs.allSatisfy { $0.key.isPlain && $0.value.isPlain }
        default: false
        }
    }

    /// Composites of constants become constants.
    func folded() -> Node {
        switch self {
        case .array(let items):
            var values: [Value] = []
            for item in items {
                guard case .constant(let value) = item else { return self }
                values.append(value)
            }
            return .constant(.array(values))
        case .set(let items):
            var values: [Value] = []
            for item in items {
                guard case .constant(let value) = item else { return self }
                values.append(value)
            }
            return .constant(.set(SetBox(unsorted: values)))
        case .object(let pairs):
            var values: [(Value, Value)] = []
            for (key, value) in pairs {
                guard case .constant(let key) = key, case .constant(let value) = value else { return self }
                values.append((key, value))
            }
            return .constant(.object(ObjectBox(unsorted: values)))
        default: return self
        }
    }
}

extension LiteralNode {
    /// The locals outside closures.
    func forEachLocal(_ body: (Int) -> Void) {
        switch kind {
        case .term(let node): node.forEachLocal(body)
        case .unify(let left, let right):
            left.forEachLocal(body)
            right.forEachLocal(body)
        case .call(let call): for argument in call.arguments { argument.forEachLocal(body) }
        case .every(let every): every.domain.forEachLocal(body)
        case .notBody: break
        }
        for with in with { if case .value(let node) = with.replacement { node.forEachLocal(body) } }
    }

    /// The locals inside closures: comprehensions, bodies of `every` and of closed `not`.
    func forEachClosureLocal(_ body: (Int) -> Void) {
        forEachComprehension { Node.comprehension($0).forEachLocalDeep(body) }
        switch kind {
        case .every(let every):
            for literal in every.body {
                literal.forEachLocalDeep { if $0 != every.key, $0 != every.value { body($0) } }
            }
        case .notBody(let node): for literal in node.body { literal.forEachLocalDeep(body) }
        default: break
        }
    }

    func forEachLocalDeep(_ body: (Int) -> Void) {
        forEachLocal(body)
        forEachClosureLocal(body)
    }

    func forEachComprehension(_ body: (ComprehensionNode) -> Void) {
        switch kind {
        case .term(let node): node.forEachComprehension(body)
        case .unify(let left, let right):
            left.forEachComprehension(body)
            right.forEachComprehension(body)
        case .call(let call): for argument in call.arguments { argument.forEachComprehension(body) }
        case .every(let every): every.domain.forEachComprehension(body)
        case .notBody: break
        }
        for with in with { if case .value(let node) = with.replacement { node.forEachComprehension(body) } }
    }
}
