/// Orders the literals of a body so that each finds its inputs bound, and reports variables that never are.
struct Safety {
    let variables: Variables
    let diagnostics: Diagnostics
    let arity: (Callee) -> Int?

    /// Reorders `body` and all closures in it. Returns what is bound after it.
    @discardableResult
    func order(_ body: inout [LiteralNode], bound start: VariableSet) -> VariableSet {
        var bound = start
        var bodyVariables = VariableSet()
        for literal in body { literal.forEachLocal { bodyVariables.insert($0) } }
        var remaining = body
        var ordered: [LiteralNode] = []
        ordered.reserveCapacity(body.count)
        var progress = true
        while progress, !remaining.isEmpty {
            progress = false
            var left: [LiteralNode] = []
            for literal in remaining {
                let outputs = self.outputs(literal, bound)
                if missing(literal, bound, outputs, bodyVariables, start).members.isEmpty {
                    bound.formUnion(outputs)
                    ordered.append(literal)
                    progress = true
                } else {
                    left.append(literal)
                }
            }
            remaining = left
        }
        var reported: Set<Int> = []
        for literal in remaining {
            let unsafe = missing(literal, bound, outputs(literal, bound), bodyVariables, start)
            for id in unsafe.members where reported.insert(id).inserted { report(id, literal.location) }
        }
        var safe = start
        for index in ordered.indices {
            orderClosures(&ordered[index], bound: safe)
            safe.formUnion(outputs(ordered[index], safe))
        }
        if !remaining.isEmpty { ordered.append(contentsOf: remaining) }
        body = ordered
        return bound
    }

    func report(_ id: Int, _ location: Location) {
        diagnostics.report(
            .unsafe, location,
            variables.isGenerated(id) ? "expression is unsafe" : "var \(variables.names[id]) is unsafe")
    }

    private func missing(
        _ literal: LiteralNode, _ bound: VariableSet, _ outputs: VariableSet, _ bodyVariables: VariableSet,
        _ start: VariableSet
    ) -> VariableSet {
        var needed = VariableSet()
        literal.forEachLocal { needed.insert($0) }
        var result = needed.subtracting(bound).subtracting(outputs)
        // A closure sees the variables of the bodies around it; they must have their values by then.
        var closure = VariableSet()
        literal.forEachClosureLocal { closure.insert($0) }
        result.formUnion(closure.intersection(bodyVariables).subtracting(bound))
        return result
    }

    private func orderClosures(_ literal: inout LiteralNode, bound: VariableSet) {
        literal.forEachComprehension { order($0, bound) }
        switch literal.kind {
        case .every(let every):
            var inner = bound
            if let key = every.key { inner.insert(key) }
            inner.insert(every.value)
            order(&every.body, bound: inner)
        case .notBody(let node): order(&node.body, bound: bound)
        default: break
        }
    }

    private func order(_ node: ComprehensionNode, _ bound: VariableSet) {
        let after = order(&node.body, bound: bound)
        if !diagnostics.errors.isEmpty { return }
        checkHead([node.key].compactMap { $0 } + [node.value], after, node.location)
    }

    /// Reports the variables of head terms that the body leaves unbound.
    func checkHead(_ terms: [Node], _ bound: VariableSet, _ location: Location) {
        for term in terms {
            term.forEachLocal { id in
                if !bound.contains(id) { report(id, location) }
            }
        }
    }

    // MARK: - Outputs

    /// What a literal binds when `bound` is known.
    func outputs(_ literal: LiteralNode, _ bound: VariableSet) -> VariableSet {
        var result = VariableSet()
        if literal.negated { return result }
        switch literal.kind {
        case .term(let node): refOutputs(node, bound, &result)
        case .unify(let left, let right):
            refOutputs(left, bound, &result)
            refOutputs(right, bound, &result)
            var pairs = [(left, right)]
            var progress = true
            while progress {
                progress = false
                var left: [(Node, Node)] = []
                for (first, second) in pairs {
                    if solve(first, second, bound, &result, &left) { progress = true }
                }
                pairs = left
            }
        case .call(let call):
            let count = arity(call.callee) ?? call.arguments.count
            for argument in call.arguments { refOutputs(argument, bound, &result) }
            if call.arguments.count > count {
                var inputs = VariableSet()
                for argument in call.arguments.prefix(count) { argument.forEachLocal { inputs.insert($0) } }
                if inputs.isSubset(of: bound.union(result)) {
                    patternVariables(call.arguments[call.arguments.count - 1], &result)
                }
            }
        case .every(let every): refOutputs(every.domain, bound, &result)
        case .notBody: break
        }
        return result.subtracting(bound)
    }

    /// One step on `left = right`; true if something was learned.
    private func solve(
        _ left: Node, _ right: Node, _ bound: VariableSet, _ result: inout VariableSet, _ open: inout [(Node, Node)]
    ) -> Bool {
        let known = bound.union(result)
        if isKnown(left, known) {
            patternVariables(right, &result)
            return true
        }
        if isKnown(right, known) {
            patternVariables(left, &result)
            return true
        }
        switch (left, right) {
        case (.array(let first), .array(let second)) where first.count == second.count:
            for pair in zip(first, second) { open.append(pair) }
            return true
        case (.object(let first), .object(let second)) where first.count == second.count:
            for (key, value) in first {
                guard case .constant(let wanted) = key else { continue }
                for (other, partner) in second {
                    if case .constant(let found) = other, found.equals(wanted) { open.append((value, partner)) }
                }
            }
            return true
        case (.array(let items), .constant(.array(let values))) where items.count == values.count:
            for (item, value) in zip(items, values) { open.append((item, .constant(value))) }
            return true
        case (.constant(.array(let values)), .array(let items)) where items.count == values.count:
            for (item, value) in zip(items, values) { open.append((item, .constant(value))) }
            return true
        default:
            open.append((left, right))
            return false
        }
    }

    private func isKnown(_ node: Node, _ known: VariableSet) -> Bool {
        var all = true
        node.forEachLocal { if !known.contains($0) { all = false } }
        return all
    }

    /// The variables which matching a value against the pattern binds.
    private func patternVariables(_ node: Node, _ result: inout VariableSet) {
        switch node {
        case .local(let id): result.insert(id)
        case .array(let items): for item in items { patternVariables(item, &result) }
        case .object(let pairs): for pair in pairs { patternVariables(pair.value, &result) }
        default: break
        }
    }

    /// References bind the variables in their brackets once their head is known.
    private func refOutputs(_ node: Node, _ bound: VariableSet, _ result: inout VariableSet) {
        switch node {
        case .constant, .local, .comprehension, .call: break
        case .array(let items), .set(let items): for item in items { refOutputs(item, bound, &result) }
        case .object(let pairs):
            for (key, value) in pairs {
                refOutputs(key, bound, &result)
                refOutputs(value, bound, &result)
            }
        case .ref(let base, let path, _):
            if case .node(let inner) = base {
                refOutputs(inner, bound, &result)
                if !isKnown(inner, bound.union(result)) { return }
            }
            for part in path {
                refOutputs(part, bound, &result)
                patternVariables(part, &result)
            }
        }
    }
}
