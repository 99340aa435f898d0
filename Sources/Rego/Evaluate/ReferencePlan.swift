extension Planner {
    func constantPath(_ path: [Node]) -> [Value]? {
        var keys: [Value] = []
        keys.reserveCapacity(path.count)
        for part in path {
            guard case .constant(let key) = part else { return nil }
            keys.append(key)
        }
        return keys
    }

    func boundReference(_ base: RefBase, _ path: [Node], _ bound: VariableSet) -> Eval {
        switch base {
        case .input:
            if let keys = constantPath(path) { return Planner.inputPath(keys) }
            return keyed({ context in context.input }, path, bound)
        case .node(let node): return keyed(eval(node, bound), path, bound)
        case .data:
            var inner = bound
            if let direct = directDocument(path, bound) { return direct.eval }
            let run = reference(.data, path, bound: &inner)({ context, value in
                context.items.append(value)
                return false
            })
            return { context in
                var items: [Value] = []
                swap(&items, &context.items)
                _ = run(context)
                swap(&items, &context.items)
                return context.failed ? .undefined : items.first ?? .undefined
            }
        }
    }

    static func inputPath(_ keys: [Value]) -> Eval {
        var names: [StringBox] = []
        for key in keys {
            guard case .string(let name) = key else { return { context in context.input.lookup(path: keys) } }
            names.append(name)
        }
        switch names.count {
        case 0: return { context in context.input }
        case 1:
            let name = names[0]
            return { context in context.input.lookup(name) }
        case 2:
            let first = names[0]
            let second = names[1]
            return { context in context.input.lookup(first).lookup(second) }
        default:
            let all = names
            return { context in
                var value = context.input
                for name in all {
                    value = value.lookup(name)
                    if value.isUndefined { return .undefined }
                }
                return value
            }
        }
    }

    func keyed(_ base: @escaping Eval, _ path: [Node], _ bound: VariableSet) -> Eval {
        if path.isEmpty { return base }
        if path.count == 1 {
            if case .constant(.string(let name)) = path[0] { return { context in base(context).lookup(name) } }
            let key = eval(path[0], bound)
            return { context in
                let value = base(context)
                let key = key(context)
                if value.isUndefined || key.isUndefined { return .undefined }
                return value.lookup(key)
            }
        }
        let keys = path.map { Evaluator(eval($0, bound)) }
        return { context in
            var value = base(context)
            for key in keys {
                if value.isUndefined { return .undefined }
                let key = key.eval(context)
                if key.isUndefined { return .undefined }
                value = value.lookup(key)
            }
            return value
        }
    }

    /// A data reference whose constant part ends at a rule or leaves the virtual documents: no walk is needed.
    func directDocument(_ path: [Node], _ bound: VariableSet) -> Evaluator? {
        var node = program.tree.root
        var at = 0
        var ids: [Int] = []
        var keys: [Value] = []
        while at < path.count, case .constant(let key) = path[at] {
            guard let child = node.child(key) else {
                // Base document only.
                if node.ruleSet != nil { return nil }
                if let all = constantPath(path) { return Evaluator(Planner.basePath(all)) }
                let prefix = keys
                return Evaluator(keyed({ context in context.data.lookup(path: prefix) }, Array(path[at...]), bound))
            }
            node = child
            ids.append(child.id)
            keys.append(key)
            at += 1
            if let ruleSet = node.ruleSet {
                guard ruleSet.kind == .complete || ruleSet.kind == .partialSet else { return nil }
                let prefix = keys
                let hidden = ids
                let document: Eval = { context in
                    if let replaced = context.hidden, hidden.contains(where: replaced.contains) {
                        return context.data.lookup(path: prefix)
                    }
                    return ruleSet.evaluate(context)
                }
                return Evaluator(keyed(document, Array(path[at...]), bound))
            }
        }
        return nil
    }

    static func basePath(_ keys: [Value]) -> Eval {
        { context in
            var value = context.data
            for key in keys {
                value = value.lookupBase(key)
                if value.isUndefined { return .undefined }
            }
            return value
        }
    }

    // MARK: - Iteration

    enum Step {
        case constant(Value)
        case key(Eval)
        case iterate(Match)
    }

    /// The steps along a path; variables not bound before are bound by them.
    func steps(_ path: [Node], bound: inout VariableSet) -> [Step] {
        var result: [Step] = []
        for part in path {
            if case .constant(let key) = part {
                result.append(.constant(key))
            } else if isBound(part, bound) {
                result.append(.key(eval(part, bound)))
            } else {
                result.append(.iterate(match(part, &bound)))
            }
        }
        return result
    }

    /// Yields each value of a reference to the sink it is given.
    func reference(_ base: RefBase, _ path: [Node], bound: inout VariableSet) -> (@escaping Sink) -> Run {
        switch base {
        case .input:
            // A constant prefix is looked up at once.
            let (prefix, rest) = split(path)
            let start = Planner.inputPath(prefix)
            let steps = self.steps(rest, bound: &bound)
            return { sink in Planner.start(start, Planner.walk(steps[...], sink)) }
        case .node(let node):
            let start = eval(node, bound)
            let steps = self.steps(path, bound: &bound)
            return { sink in Planner.start(start, Planner.walk(steps[...], sink)) }
        case .data:
            // Up to the first variable the document may be known statically.
            let (prefix, rest) = split(path)
            if !rest.isEmpty, let start = directDocument(prefix.map(Node.constant), bound)?.eval {
                let steps = self.steps(rest, bound: &bound)
                return { sink in Planner.start(start, Planner.walk(steps[...], sink)) }
            }
            let steps = self.steps(path, bound: &bound)
            let program = self.program
            return { sink in
                let run = Planner.document(program.tree.root, steps[...], program, sink)
                return { context in run(context, context.data) }
            }
        }
    }

    func split(_ path: [Node]) -> (prefix: [Value], rest: [Node]) {
        var prefix: [Value] = []
        for part in path {
            guard case .constant(let key) = part else { break }
            prefix.append(key)
        }
        return (prefix, Array(path[prefix.count...]))
    }

    static func start(_ eval: @escaping Eval, _ sink: @escaping Sink) -> Run {
        { context in
            let value = eval(context)
            if value.isUndefined { return !context.failed }
            return sink(context, value)
        }
    }

    /// Steps through plain values.
    static func walk(_ steps: ArraySlice<Step>, _ sink: @escaping Sink) -> Sink {
        guard let step = steps.first else { return sink }
        let rest = walk(steps.dropFirst(), sink)
        switch step {
        case .constant(.string(let name)):
            return { context, value in
                let found = value.lookup(name)
                return found.isUndefined || rest(context, found)
            }
        case .constant(let key):
            return { context, value in
                let found = value.lookup(key)
                return found.isUndefined || rest(context, found)
            }
        case .key(let eval):
            return { context, value in
                let key = eval(context)
                if key.isUndefined || !context.visits(key) { return !context.failed }
                let found = value.lookup(key)
                return found.isUndefined || rest(context, found)
            }
        case .iterate(let match):
            return { context, value in
                switch value {
                case .array(let items):
                    for index in 0..<items.count {
                        guard context.step() else { return false }
                        if match(context, .int(Int64(index))), !rest(context, items[index]) { return false }
                    }
                case .object(let box):
                    for index in 0..<box.count {
                        guard context.step() else { return false }
                        if match(context, box.keys[index]), !rest(context, box.values[index]) { return false }
                    }
                case .set(let box):
                    for index in 0..<box.count {
                        guard context.step() else { return false }
                        let item = box.items[index]
                        if match(context, item), !rest(context, item) { return false }
                    }
                default: break
                }
                return !context.failed
            }
        }
    }

    /// Steps through the virtual documents with the base document beside them (undefined where it ends).
    static func document(
        _ node: TreeNode, _ steps: ArraySlice<Step>, _ program: Program, _ sink: @escaping Sink
    ) -> Sink {
        let id = node.id
        let plain = walk(steps, sink)
        func guarded(_ inner: @escaping Sink) -> Sink {
            { context, base in
                if let hidden = context.hidden, hidden.contains(id) {
                    return base.isUndefined || plain(context, base)
                }
                return inner(context, base)
            }
        }
        guard let step = steps.first else {
            return guarded { context, base in
                let value = program.extent(node, base, context)
                return value.isUndefined ? !context.failed : sink(context, value)
            }
        }
        let after = walk(steps.dropFirst(), sink)
        if let ruleSet = node.ruleSet {
            if ruleSet.kind == .function { return { _, _ in true } }
            if ruleSet.kind == .complete || ruleSet.kind == .partialSet {
                return guarded { context, _ in
                    let value = ruleSet.evaluate(context)
                    return value.isUndefined ? !context.failed : plain(context, value)
                }
            }
            // Partial rules: one key needs only the documents that may hold it.
            func at(_ context: Context, _ key: Value) -> Bool {
                var value = ruleSet.evaluate(context).lookup(key)
                if context.failed { return false }
                if let child = node.child(key) {
                    value = PartialObject.merge(value, program.extent(child, .undefined, context), context)
                    if context.failed { return false }
                }
                return value.isUndefined || after(context, value)
            }
            switch step {
            case .constant(let key): return guarded { context, _ in at(context, key) }
            case .key(let eval):
                return guarded { context, _ in
                    let key = eval(context)
                    return key.isUndefined ? !context.failed : at(context, key)
                }
            case .iterate:
                return guarded { context, _ in
                    let value = program.extent(node, .undefined, context)
                    return value.isUndefined ? !context.failed : plain(context, value)
                }
            }
        }
        let wanted: Value
        if case .constant(let key) = step { wanted = key } else { wanted = .undefined }
        let children = node.ordered.compactMap { entry -> Child? in
            // A constant key needs the plan of its own child only.
            if wanted.isDefined, !wanted.equals(entry.key) { return nil }
            return Child(key: entry.key, sink: document(entry.node, steps.dropFirst(), program, sink))
        }
        func at(_ context: Context, _ base: Value, _ key: Value) -> Bool {
            let below = base.isUndefined ? .undefined : base.lookup(key)
            if let child = children.first(where: { $0.key.equals(key) }) { return child.sink(context, below) }
            return below.isUndefined || after(context, below)
        }
        switch step {
        case .constant(let key):
            if let child = children.first(where: { $0.key.equals(key) })?.sink {
                return guarded { context, base in child(context, base.isUndefined ? .undefined : base.lookup(key)) }
            }
            return guarded { context, base in
                let below = base.isUndefined ? .undefined : base.lookup(key)
                return below.isUndefined || after(context, below)
            }
        case .key(let eval):
            return guarded { context, base in
                let key = eval(context)
                return key.isUndefined ? !context.failed : at(context, base, key)
            }
        case .iterate(let match):
            return guarded { context, base in
                var keys = children.map(\.key)
                if case .object(let box) = base { keys = sortedDistinct(keys + box.keys) }
                for key in keys {
                    guard context.step() else { return false }
                    if match(context, key), !at(context, base, key) { return false }
                }
                return !context.failed
            }
        }
    }
}

private struct Child {
    let key: Value
    let sink: Sink
}
