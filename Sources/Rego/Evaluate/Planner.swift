/// Makes plans: each literal becomes a closure that holds the rest of its body, linked back to front.
///
/// What is bound where is known statically, so that every occurrence of a variable is compiled either
/// to a store or to a comparison; nothing is unified at run time.
final class Planner {
    let program: Program
    let variables: Variables
    let builtins: Builtins
    private var slots: [Int: Int] = [:]
    private(set) var frameSize: Int
    let probes: ProbeTable?
    let rule: Int
    /// The body of the rule that is being planned.
    var clause = 0
    private var planned = 0

    /// `reserved` slots at the start of the frame are the result and the arguments.
    init(program: Program, variables: Variables, reserved: Int, probes: ProbeTable? = nil, rule: Int = -1) {
        self.program = program
        self.variables = variables
        builtins = program.builtins
        frameSize = reserved
        self.probes = probes
        self.rule = rule
    }

    func slot(_ variable: Int) -> Int {
        if let slot = slots[variable] { return slot }
        slots[variable] = frameSize
        frameSize += 1
        return frameSize - 1
    }

    /// The variable lives in a slot that the caller fills.
    func alias(_ variable: Int, _ slot: Int) { slots[variable] = slot }

    // MARK: - Bodies

    func body(_ literals: [LiteralNode], bound: inout VariableSet, end: @escaping Run) -> Run {
        var builders: [Builder] = []
        builders.reserveCapacity(literals.count)
        for literal in literals {
            builders.append(self.literal(literal, bound: &bound))
            planned += 1
            if planned.isMultiple(of: 24) {
                builders.append(Builder { next in { context in context.hasStack() && next(context) } })
            }
        }
        var run = end
        for builder in builders.reversed() { run = builder.build(run) }
        return run
    }

    private func literal(_ literal: LiteralNode, bound: inout VariableSet) -> Builder {
        let before = bound
        var builder: Builder
        if literal.negated {
            builder = negated(literal, bound: &bound)
        } else {
            builder = core(literal, bound: &bound)
        }
        if !literal.with.isEmpty {
            builder = with(literal.with, bound: before, inner: builder)
        }
        if let probes, literal.source >= 0 {
            builder = probes.wrap(builder, literal, self, bound: before)
        }
        return builder
    }

    private func core(_ literal: LiteralNode, bound: inout VariableSet) -> Builder {
        switch literal.kind {
        case .term(let node):
            if case .ref(let base, let path, _) = node, !isBound(node, bound) {
                let hoists = hoist(inside: base, path, &bound)
                let reference = self.reference(hoists.base, hoists.path, bound: &bound)
                let builder = Builder { next in
                    reference { context, value in value.isTrue ? next(context) : true }
                }
                return chain(hoists.builders, builder)
            }
            let (hoists, plain) = hoist(node, &bound)
            return chain(hoists, test(plain, bound))
        case .unify(let left, let right): return unify(left, right, &bound)
        case .call(let call): return self.call(call, &bound)
        case .every(let every):
            let (hoists, domain) = hoist(every.domain, &bound)
            return chain(hoists, self.every(every, domain, bound))
        case .notBody(let node):
            var inner = bound
            let run = body(node.body, bound: &inner, end: Planner.satisfied)
            return Planner.not(run)
        }
    }

    private func chain(_ builders: [Builder], _ last: Builder) -> Builder {
        if builders.isEmpty { return last }
        return Builder { next in
            var run = last.build(next)
            for builder in builders.reversed() { run = builder.build(run) }
            return run
        }
    }

    static func satisfied(_ context: Context) -> Bool {
        context.matched = true
        return false
    }

    private static func not(_ run: @escaping Run) -> Builder {
        Builder { next in
            { context in
                context.matched = false
                _ = run(context)
                if context.failed { return false }
                if context.matched {
                    context.matched = false
                    return true
                }
                return next(context)
            }
        }
    }

    /// `not`: what the expression looks up must be defined, only then is the expression itself negated.
    private func negated(_ literal: LiteralNode, bound: inout VariableSet) -> Builder {
        var hoists: [Builder] = []
        var plain = literal
        plain.negated = false
        switch literal.kind {
        case .term(.ref(let base, let path, let location)):
            let parts = path.map { hoistAll($0, &bound, &hoists) }
            plain.kind = .term(.ref(base, parts, location))
        case .term(let node): plain.kind = .term(hoistAll(node, &bound, &hoists))
        case .unify(let left, let right):
            plain.kind = .unify(hoistInner(left, &bound, &hoists), hoistInner(right, &bound, &hoists))
        case .call(var call):
            call.arguments = call.arguments.map { hoistAll($0, &bound, &hoists) }
            plain.kind = .call(call)
        case .every, .notBody: break
        }
        var inner = bound
        let run = core(plain, bound: &inner).build(Planner.satisfied)
        return chain(hoists, Planner.not(run))
    }

