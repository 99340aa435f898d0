extension Planner {
    // MARK: - Evaluation of bound terms

    /// The value of a term all of whose variables are bound; undefined where a reference in it is.
    func eval(_ node: Node, _ bound: VariableSet) -> Eval {
        switch node {
        case .constant(let value): return { _ in value }
        case .local(let variable):
            let slot = self.slot(variable)
            return { context in context.frame[slot] }
        case .array(let items):
            let evals = items.map { Evaluator(eval($0, bound)) }
            return { context in
                var values: [Value] = []
                values.reserveCapacity(evals.count)
                for index in 0..<evals.count {
                    let value = evals[index].eval(context)
                    if value.isUndefined { return .undefined }
                    values.append(value)
                }
                return context.made(.array(values))
            }
        case .set(let items):
            let evals = items.map { Evaluator(eval($0, bound)) }
            return { context in
                var values: [Value] = []
                values.reserveCapacity(evals.count)
                for index in 0..<evals.count {
                    let value = evals[index].eval(context)
                    if value.isUndefined { return .undefined }
                    values.append(value)
                }
                return context.sorts(values) ? context.made(.set(SetBox(unsorted: values))) : .undefined
            }
        case .object(let pairs): return object(pairs, bound)
        case .ref(let base, let path, _): return boundReference(base, path, bound)
        case .comprehension(let node): return comprehension(node, bound)
        case .call: return { _ in .undefined }
        }
    }

    func object(_ pairs: [(key: Node, value: Node)], _ bound: VariableSet) -> Eval {
        // With constant keys the order is known now.
        var constant: [(key: Value, eval: Evaluator)] = []
        for (key, value) in pairs {
            guard case .constant(let key) = key else {
                let evals = pairs.map { (key: Evaluator(eval($0.key, bound)), value: Evaluator(eval($0.value, bound))) }
                return { context in
                    var values: [(Value, Value)] = []
                    for (key, value) in evals {
                        let key = key.eval(context)
                        if key.isUndefined { return .undefined }
                        let value = value.eval(context)
                        if value.isUndefined { return .undefined }
                        values.append((key, value))
                    }
                    return context.sorts(values.map(\.0))
                        ? context.made(.object(ObjectBox(unsorted: values))) : .undefined
                }
            }
            constant.removeAll { $0.key.equals(key) }
            constant.append((key, Evaluator(eval(value, bound))))
        }
        constant.sort { $0.key.compare($1.key) < 0 }
        let keys = constant.map(\.key)
        let evals = constant.map(\.eval)
        return { context in
            var values: [Value] = []
            values.reserveCapacity(evals.count)
            for index in 0..<evals.count {
                let value = evals[index].eval(context)
                if value.isUndefined { return .undefined }
                values.append(value)
            }
            return context.made(.object(ObjectBox(keys: keys, values: values)))
        }
    }

    func comprehension(_ node: ComprehensionNode, _ bound: VariableSet) -> Eval {
        var inner = bound
        let location = node.location
        var builders: Run = { _ in true }
        // The head is evaluated at the end of the body; what the body binds is known only after planning it.
        let end = Ending()
        let run = body(node.body, bound: &inner) { context in end.run(context) }
        builders = run
        let value = eval(node.value, inner)
        if let keyNode = node.key {
            let key = eval(keyNode, inner)
            end.run = { context in
                guard context.step(), context.charge(32) else { return false }
                let name = key(context)
                let item = value(context)
                if name.isUndefined || item.isUndefined { return !context.failed }
                context.items.append(name)
                context.items.append(item)
                return true
            }
        } else {
            end.run = { context in
                guard context.step(), context.charge(16) else { return false }
                let item = value(context)
                if item.isUndefined { return !context.failed }
                context.items.append(item)
                return true
            }
        }
        let collect = builders
        func items(_ context: Context) -> [Value] {
            var items: [Value] = []
            swap(&items, &context.items)
            _ = collect(context)
            swap(&items, &context.items)
            return items
        }
        switch node.kind {
        case .array:
            return { context in
                let items = items(context)
                return context.failed ? .undefined : context.made(.array(items))
            }
        case .set:
            return { context in
                let items = items(context)
                guard !context.failed, context.sorts(items) else { return .undefined }
                return context.made(.set(SetBox(unsorted: items)))
            }
        case .object:
            return { context in
                let items = items(context)
                if context.failed { return .undefined }
                var pairs: [(Value, Value)] = []
                pairs.reserveCapacity(items.count / 2)
                var at = 0
                while at + 1 < items.count {
                    pairs.append((items[at], items[at + 1]))
                    at += 2
                }
                return Value.uniqueObject(pairs, context, location)
            }
        }
    }
}
