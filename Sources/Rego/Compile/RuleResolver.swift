extension Resolver {
    /// Resolves a written rule into `node`.
    mutating func rule(_ node: RuleNode, package: [Value]) {
        let syntax = node.syntax
        let head = syntax.head
        variables = node.variables
        literals = []
        var scope = Scope()
        if case .variable(let name) = head.ref[0].kind, name == "input" || name == "data" {
            diagnostics.report(
                .compile, syntax.location, "rules must not shadow \(name) (use a different rule name)")
        }
        // Plain variables in the arguments, also nested in arrays and objects, are the function's own.
        var prologue: [(Int, Term)] = []
        if let arguments = head.arguments {
            scopes = [scope]
            node.arguments = arguments.map { argument($0, &prologue) }
            scope = scopes[0]
        }
        var branches: [(body: [Literal]?, value: Term?, location: Location)] = [
            (syntax.body, head.isPartialSet ? head.key : head.value, syntax.location)
        ]
        for branch in syntax.elseBranches { branches.append((branch.body, branch.value, branch.location)) }
        for (index, branch) in branches.enumerated() {
            let body = branch.body ?? []
            var inner = scope
            inner.hidden.formUnion(Resolver.declaredNames(body))
            scopes = [inner]
            var front: [LiteralNode] = []
            for (slot, term) in prologue {
                front.append(LiteralNode(kind: .unify(.local(slot), resolve(term)), location: term.location))
            }
            let used = (index == 0 ? Array(head.ref.dropFirst()) : []) + (branch.value.map { [$0] } ?? [])
            let resolved = front + self.body(body, used: used)
            let value = branch.value.map { resolve($0) } ?? .constant(.bool(true))
            if index == 0 { path(node, head, package) }
            node.clauses.append(
                ClauseNode(
                    body: resolved, value: value, location: branch.location, valueIsGenerated: branch.value == nil))
        }
        node.literals = literals
    }

    /// The head's path: constants up to the first part that is not.
    private mutating func path(_ node: RuleNode, _ head: RuleHead, _ package: [Value]) {
        var path = package
        if case .variable(let name) = head.ref[0].kind { path.append(.string(strings.intern(name))) }
        var tail: [Node] = []
        for part in head.ref.dropFirst() {
            let resolved = resolve(part)
            // Collections as keys are looked up like variables.
            if tail.isEmpty, case .constant(let key) = resolved, key.rank < 4 {
                path.append(key)
            } else {
                tail.append(resolved)
            }
        }
        node.path = path
        node.tail = tail
    }

    private mutating func argument(_ term: Term, _ prologue: inout [(Int, Term)]) -> Node {
        switch term.kind {
        case .variable(let name):
            if name == "_" { return .local(variables.fresh("_")) }
            if let known = scopes[0].locals[name] { return .local(known) }
            return .local(declare(name, .argument, term.location))
        case .array(let items): return Node.array(items.map { argument($0, &prologue) }).folded()
        case .object(let pairs):
            return Node.object(pairs.map { (key: resolve($0.key), value: argument($0.value, &prologue)) }).folded()
        case .null, .bool, .number, .string: return resolve(term)
        case .call:
            diagnostics.report(.compile, term.location, "rule arguments cannot contain calls")
            return .constant(.null)
        case .ref(let first, _) where first.isVariable("input") || first.isVariable("data"):
            diagnostics.report(.unsafe, term.location, "var \(first.isVariable("input") ? "input" : "data") is unsafe")
            return .constant(.null)
        default:
            let slot = variables.fresh("")
            prologue.append((slot, term))
            return .local(slot)
        }
    }
}
