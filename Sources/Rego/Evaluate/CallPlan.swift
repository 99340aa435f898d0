extension Planner {
    /// A call as a statement.
    func call(_ call: CallNode, _ bound: inout VariableSet) -> Builder {
        var hoists: [Builder] = []
        let arity: Int
        switch call.callee {
        case .builtin(let index): arity = index == builtins.print ? call.arguments.count : builtins.specs[index].arity
        case .function(let path): arity = program.tree.find(path)?.ruleSet?.arity ?? call.arguments.count
        }
        var arguments: [Node] = []
        for argument in call.arguments { arguments.append(hoisted(argument, &bound, &hoists)) }
        let inputs = arguments.prefix(arity).map { Evaluator(eval($0, bound)) }
        let output: Matcher?
        if arguments.count > arity {
            output = Matcher(match(arguments[arity], &bound))
        } else {
            output = nil
        }
        let invoke = self.invoke(call, Array(inputs))
        let last: Builder
        if case .builtin(let index) = call.callee, builtins.specs[index].isRelation {
            last = walk(inputs, output, call.location)
        } else if let output {
            let match = output.match
            last = Builder { next in
                { context in
                    let value = invoke(context)
                    if value.isUndefined { return !context.failed }
                    return match(context, value) ? next(context) : !context.failed
                }
            }
        } else {
            last = Builder { next in
                { context in
                    if invoke(context).isTrue { return next(context) }
                    return !context.failed
                }
            }
        }
        if hoists.isEmpty { return last }
        let builders = hoists
        return Builder { next in
            var run = last.build(next)
            for builder in builders.reversed() { run = builder.build(run) }
            return run
        }
    }

    // MARK: - Invocation

    private func invoke(_ call: CallNode, _ inputs: [Evaluator]) -> Eval {
        switch call.callee {
        case .builtin(let index): return builtin(index, inputs, call.location)
        case .function(let path):
            guard let ruleSet = program.tree.find(path)?.ruleSet else { return { _ in .undefined } }
            return function(ruleSet, inputs, call.location)
        }
    }

    /// Puts the values on top of the frames, one slot kept free before them; nil if one is undefined.
    @inline(__always)
    private static func place(_ inputs: [Evaluator], _ context: Context) -> UnsafeMutablePointer<Value>? {
        let base = context.top
        if context.limit - base < inputs.count + 16 {
            context.fail(.limit, "evaluation is nested too deeply", .none)
            return nil
        }
        context.top = base + inputs.count + 1
        for index in 0..<inputs.count {
            let value = inputs[index].eval(context)
            if value.isUndefined {
                (base + 1).deinitialize(count: index)
                context.top = base
                return nil
            }
            (base + 1 + index).initialize(to: value)
        }
        context.top = base
        return base
    }

    private func function(_ ruleSet: RuleSet, _ inputs: [Evaluator], _ location: Location) -> Eval {
        let key = FunctionKey.function(ruleSet.node.id)
        return { context in
            guard let base = Planner.place(inputs, context) else { return .undefined }
            if let mocks = context.mocks, let mock = mocks[key] {
                return Planner.callMock(mock, base, inputs.count, context, location)
            }
            if let hidden = context.hidden, hidden.contains(ruleSet.node.id) { return .undefined }
            return ruleSet.call(context, base)
        }
    }

    private func builtin(_ index: Int, _ inputs: [Evaluator], _ location: Location) -> Eval {
        let spec = builtins.specs[index]
        let key = FunctionKey.builtin(index)
        let count = inputs.count
        if let fast = specialised(spec, inputs, location, key) { return fast.eval }
        return { context in
            guard let base = Planner.place(inputs, context) else { return .undefined }
            if let mocks = context.mocks, let mock = mocks[key] {
                return Planner.callMock(mock, base, count, context, location)
            }
            let top = context.top
            context.top = base + 1 + count
            let result = Planner.run(spec, base + 1, context, location)
            (base + 1).deinitialize(count: count)
            context.top = top
            return result
        }
    }

    /// Runs a built-in's code and turns its failure into an error or, unless strict, into no result.
    static func run(
        _ spec: BuiltinSpec, _ arguments: UnsafeMutablePointer<Value>, _ context: Context, _ location: Location
    ) -> Value {
        guard let code = spec.body else {
            if context.strict {
                context.fail(.builtin, "\(spec.name): this built-in function is not supported", location)
            }
            return .undefined
        }
        return run(code, spec, arguments, context, location)
    }

    @inline(__always)
    private static func run(
        _ code: BuiltinCode, _ spec: BuiltinSpec, _ arguments: UnsafeMutablePointer<Value>, _ context: Context,
        _ location: Location
    ) -> Value {
        if spec.isNondeterministic, context.program.forbidsNondeterminism {
            context.fail(.builtin, "\(spec.name): not allowed here: it may answer differently each time", location)
            return .undefined
        }
        if !spec.isCheap {
            for index in 0..<spec.arity where !context.visits(arguments[index]) { return .undefined }
        }
        do {
            return context.made(try code.run(context, arguments))
        } catch {
            let message = error.complete ? error.message : "\(spec.name): \(error.message)"
            switch error.kind {
            case .conflict: context.fail(.conflict, error.message, location)
            case .limit: context.fail(.limit, message, location)
            case .type: if context.strict { context.fail(.evalType, message, location) }
            case .invalid: if context.strict { context.fail(.builtin, message, location) }
            }
            return .undefined
        }
    }

    /// As `callMock`, for operands that are not on the frames.
    @inline(never)
    private static func mocked(_ mock: Mock, _ operands: [Value], _ context: Context, _ location: Location) -> Value {
        let base = context.top
        for (index, operand) in operands.enumerated() { (base + 1 + index).initialize(to: operand) }
        return callMock(mock, base, operands.count, context, location)
    }

    private static func callMock(
        _ mock: Mock, _ base: UnsafeMutablePointer<Value>, _ count: Int, _ context: Context, _ location: Location
    ) -> Value {
        switch mock {
        case .value(let value):
            (base + 1).deinitialize(count: count)
            return value
        case .builtin(let index):
            let spec = context.program.builtins.specs[index]
            let top = context.top
            context.top = base + 1 + count
            let result =
                count == spec.arity ? run(spec, base + 1, context, location) : Value.undefined
            (base + 1).deinitialize(count: count)
            context.top = top
            return result
        case .function(let ruleSet):
            guard ruleSet.arity == count else {
                (base + 1).deinitialize(count: count)
                return .undefined
            }
            // The replacement runs without replacements of its own.
            let outer = context.scope
            context.enter(
                Scope(
                    parent: outer, input: context.input, data: context.data, hidden: context.hidden, mocks: nil,
                    size: context.program.ruleSets.count))
            let result = ruleSet.call(context, base)
            context.enter(outer)
            return result
        }
    }

    /// Comparisons and other small built-ins without the detour over the frames.
    private func specialised(
        _ spec: BuiltinSpec, _ inputs: [Evaluator], _ location: Location, _ key: FunctionKey
    ) -> Evaluator? {
        if inputs.count == 1, let code = spec.body, !spec.isNondeterministic {
            let input = inputs[0].eval
            return Evaluator { context in
                var operand = input(context)
                if operand.isUndefined { return .undefined }
                if let mocks = context.mocks, let mock = mocks[key] {
                    return Planner.mocked(mock, [operand], context, location)
                }
                return withUnsafeMutablePointer(to: &operand) { Planner.run(code, spec, $0, context, location) }
            }
        }
        guard inputs.count == 2 else { return nil }
        let left = inputs[0].eval
        let right = inputs[1].eval
        func comparison(_ test: @escaping (Value, Value) -> Bool) -> Evaluator {
            Evaluator { context in
                let first = left(context)
                if first.isUndefined { return .undefined }
                let second = right(context)
                if second.isUndefined { return .undefined }
                // Scalars are the rule; of collections the smaller one bounds the work.
                if first.rank >= 3, second.rank == first.rank {
                    let weight = min(first.weight, second.weight)
                    if weight >= 4096, !context.spend(weight >> 5) { return .undefined }
                }
                return .bool(test(first, second))
            }
        }
        switch spec.name {
        case "equal": return comparison { $0.equals($1) }
        case "neq": return comparison { !$0.equals($1) }
        case "lt": return comparison { $0.compare($1) < 0 }
        case "lte": return comparison { $0.compare($1) <= 0 }
        case "gt": return comparison { $0.compare($1) > 0 }
        case "gte": return comparison { $0.compare($1) >= 0 }
        default: return nil
        }
    }

    // MARK: - walk

    private func walk(_ inputs: [Evaluator], _ output: Matcher?, _ location: Location) -> Builder {
        let input = inputs[0].eval
        return Builder { next in
            { context in
                let value = input(context)
                if value.isUndefined { return !context.failed }
                return Planner.walk([], value, context) { context, path, value in
                    guard let output else { return next(context) }
                    return output.match(context, .array([.array(path), value])) ? next(context) : !context.failed
                }
            }
        }
    }

    private static func walk(
        _ path: [Value], _ value: Value, _ context: Context, _ visit: (Context, [Value], Value) -> Bool
    ) -> Bool {
        // Each step copies the path that led to it.
        guard context.spend(1 + path.count >> 4), context.hasStack() else { return false }
        if !visit(context, path, value) { return false }
        switch value {
        case .array(let items):
            for index in 0..<items.count
            where !walk(path + [.int(Int64(index))], items[index], context, visit) { return false }
        case .object(let box):
            for index in 0..<box.count
            where !walk(path + [box.keys[index]], box.values[index], context, visit) { return false }
        case .set(let box):
            for item in box.items where !walk(path + [item], item, context, visit) { return false }
        default: break
        }
        return true
    }
}
