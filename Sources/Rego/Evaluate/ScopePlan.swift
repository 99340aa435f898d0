extension Planner {
    func every(_ every: EveryNode, _ domain: Node, _ bound: VariableSet) -> Builder {
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

    func with(_ modifiers: [WithNode], bound: VariableSet, inner: Builder) -> Builder {
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

    func mock(_ callee: Callee) -> Mock? {
        switch callee {
        case .builtin(let index): .builtin(index)
        case .function(let path): program.tree.find(path)?.ruleSet.map { .function($0) }
        }
    }

    /// A reference to a function as the value of `with` stands for the function.
    func functionReplacement(_ node: Node) -> Mock? {
        guard case .ref(.data, let path, _) = node else { return nil }
        var keys: [Value] = []
        for part in path {
            guard case .constant(let key) = part else { return nil }
            keys.append(key)
        }
        guard let ruleSet = program.tree.find(keys)?.ruleSet, ruleSet.kind == .function else { return nil }
        return .function(ruleSet)
    }

    func functionKey(_ target: WithNode.Target) -> FunctionKey? {
        switch target {
        case .builtin(let index): return .builtin(index)
        case .function(let path), .data(let path):
            guard let node = program.tree.find(path), node.isFunction else { return nil }
            return .function(node.id)
        case .input: return nil
        }
    }
}
