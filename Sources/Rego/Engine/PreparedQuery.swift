import Synchronization

/// A compiled query of an engine; evaluates from any number of threads at once.
public final class PreparedQuery: Sendable {
    /// One solution: the query's variables, and the value of each of its expressions.
    public struct Row: Sendable {
        public let bindings: [(name: String, value: Value)]
    }

    public struct Options: Sendable {
        /// Errors of built-ins end the evaluation; otherwise they leave their expression undefined.
        public var strictBuiltinErrors = false
        public var limits = Limits()
        public var cancellation: Cancellation?

        public init() {}
    }

    private final class Plan: @unchecked Sendable {
        // Unchecked: immutable once made.
        let run: Run
        let names: [String]
        let frameSize: Int
        /// The value of a query that is a single term.
        let single: Evaluator?

        init(run: @escaping Run, names: [String], frameSize: Int, single: Evaluator?) {
            self.run = run
            self.names = names
            self.frameSize = frameSize
            self.single = single
        }
    }

    let engine: Engine
    private let plan: Plan

    init(engine: Engine, text: [UInt8], probes: ProbeTable? = nil) throws(RegoErrors) {
        self.engine = engine
        let compiler = engine.compiler.compiler
        let diagnostics = Diagnostics(files: compiler.diagnostics.files)
        var parser = Parser(bytes: text, file: -1)
        var literals: [Literal] = []
        do throws(SyntaxFailure) {
            literals = try parser.query()
        } catch {
            diagnostics.report(.parse, error.location, error.message)
        }
        try diagnostics.check()
        var resolver = Resolver(
            diagnostics: diagnostics, builtins: compiler.builtins, strings: compiler.strings, globals: [:],
            closedNegation: false)
        resolver.scopes = [Resolver.Scope(hidden: Resolver.declaredNames(literals))]
        var body = resolver.body(literals, used: [])
        let variables = resolver.variables
        try diagnostics.check()
        compiler.checkFunctions(body, diagnostics)
        try diagnostics.check()
        body = compiler.expander(variables, diagnostics).expand(body)
        let safety = Safety(variables: variables, diagnostics: diagnostics, arity: compiler.arity)
        let after = safety.order(&body, bound: VariableSet())
        try diagnostics.check()
        if var types = compiler.types {
            types.diagnostics = diagnostics
            types.names = variables.names
            var environment: TypeChecker.Environment = [:]
            types.check(body, &environment)
            try diagnostics.check()
        }
        let planner = Planner(program: engine.program, variables: variables, reserved: 1, probes: probes)
        var single: Evaluator?
        if body.count == 1, case .term(let node) = body[0].kind, body[0].with.isEmpty, !body[0].negated,
            planner.isBound(node, VariableSet())
        {
            single = Evaluator(planner.eval(node, VariableSet()))
        }
        var bound = VariableSet()
        var visible: [(name: String, slot: Int)] = []
        let end = Ending()
        let run = planner.body(body, bound: &bound) { context in end.run(context) }
        for id in after.members {
            let name = variables.names[id]
            if name.isEmpty || name == "_" || name.hasPrefix("$") { continue }
            visible.append((name, planner.slot(id)))
        }
        let slots = visible.map(\.slot)
        end.run = { context in
            guard context.step(), context.charge(32) else { return false }
            context.items.append(.array(slots.map { context.frame[$0] }))
            return true
        }
        plan = Plan(run: run, names: visible.map(\.name), frameSize: planner.frameSize, single: single)
    }

    private func context(_ input: Value, _ data: Value?, _ options: Options) -> Context {
        let context = Context(program: engine.program, input: input, data: data ?? engine.data, limits: options.limits)
        context.strict = options.strictBuiltinErrors
        context.cancellation = options.cancellation
        return context
    }

    private func failure(_ context: Context) -> RegoError {
        context.error ?? RegoError(code: .limit, message: "evaluation failed", file: "", row: 0, column: 0)
    }

    /// All solutions, in the order in which they are found.
    public func rows(input: Value?, options: Options = Options()) throws(RegoError) -> [Row] {
        let context = context(input ?? .undefined, nil, options)
        return try rows(context)
    }

    func rows(_ context: Context) throws(RegoError) -> [Row] {
        guard context.push(plan.frameSize) else { throw failure(context) }
        _ = plan.run(context)
        context.pop(plan.frameSize, context.bottom)
        if context.failed { throw failure(context) }
        return context.items.map { item in
            guard case .array(let values) = item else { return Row(bindings: []) }
            return Row(bindings: Array(zip(plan.names, values).map { (name: $0, value: $1) }))
        }
    }

    /// The value of a query that is one term, such as `data.aibox.gate.decision`; nil where it is undefined.
    public func value(input: Value?, options: Options = Options()) throws(RegoError) -> Value? {
        let context = context(input ?? .undefined, nil, options)
        return try value(context)
    }

    func value(input: Value?, options: Options, probe: Probe) throws(RegoError) -> Value? {
        var printed: [String] = []
        return try value(input: input, options: options, probe: probe, printed: &printed)
    }

    /// As `value`, with probes, and with what `print` gave.
    func value(
        input: Value?, options: Options, probe: Probe?, printed: inout [String]
    ) throws(RegoError) -> Value? {
        let context = context(input ?? .undefined, nil, options)
        context.probe = probe
        defer { printed = context.memory.printed }
        return try value(context)
    }

    func value(_ context: Context) throws(RegoError) -> Value? {
        guard let single = plan.single else { return try rows(context).isEmpty ? nil : .bool(true) }
        guard context.push(plan.frameSize) else { throw failure(context) }
        let value = single.eval(context)
        context.pop(plan.frameSize, context.bottom)
        if context.failed { throw failure(context) }
        return value.isUndefined ? nil : value
    }

    /// As `value`, from JSON to JSON; nil where it is undefined.
    public func evaluate(json: [UInt8], options: Options = Options()) throws -> [UInt8]? {
        try evaluate(input: try engine.value(json: json), options: options)
    }

    /// As `value`, as JSON; nil where it is undefined.
    public func evaluate(input: Value, options: Options = Options()) throws -> [UInt8]? {
        guard let value = try value(input: input, options: options) else { return nil }
        var writer = JSONWriter()
        writer.write(value)
        if writer.isTruncated {
            throw RegoError(code: .limit, message: "the result is too large", file: "", row: 0, column: 0)
        }
        return writer.bytes
    }
}