    /// Every reference in the term is looked up before; the term that is left holds none.
    private func hoistAll(_ node: Node, _ bound: inout VariableSet, _ builders: inout [Builder]) -> Node {
        switch node {
        case .ref(let base, let path, let location):
            let parts = path.map { hoistAll($0, &bound, &builders) }
            return bind(.ref(base, parts, location), &bound, &builders)
        default: return hoistInner(node, &bound, &builders)
        }
    }

    private func hoistInner(_ node: Node, _ bound: inout VariableSet, _ builders: inout [Builder]) -> Node {
        switch node {
        case .array(let items): return .array(items.map { hoistAll($0, &bound, &builders) })
        case .set(let items): return .set(items.map { hoistAll($0, &bound, &builders) })
        case .object(let pairs):
            return .object(
                pairs.map { (key: hoistAll($0.key, &bound, &builders), value: hoistAll($0.value, &bound, &builders)) })
        case .ref(let base, let path, let location):
            return .ref(base, path.map { hoistAll($0, &bound, &builders) }, location)
        default: return node
        }
    }

    /// Iterates the reference, storing each value in a new variable.
    private func bind(_ node: Node, _ bound: inout VariableSet, _ builders: inout [Builder]) -> Node {
        guard case .ref(let base, let path, _) = node else { return node }
        let inner = hoist(inside: base, path, &bound)
        builders.append(contentsOf: inner.builders)
        let reference = self.reference(inner.base, inner.path, bound: &bound)
        let variable = variables.fresh("")
        bound.insert(variable)
        let slot = self.slot(variable)
        builders.append(Builder { next in
            reference { context, value in
                context.frame[slot] = value
                return next(context)
            }
        })
        return .local(variable)
    }

    // MARK: - Hoisting

    func isBound(_ node: Node, _ bound: VariableSet) -> Bool {
        var all = true
        node.forEachLocal { if !bound.contains($0) { all = false } }
        return all
    }

    /// References that still bind variables are iterated before; the term that is left can be evaluated or matched.
    private func hoist(_ node: Node, _ bound: inout VariableSet) -> ([Builder], Node) {
        var builders: [Builder] = []
        let plain = hoistUnbound(node, &bound, &builders)
        return (builders, plain)
    }

    func hoisted(_ node: Node, _ bound: inout VariableSet, _ builders: inout [Builder]) -> Node {
        hoistUnbound(node, &bound, &builders)
    }

    private func hoistUnbound(_ node: Node, _ bound: inout VariableSet, _ builders: inout [Builder]) -> Node {
        switch node {
        case .array(let items): return .array(items.map { hoistUnbound($0, &bound, &builders) })
        case .set(let items): return .set(items.map { hoistUnbound($0, &bound, &builders) })
        case .object(let pairs):
            return .object(
                pairs.map {
                    (key: hoistUnbound($0.key, &bound, &builders), value: hoistUnbound($0.value, &bound, &builders))
                })
        case .ref where !isBound(node, bound): return bind(node, &bound, &builders)
        default: return node
        }
    }

    private func hoist(
        inside base: RefBase, _ path: [Node], _ bound: inout VariableSet
    ) -> (builders: [Builder], base: RefBase, path: [Node]) {
        var builders: [Builder] = []
        var newBase = base
        if case .node(let inner) = base { newBase = .node(hoistUnbound(inner, &bound, &builders)) }
        // Operands are hoisted as they come: an earlier one may bind what a later one needs.
        var parts: [Node] = []
        for part in path {
            if case .local = part {
                parts.append(part)
            } else {
                parts.append(hoistUnbound(part, &bound, &builders))
            }
        }
        return (builders, newBase, parts)
    }

    // MARK: - Tests and unification

