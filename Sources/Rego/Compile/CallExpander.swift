/// Lifts nested calls out of terms: `x > count(y)` becomes `count(y, t); x > t`.
struct CallExpander {
    /// Plans nest by literal; longer bodies would exhaust the stack.
    static let maximumLiterals = 1000

    let variables: Variables
    let builtins: Builtins
    let diagnostics: Diagnostics
    /// Whether a path leads to a function.
    let isFunctionPath: ([Value]) -> Bool

    func expand(_ body: [LiteralNode]) -> [LiteralNode] {
        var result: [LiteralNode] = []
        result.reserveCapacity(body.count)
        for literal in body { expand(literal, into: &result) }
        if result.count > CallExpander.maximumLiterals, let first = result.first {
            diagnostics.report(.compile, first.location, "body has too many expressions")
            result.removeLast(result.count - 1)
        }
        return result
    }

    private func expand(_ literal: LiteralNode, into result: inout [LiteralNode]) {
        var literal = literal
        var extras: [LiteralNode] = []
        for index in literal.with.indices {
            guard case .value(let node) = literal.with[index].replacement, !node.isPlain else { continue }
            if case .ref(.data, let path, _) = node {
                let keys = path.compactMap { part -> Value? in
                    if case .constant(let key) = part { return key }
                    return nil
                }
                if keys.count == path.count, isFunctionPath(keys) {
                    literal.with[index].replacement = .callee(.function(keys))
                    continue
                }
            }
            // The value of a modifier is computed before, outside its own scope.
            let plain = lift(node, &extras, literal.location)
            if plain.isPlain {
                literal.with[index].replacement = .value(plain)
            } else {
                let result = variables.fresh("")
                extras.append(LiteralNode(kind: .unify(.local(result), plain), location: literal.location))
                literal.with[index].replacement = .value(.local(result))
            }
        }
        result.append(contentsOf: extras)
        extras = []
        switch literal.kind {
        case .term(let node): literal.kind = .term(lift(node, &extras, literal.location))
        case .unify(let left, let right):
            if !literal.negated, case .call(let call) = right, isFunction(call) {
                let pattern = lift(left, &extras, literal.location)
                literal.kind = .call(with(call, output: pattern, &extras, literal.location))
            } else if !literal.negated, case .call(let call) = left, isFunction(call) {
                let pattern = lift(right, &extras, literal.location)
                literal.kind = .call(with(call, output: pattern, &extras, literal.location))
            } else {
                let first = lift(left, &extras, literal.location)
                literal.kind = .unify(first, lift(right, &extras, literal.location))
            }
        case .call(var call):
            call.arguments = call.arguments.map { lift($0, &extras, literal.location) }
            literal.kind = .call(call)
        case .every(let every):
            every.domain = lift(every.domain, &extras, literal.location)
            every.body = expand(every.body)
        case .notBody(let node): node.body = expand(node.body)
        }
        for var extra in extras {
            extra.with = literal.with
            extra.source = literal.source
            result.append(extra)
        }
        result.append(literal)
    }

    /// Equality and assignment have no result to speak of.
    private func isFunction(_ call: CallNode) -> Bool {
        if case .builtin(let index) = call.callee { return index != builtins.eq && index != builtins.assign }
        return true
    }

    private func with(
        _ call: CallNode, output: Node, _ extras: inout [LiteralNode], _ location: Location
    ) -> CallNode {
        var call = call
        call.arguments = call.arguments.map { lift($0, &extras, location) } + [output]
        return call
    }

    /// The term without calls; they go to `extras`.
    func lift(_ node: Node, _ extras: inout [LiteralNode], _ location: Location) -> Node {
        switch node {
        case .constant, .local: return node
        case .array(let items): return .array(items.map { lift($0, &extras, location) })
        case .set(let items): return .set(items.map { lift($0, &extras, location) })
        case .object(let pairs):
            return .object(
                pairs.map { (key: lift($0.key, &extras, location), value: lift($0.value, &extras, location)) })
        case .ref(let base, let path, let place):
            var lifted = base
            if case .node(let inner) = base { lifted = .node(lift(inner, &extras, location)) }
            return .ref(lifted, path.map { lift($0, &extras, location) }, place)
        case .call(let call):
            if !isFunction(call) { diagnostics.report(.unsafe, call.location, "expression is unsafe") }
            let result = variables.fresh("")
            variables.origins[result] = call.location
            let lifted = with(call, output: .local(result), &extras, location)
            extras.append(LiteralNode(kind: .call(lifted), location: location))
            return .local(result)
        case .comprehension(let node):
            node.body = expand(node.body)
            node.key = node.key.map { lift($0, &node.body, node.location) }
            node.value = lift(node.value, &node.body, node.location)
            moveRefs(node)
            return .comprehension(node)
        }
    }

    /// A comprehension's head that looks something up does so at the end of its body.
    private func moveRefs(_ node: ComprehensionNode) {
        func moved(_ term: Node) -> Node {
            if term.isPlain { return term }
            let result = variables.fresh("")
            node.body.append(LiteralNode(kind: .unify(.local(result), term), location: node.location))
            return .local(result)
        }
        node.key = node.key.map(moved)
        node.value = moved(node.value)
    }
}
