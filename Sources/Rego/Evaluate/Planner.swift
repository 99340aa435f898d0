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

    func literal(_ literal: LiteralNode, bound: inout VariableSet) -> Builder {
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

    func core(_ literal: LiteralNode, bound: inout VariableSet) -> Builder {
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

    func chain(_ builders: [Builder], _ last: Builder) -> Builder {
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

    static func not(_ run: @escaping Run) -> Builder {
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
    func negated(_ literal: LiteralNode, bound: inout VariableSet) -> Builder {
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
        case .call(let call) where isEquality(call):
            // `==` is a unification, for which an undefined side is no match.
            plain.kind = .unify(
                hoistInner(call.arguments[0], &bound, &hoists), hoistInner(call.arguments[1], &bound, &hoists))
        case .call(var call):
            call.arguments = call.arguments.map { hoistAll($0, &bound, &hoists) }
            plain.kind = .call(call)
        case .every, .notBody: break
        }
        var inner = bound
        let run = core(plain, bound: &inner).build(Planner.satisfied)
        return chain(hoists, Planner.not(run))
    }

    private func isEquality(_ call: CallNode) -> Bool {
        guard case .builtin(let index) = call.callee, call.arguments.count == 2 else { return false }
        return builtins.specs[index].name == "equal"
    }

    /// Every reference in the term is looked up before; the term that is left holds none.
    func hoistAll(_ node: Node, _ bound: inout VariableSet, _ builders: inout [Builder]) -> Node {
        switch node {
        case .ref(let base, let path, let location):
            let parts = path.map { hoistAll($0, &bound, &builders) }
            return bind(.ref(base, parts, location), &bound, &builders)
        default: return hoistInner(node, &bound, &builders)
        }
    }

    func hoistInner(_ node: Node, _ bound: inout VariableSet, _ builders: inout [Builder]) -> Node {
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
    func bind(_ node: Node, _ bound: inout VariableSet, _ builders: inout [Builder]) -> Node {
        guard case .ref(let base, let path, _) = node else { return node }
        let inner = hoist(inside: base, path, &bound)
        builders.append(contentsOf: inner.builders)
        let reference = self.reference(inner.base, inner.path, bound: &bound)
        let variable = variables.fresh("")
        bound.insert(variable)
        let slot = self.slot(variable)
        builders.append(
            Builder { next in
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
    func hoist(_ node: Node, _ bound: inout VariableSet) -> ([Builder], Node) {
        var builders: [Builder] = []
        let plain = hoistUnbound(node, &bound, &builders)
        return (builders, plain)
    }

    func hoisted(_ node: Node, _ bound: inout VariableSet, _ builders: inout [Builder]) -> Node {
        hoistUnbound(node, &bound, &builders)
    }

    func hoistUnbound(_ node: Node, _ bound: inout VariableSet, _ builders: inout [Builder]) -> Node {
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

    func hoist(
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
}