    private func test(_ node: Node, _ bound: VariableSet) -> Builder {
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

    private func unify(_ left: Node, _ right: Node, _ bound: inout VariableSet) -> Builder {
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

    private func decompose(_ left: Node, _ right: Node) -> [(Node, Node)]? {
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

    private func assign(_ source: Node, to pattern: Node, _ bound: inout VariableSet) -> Builder {
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

    private func iterate(_ base: RefBase, _ path: [Node], pattern: Node, _ bound: inout VariableSet) -> Builder {
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
            return chain(inner.builders, Builder { next in
                reference { context, value in
                    context.frame[slot] = value
                    return next(context)
                }
            })
        }
        let match = self.match(plain, &bound)
        return chain(inner.builders, Builder { next in
            reference { context, value in
                match(context, value) ? next(context) : !context.failed
            }
        })
    }

    /// Compares a value with a pattern and binds the pattern's new variables.
    func match(_ pattern: Node, _ bound: inout VariableSet) -> Match {
        if case .constant(let expected) = pattern { return { _, value in value.equals(expected) } }
        if case .local(let variable) = pattern {
            let slot = self.slot(variable)
            if bound.contains(variable) { return { context, value in context.frame[slot].equals(value) } }
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
                return expected.isDefined && expected.equals(value)
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

    // MARK: - every, with

    private func every(_ every: EveryNode, _ domain: Node, _ bound: VariableSet) -> Builder {
        let collection = eval(domain, bound)
        var inner = bound
        let keySlot = every.key.map { slot($0) }
        if let key = every.key { inner.insert(key) }
        let valueSlot = slot(every.value)
        inner.insert(every.value)
        let run = body(every.body, bound: &inner, end: Planner.satisfied)
        func holds(_ context: Context, _ key: Value, _ value: Value) -> Bool {
            guard context.step() else { return false }
            if let keySlot { context.frame[keySlot] = key }
            context.frame[valueSlot] = value
            context.matched = false
            _ = run(context)
            let result = context.matched
            context.matched = false
            return result && !context.failed
        }
        return Builder { next in
            { context in
                switch collection(context) {
                case .array(let items):
                    for index in 0..<items.count
                    where !holds(context, .int(Int64(index)), items[index]) { return !context.failed }
                case .object(let box):
                    for index in 0..<box.count
                    where !holds(context, box.keys[index], box.values[index]) { return !context.failed }
                case .set(let box):
                    for item in box.items where !holds(context, item, item) { return !context.failed }
                default: return !context.failed
                }
                return next(context)
            }
        }
    }

    private func with(_ modifiers: [WithNode], bound: VariableSet, inner: Builder) -> Builder {
        enum Change {
            case input([Value], Eval)
            case data([Value], Eval, Set<Int>)
            case mock(FunctionKey, Evaluator?, Mock?)
        }
        var changes: [Change] = []
        for modifier in modifiers {
            var value: Evaluator?
            if case .value(let node) = modifier.replacement {
                value = Evaluator(eval(node, bound))
                if let mock = functionReplacement(node) {
                    if let key = functionKey(modifier.target) {
                        changes.append(.mock(key, nil, mock))
                        continue
                    }
                }
            }
            switch modifier.target {
            case .input(let path): if let value { changes.append(.input(path, value.eval)) }
            case .data(let path):
                if let key = functionKey(modifier.target) {
                    if case .callee(let callee) = modifier.replacement {
                        changes.append(.mock(key, nil, mock(callee)))
                    } else {
                        changes.append(.mock(key, value, nil))
                    }
                } else if let value {
                    changes.append(.data(path, value.eval, program.tree.find(path).map { [$0.id] } ?? []))
                }
            case .builtin, .function:
                guard let key = functionKey(modifier.target) else { continue }
                if case .callee(let callee) = modifier.replacement {
                    changes.append(.mock(key, nil, mock(callee)))
                } else {
                    changes.append(.mock(key, value, nil))
                }
            }
        }
        let plan = changes
        let size = program.ruleSets.count
        return Builder { next in
            let run = inner.build { context in
                let scope = context.scope
                guard let outer = scope.parent else { return false }
                context.enter(outer)
                let result = next(context)
                context.enter(scope)
                return result
            }
            return { context in
                guard context.step(), context.hasStack() else { return false }
                var input = context.input
                var data = context.data
                var hidden = context.hidden
                var mocks = context.mocks
                for change in plan {
                    switch change {
                    case .input(let path, let eval):
                        let value = eval(context)
                        if value.isUndefined { return !context.failed }
                        input = input.replacing(path: path[...], with: value)
                    case .data(let path, let eval, let ids):
                        let value = eval(context)
                        if value.isUndefined { return !context.failed }
                        data = data.replacing(path: path[...], with: value)
                        if !ids.isEmpty { hidden = (hidden ?? []).union(ids) }
                    case .mock(let key, let eval, let mock):
                        if let mock {
                            mocks = mocks ?? [:]
                            mocks?[key] = mock
                        } else if let eval {
                            let value = eval.eval(context)
                            if value.isUndefined { return !context.failed }
                            mocks = mocks ?? [:]
                            mocks?[key] = .value(value)
                        }
                    }
                }
                let outer = context.scope
                guard context.charge(size * 17 + 256) else { return false }
                context.enter(
                    Scope(parent: outer, input: input, data: data, hidden: hidden, mocks: mocks, size: size))
                let result = run(context)
                context.enter(outer)
                return result
            }
        }
    }

    private func mock(_ callee: Callee) -> Mock? {
        switch callee {
        case .builtin(let index): .builtin(index)
        case .function(let path): program.tree.find(path)?.ruleSet.map { .function($0) }
        }
    }

    /// A reference to a function as the value of `with` stands for the function.
    private func functionReplacement(_ node: Node) -> Mock? {
        guard case .ref(.data, let path, _) = node else { return nil }
        var keys: [Value] = []
        for part in path {
            guard case .constant(let key) = part else { return nil }
            keys.append(key)
        }
        guard let ruleSet = program.tree.find(keys)?.ruleSet, ruleSet.kind == .function else { return nil }
        return .function(ruleSet)
    }

    private func functionKey(_ target: WithNode.Target) -> FunctionKey? {
        switch target {
        case .builtin(let index): return .builtin(index)
        case .function(let path), .data(let path):
            guard let node = program.tree.find(path), node.isFunction else { return nil }
            return .function(node.id)
        case .input: return nil
        }
    }
}
