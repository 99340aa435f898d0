/// Bounds how deeply the values of a policy can nest, so that no chain of rules such as `a := [b]`, `b := [c]`,
/// or of functions that wrap their argument, makes a value too deep to compare or to write.
struct NestingCheck {
    static let limit = 3000

    let tree: RuleTree
    let diagnostics: Diagnostics
    private var depths: [Int: Int] = [:]

    init(tree: RuleTree, diagnostics: Diagnostics) {
        self.tree = tree
        self.diagnostics = diagnostics
    }

    /// `order` must give each node after those that it needs.
    mutating func check(_ order: [TreeNode]) {
        for node in order {
            var deepest = 0
            for rule in node.rules {
                for clause in rule.clauses {
                    var sum = 0
                    var needed = 0
                    add(clause.body, &sum, &needed)
                    add(clause.value, &sum, &needed)
                    deepest = max(deepest, min(sum + needed + rule.tail.count, NestingCheck.limit * 2))
                }
            }
            depths[node.id] = deepest
            if deepest > NestingCheck.limit, let rule = node.rules.first {
                diagnostics.report(.compile, rule.location, "values of \(node.name) may nest too deeply")
                return
            }
        }
    }

    private func add(_ body: [LiteralNode], _ sum: inout Int, _ needed: inout Int) {
        for literal in body {
            switch literal.kind {
            case .term(let node): add(node, &sum, &needed)
            case .unify(let left, let right):
                add(left, &sum, &needed)
                add(right, &sum, &needed)
            case .call(let call): add(.call(call), &sum, &needed)
            case .every(let every):
                add(every.domain, &sum, &needed)
                add(every.body, &sum, &needed)
            case .notBody(let node): add(node.body, &sum, &needed)
            }
            for with in literal.with {
                sum += 1
                if case .value(let node) = with.replacement { add(node, &sum, &needed) }
                if case .callee(.function(let path)) = with.replacement { sum += depth(path) }
            }
            sum = min(sum, NestingCheck.limit * 2)
        }
    }

    private func depth(_ path: [Value]) -> Int { tree.find(path).flatMap { depths[$0.id] } ?? 0 }

    private func add(_ node: Node, _ sum: inout Int, _ needed: inout Int) {
        switch node {
        case .constant, .local: break
        case .array(let items), .set(let items):
            sum += 1
            for item in items { add(item, &sum, &needed) }
        case .object(let pairs):
            sum += 1
            for (key, value) in pairs {
                add(key, &sum, &needed)
                add(value, &sum, &needed)
            }
        case .comprehension(let comprehension):
            sum += 1
            add(comprehension.body, &sum, &needed)
            if let key = comprehension.key { add(key, &sum, &needed) }
            add(comprehension.value, &sum, &needed)
        case .ref(let base, let path, _):
            if case .data = base {
                var node = tree.root
                for part in path {
                    guard case .constant(let key) = part, let child = node.child(key) else { break }
                    node = child
                }
                if let depth = depths[node.id] {
                    needed = max(needed, depth)
                } else {
                    for rule in node.allRules { needed = max(needed, self.depth(rule.path) + rule.path.count) }
                }
            }
            if case .node(let inner) = base { add(inner, &sum, &needed) }
            for part in path { add(part, &sum, &needed) }
        case .call(let call):
            if case .function(let path) = call.callee { sum += depth(path) }
            for argument in call.arguments { add(argument, &sum, &needed) }
        }
    }
}
