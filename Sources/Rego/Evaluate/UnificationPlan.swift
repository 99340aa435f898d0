extension Planner {
    func test(_ node: Node, _ bound: VariableSet) -> Builder {
        if case .constant(let value) = node {
            return value.isTrue ? Builder { next in next } : Builder { _ in { _ in true } }
        }
        let eval = self.eval(node, bound)
        return Builder { next in
            { context in
                if eval(context).isTrue { return next(context) }
                return !context.failed
            }
        }
    }

    func unify(_ left: Node, _ right: Node, _ bound: inout VariableSet) -> Builder {
        // A reference that iterates, against a pattern.
        if case .ref(let base, let path, _) = left, !isBound(left, bound) {
            if case .ref = right, !isBound(right, bound) {
                let (hoists, plain) = hoist(left, &bound)
                return chain(hoists, unify(plain, right, &bound))
            }
            return iterate(base, path, pattern: right, &bound)
        }
        if case .ref(let base, let path, _) = right, !isBound(right, bound) {
            return iterate(base, path, pattern: left, &bound)
        }
        let (firstHoists, first) = hoist(left, &bound)
        let (secondHoists, second) = hoist(right, &bound)
        var builders = firstHoists + secondHoists
        var pairs = [(first, second)]
        while !pairs.isEmpty {
            var open: [(Node, Node)] = []
            var progress = false
            for (a, b) in pairs {
                if isBound(b, bound) {
                    builders.append(assign(b, to: a, &bound))
                    progress = true
                } else if isBound(a, bound) {
                    builders.append(assign(a, to: b, &bound))
                    progress = true
                } else if let parts = decompose(a, b) {
                    open.append(contentsOf: parts)
                    progress = true
                } else {
                    open.append((a, b))
                }
            }
            pairs = open
            if !progress {
                // Never solvable: shapes differ, or nothing is known.
                builders.append(Builder { _ in { _ in true } })
                break
            }
        }
        let all = builders
        return Builder { next in
            var run = next
            for builder in all.reversed() { run = builder.build(run) }
            return run
        }
    }

    func decompose(_ left: Node, _ right: Node) -> [(Node, Node)]? {
        switch (left, right) {
        case (.array(let first), .array(let second)):
            return first.count == second.count ? Array(zip(first, second)) : nil
        case (.object(let first), .object(let second)):
            guard first.count == second.count else { return nil }
            var pairs: [(Node, Node)] = []
            for (key, value) in first {
                guard case .constant(let wanted) = key,
                    let partner = second.first(where: {
                        if case .constant(let found) = $0.key { return found.equals(wanted) }
                        return false
                    })
                else { return nil }
                pairs.append((value, partner.value))
            }
            return pairs
        default: return nil
        }
    }

    func assign(_ source: Node, to pattern: Node, _ bound: inout VariableSet) -> Builder {
        let eval = self.eval(source, bound)
        if case .local(let variable) = pattern, !bound.contains(variable) {
            bound.insert(variable)
            let slot = self.slot(variable)
            return Builder { next in
                { context in
                    let value = eval(context)
                    if value.isUndefined { return !context.failed }
                    context.frame[slot] = value
                    return next(context)
                }
            }
        }
        let match = self.match(pattern, &bound)
        return Builder { next in
            { context in
                let value = eval(context)
                if value.isUndefined { return !context.failed }
                return match(context, value) ? next(context) : !context.failed
            }
        }
    }

    func iterate(_ base: RefBase, _ path: [Node], pattern: Node, _ bound: inout VariableSet) -> Builder {
        let inner = hoist(inside: base, path, &bound)
        let reference = self.reference(inner.base, inner.path, bound: &bound)
        // The pattern is matched after the reference has bound its variables.
        let (hoists, plain) = hoist(pattern, &bound)
        if !hoists.isEmpty {
            let variable = variables.fresh("")
            let slot = self.slot(variable)
            bound.insert(variable)
            let store = Builder { next in
                reference { context, value in
                    context.frame[slot] = value
                    return next(context)
                }
            }
            let rest = assign(.local(variable), to: plain, &bound)
            return chain(inner.builders + [store] + hoists, rest)
        }
        if case .local(let variable) = plain, !bound.contains(variable) {
            bound.insert(variable)
            let slot = self.slot(variable)
            return chain(
                inner.builders,
                Builder { next in
                    reference { context, value in
                        context.frame[slot] = value
                        return next(context)
                    }
                })
        }
        let match = self.match(plain, &bound)
        return chain(
            inner.builders,
            Builder { next in
                reference { context, value in
                    match(context, value) ? next(context) : !context.failed
                }
            })
    }

    /// Compares a value with a pattern and binds the pattern's new variables.
    func match(_ pattern: Node, _ bound: inout VariableSet) -> Match {
        if case .constant(let expected) = pattern { return { context, value in context.equal(expected, value) } }
        if case .local(let variable) = pattern {
            let slot = self.slot(variable)
            if bound.contains(variable) { return { context, value in context.equal(context.frame[slot], value) } }
            bound.insert(variable)
            return { context, value in
                context.frame[slot] = value
                return true
            }
        }
        if isBound(pattern, bound) {
            let eval = self.eval(pattern, bound)
            return { context, value in
                let expected = eval(context)
                return expected.isDefined && context.equal(expected, value)
            }
        }
        switch pattern {
        case .array(let items):
            let matches = items.map { Matcher(match($0, &bound)) }
            return { context, value in
                guard case .array(let values) = value, values.count == matches.count else { return false }
                for index in 0..<matches.count where !matches[index].match(context, values[index]) { return false }
                return true
            }
        case .object(let pairs):
            let entries = pairs.map { (key: Evaluator(eval($0.key, bound)), value: Matcher(match($0.value, &bound))) }
            return { context, value in
                guard case .object(let box) = value, box.count == entries.count else { return false }
                for entry in entries {
                    let key = entry.key.eval(context)
                    if key.isUndefined { return false }
                    let found = box[key]
                    if found.isUndefined || !entry.value.match(context, found) { return false }
                }
                return true
            }
        default: return { _, _ in false }
        }
    }
}
