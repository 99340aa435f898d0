/// Why a query has its value: the rules that were looked at, which of them fired, and for each
/// that did not, the first expression that failed, with the values of its operands.
public struct Explanation: Sendable {
    public struct Operand: Sendable {
        public let text: String
        /// Nil where the operand is undefined.
        public let value: Value?
    }

    /// The expression on which a body ended.
    public struct Failure: Sendable {
        public let text: String
        public let row: Int
        public let column: Int
        public let operands: [Operand]
    }

    /// One body of a rule; else branches count as bodies of their own.
    public struct Body: Sendable {
        public let path: String
        public let file: String
        public let row: Int
        public let fired: Bool
        /// Nil where the body fired.
        public let failure: Failure?
    }

    /// The query's value, if it is one term and defined.
    public let value: Value?
    /// In the order of the source.
    public let bodies: [Body]

    /// The explanation as lines of text.
    public var text: String {
        var lines = ["result: " + (value?.text ?? "undefined")]
        for body in bodies where body.fired { lines.append("fired      \(body.file):\(body.row)  \(body.path)") }
        for body in bodies where !body.fired {
            lines.append("not fired  \(body.file):\(body.row)  \(body.path)")
            guard let failure = body.failure else { continue }
            let text = failure.text.split(separator: "\n").map { $0.trimmedSpaces }.joined(separator: " ")
            lines.append("           \(failure.row):\(failure.column)  \(text)")
            for operand in failure.operands where operand.text != operand.value?.text {
                lines.append("             \(operand.text) is \(operand.value?.text ?? "undefined")")
            }
        }
        return lines.joined(separator: "\n")
    }
}

extension Engine {
    /// Evaluates a query with probes and says which rules gave its value.
    ///
    /// Slower than a plain evaluation: the modules are compiled a second time.
    public func explain(
        _ query: String, input: Value?, options: PreparedQuery.Options = PreparedQuery.Options()
    ) throws -> Explanation {
        let table = ProbeTable(sources: modules.map(\.text))
        let probed = try Engine(modules: modules, document: data, allowNondeterminism: true, probes: table)
        let prepared = try PreparedQuery(engine: probed, text: Array(query.utf8), probes: table)
        let probe = Probe()
        let value = try prepared.value(input: input, options: options, probe: probe)
        return Explanation(value: value, bodies: probed.bodies(probe, table))
    }

    private func bodies(_ probe: Probe, _ table: ProbeTable) -> [Explanation.Body] {
        var result: [Explanation.Body] = []
        for rule in compiler.compiler.rules {
            for (index, clause) in rule.clauses.enumerated() {
                let key = Probe.ClauseKey(rule: rule.index, clause: index)
                guard probe.entered.contains(key) else { continue }
                let fired = probe.fired.contains(key)
                var failure: Explanation.Failure?
                if !fired, let found = probe.failures[key], found.literal < rule.literals.count {
                    let location = rule.literals[found.literal]
                    failure = Explanation.Failure(
                        text: table.source(location), row: Int(location.row), column: Int(location.column),
                        operands: found.operands.map {
                            Explanation.Operand(text: $0.text, value: $0.value.isUndefined ? nil : $0.value)
                        })
                }
                result.append(
                    Explanation.Body(
                        path: rule.pathText, file: modules[rule.module].name, row: Int(clause.location.row),
                        fired: fired,
                        failure: failure))
            }
        }
        return result
    }
}
