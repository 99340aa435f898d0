/// What a probed plan reports, for explanation and coverage. Used by one evaluation at a time.
final class Probe {
    struct LiteralKey: Hashable {
        let rule: Int
        let clause: Int
        let literal: Int
    }

    struct ClauseKey: Hashable {
        let rule: Int
        let clause: Int
    }

    struct Failure {
        let literal: Int
        let operands: [(text: String, value: Value)]
        /// How many literals of the body had succeeded before.
        let depth: Int
    }

    fileprivate(set) var entered: Set<ClauseKey> = []
    fileprivate(set) var fired: Set<ClauseKey> = []
    fileprivate(set) var evaluated: Set<LiteralKey> = []
    fileprivate(set) var failures: [ClauseKey: Failure] = [:]
    fileprivate var successes: [LiteralKey: Int] = [:]
    fileprivate var depths: [ClauseKey: Int] = [:]
}

/// Adds probes to a plan while it is made; a plan without probes has no trace of them.
final class ProbeTable {
    /// The text of each file, to name operands.
    let sources: [[UInt8]]

    init(sources: [[UInt8]]) { self.sources = sources }

    func wrap(
        _ builder: Builder, _ literal: LiteralNode, _ planner: Planner, bound: VariableSet
    ) -> Builder {
        let key = Probe.LiteralKey(rule: planner.rule, clause: planner.clause, literal: literal.source)
        let clause = Probe.ClauseKey(rule: planner.rule, clause: planner.clause)
        let operands = self.operands(literal, planner, bound)
        return Builder { next in
            let run = builder.build { context in
                guard let probe = context.probe else { return next(context) }
                probe.successes[key, default: 0] += 1
                probe.depths[clause, default: 0] += 1
                let result = next(context)
                probe.depths[clause, default: 1] -= 1
                return result
            }
            return { context in
                guard let probe = context.probe else { return run(context) }
                probe.evaluated.insert(key)
                let before = probe.successes[key] ?? 0
                let result = run(context)
                if probe.successes[key] ?? 0 == before, !context.failed {
                    let depth = probe.depths[clause] ?? 0
                    if (probe.failures[clause]?.depth ?? -1) < depth {
                        let values = operands.map { (text: $0.text, value: $0.eval.eval(context)) }
                        probe.failures[clause] = Probe.Failure(literal: key.literal, operands: values, depth: depth)
                    }
                }
                return result
            }
        }
    }

    func entry(_ run: @escaping Run, rule: Int, clause: Int) -> Run {
        let key = Probe.ClauseKey(rule: rule, clause: clause)
        return { context in
            context.probe?.entered.insert(key)
            context.probe?.depths[key] = 0
            return run(context)
        }
    }

    func exit(_ run: @escaping Run, rule: Int, clause: Int) -> Run {
        let key = Probe.ClauseKey(rule: rule, clause: clause)
        return { context in
            context.probe?.fired.insert(key)
            return run(context)
        }
    }

    // MARK: - Operands

    private func operands(
        _ literal: LiteralNode, _ planner: Planner, _ bound: VariableSet
    ) -> [(text: String, eval: Evaluator)] {
        var nodes: [Node] = []
        switch literal.kind {
        case .term(let node): nodes = [node]
        case .unify(let left, let right): nodes = [left, right]
        case .call(let call): nodes = call.arguments
        case .every(let every): nodes = [every.domain]
        case .notBody: break
        }
        var result: [(text: String, eval: Evaluator)] = []
        for node in nodes {
            switch node {
            case .constant, .comprehension, .call: continue
            default: break
            }
            guard planner.isBound(node, bound) else { continue }
            result.append((text: text(node, planner.variables), eval: Evaluator(planner.eval(node, bound))))
        }
        return result
    }

    private func text(_ node: Node, _ variables: Variables) -> String {
        switch node {
        case .constant(let value): return value.text
        case .local(let id):
            if let origin = variables.origins[id] { return source(origin) }
            return variables.names[id]
        case .array(let items): return "[" + items.map { text($0, variables) }.joined(separator: ", ") + "]"
        case .set(let items): return "{" + items.map { text($0, variables) }.joined(separator: ", ") + "}"
        case .object(let pairs):
            return "{"
                + pairs.map { "\(text($0.key, variables)): \(text($0.value, variables))" }.joined(separator: ", ") + "}"
        case .ref(let base, let path, _):
            var result: String
            switch base {
            case .input: result = "input"
            case .data: result = "data"
            case .node(let inner): result = text(inner, variables)
            }
            for part in path {
                if case .constant(let key) = part {
                    result += pathPart(key)
                } else {
                    result += "[\(text(part, variables))]"
                }
            }
            return result
        default: return "..."
        }
    }

    func source(_ location: Location) -> String {
        guard location.file >= 0, Int(location.file) < sources.count else { return "" }
        let bytes = sources[Int(location.file)]
        let start = min(max(0, Int(location.offset)), bytes.count)
        let end = min(max(start, Int(location.end)), bytes.count)
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }
}
