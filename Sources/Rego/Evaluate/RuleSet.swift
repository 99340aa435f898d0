/// The plan of all rules at one path.
final class RuleSet: @unchecked Sendable {
    // Unchecked: completed by the planner before the program is published, immutable afterwards.
    enum Kind { case complete, partialSet, partialObject, function }

    /// A body with its else branches, in order.
    struct Group {
        var clauses: [Clause]
    }

    struct Clause {
        var run: Run
        var location: Location
    }

    let id: Int
    let node: TreeNode
    let kind: Kind
    let arity: Int
    var frameSize = 1
    var groups: [Group] = []
    var defaultValue: Value = .undefined
    /// All bodies give the same constant: the first to succeed decides.
    var stopsEarly = false

    /// The body loops or calls functions: results are remembered once there are many calls, so that calls that
    /// fan out (each function calling the next one twice) stay few.
    var memoizes = false
    private static let callsBeforeMemory = 256

    init(id: Int, node: TreeNode, kind: Kind, arity: Int) {
        self.id = id
        self.node = node
        self.kind = kind
        self.arity = arity
    }

    /// The document of the rules: value, set, or object of partial rules.
    @inline(__always)
    func evaluate(_ context: Context) -> Value {
        if context.scope.cached[id] { return context.scope.cache[id] }
        return evaluateFresh(context)
    }

    @inline(never)
    private func evaluateFresh(_ context: Context) -> Value {
        guard context.step(), context.hasStack() else { return .undefined }
        let scope = context.scope
        let result: Value
        switch kind {
        case .complete: result = complete(context)
        case .partialSet: result = partialSet(context)
        case .partialObject: result = partialObject(context)
        case .function: return .undefined
        }
        if context.failed { return .undefined }
        scope.cache[id] = result
        scope.cached[id] = true
        return result
    }

    private func complete(_ context: Context) -> Value {
        let previous = context.frame
        guard context.push(frameSize) else { return .undefined }
        let result = runGroups(context)
        context.pop(frameSize, previous)
        return result.isUndefined && !context.failed ? defaultValue : result
    }

    /// Runs the bodies in the current frame; its first slot takes the value.
    @inline(__always)
    private func runGroups(_ context: Context) -> Value {
        let frame = context.frame
        for at in 0..<groups.count {
            if !run(group: at, context, frame) { break }
        }
        if context.failed { return .undefined }
        let result = frame[0]
        return result
    }

    /// False ends the rule.
    @inline(__always)
    private func run(group: Int, _ context: Context, _ frame: UnsafeMutablePointer<Value>) -> Bool {
        let count = groups[group].clauses.count
        if count == 1 {
            _ = groups[group].clauses[0].run(context)
        } else {
            let before = frame[0]
            frame[0] = .undefined
            var location = groups[group].clauses[0].location
            for clause in groups[group].clauses {
                _ = clause.run(context)
                if context.failed { return false }
                location = clause.location
                if frame[0].isDefined { break }
            }
            if frame[0].isUndefined {
                frame[0] = before
            } else if before.isDefined, !context.equal(before, frame[0]) {
                return conflict(context, location)
            }
        }
        if context.failed { return false }
        return !(stopsEarly && frame[0].isDefined)
    }

    func conflict(_ context: Context, _ location: Location) -> Bool {
        context.fail(
            .conflict,
            kind == .function
                ? "functions must not produce multiple outputs for same inputs"
                : "complete rules must not produce multiple outputs", location)
    }

    /// What the bodies of partial rules give, in no order.
    func collect(_ context: Context) -> [Value] {
        let previous = context.frame
        guard context.push(frameSize) else { return [] }
        var items: [Value] = []
        swap(&items, &context.items)
        for at in 0..<groups.count {
            _ = groups[at].clauses[0].run(context)
            if context.failed { break }
        }
        swap(&items, &context.items)
        context.pop(frameSize, previous)
        return items
    }

    private func partialSet(_ context: Context) -> Value {
        let items = collect(context)
        guard !context.failed, context.sorts(items) else { return .undefined }
        return context.made(.set(SetBox(unsorted: items)))
    }

    private func partialObject(_ context: Context) -> Value {
        let items = collect(context)
        if context.failed { return .undefined }
        return PartialObject.build(items, context, groups.first?.clauses.first?.location ?? .none)
    }

    // MARK: - Functions

    /// Calls the function with the arguments that lie on top of the frames, `top` to `top + arity`.
    /// They are consumed.
    func call(_ context: Context, _ arguments: UnsafeMutablePointer<Value>) -> Value {
        guard context.step(), context.hasStack(), context.limit - arguments > frameSize + 16 else {
            if !context.failed { context.fail(.limit, "evaluation is nested too deeply", .none) }
            (arguments + 1).deinitialize(count: arity)
            return .undefined
        }
        var memory: FunctionCall?
        if memoizes {
            let scope = context.scope
            let calls = scope.calls[id] ?? 0
            if calls < RuleSet.callsBeforeMemory {
                scope.calls[id] = calls + 1
            } else {
                let values = Array(UnsafeBufferPointer(start: arguments + 1, count: arity))
                guard context.sorts(values) else {
                    (arguments + 1).deinitialize(count: arity)
                    return .undefined
                }
                let call = FunctionCall(function: id, arguments: values)
                if let known = scope.results[call] {
                    (arguments + 1).deinitialize(count: arity)
                    return known
                }
                memory = call
            }
        }
        // Slot 0 is the result, the arguments follow, then the other variables.
        let previous = context.frame
        let previousTop = context.top
        arguments.initialize(to: .undefined)
        (arguments + 1 + arity).initialize(repeating: .undefined, count: frameSize - 1 - arity)
        context.frame = arguments
        context.top = arguments + frameSize
        var result = runGroups(context)
        arguments.deinitialize(count: frameSize)
        context.top = previousTop
        context.frame = previous
        if result.isUndefined, !context.failed { result = defaultValue }
        if let memory, !context.failed, context.charge(400) { context.scope.results[memory] = result }
        return result
    }
}
