/// Which rows of the policies' files were executed: rule heads that gave a value, expressions that were tried.
public struct Coverage: Sendable {
    /// Rows from `start` to `end`, both included.
    public struct Span: Sendable, Equatable {
        public let start: Int
        public let end: Int
    }

    public struct File: Sendable {
        public let name: String
        public let covered: [Span]
        public let notCovered: [Span]
        public let coveredLines: Int
        public let notCoveredLines: Int

        /// In percent; 100 where there is nothing to cover.
        public var percentage: Double {
            Coverage.percentage(coveredLines, notCoveredLines)
        }
    }

    public let files: [File]

    public var percentage: Double {
        Coverage.percentage(
            files.reduce(0) { $0 + $1.coveredLines }, files.reduce(0) { $0 + $1.notCoveredLines })
    }

    private static func percentage(_ covered: Int, _ missed: Int) -> Double {
        covered + missed == 0 ? 100 : Double(covered) * 100 / Double(covered + missed)
    }

    init(engine: Engine, probe: Probe) {
        var covered = Array(repeating: Set<Int>(), count: engine.modules.count)
        var all = covered
        for rule in engine.compiler.compiler.rules where !rule.isDefault {
            for (index, clause) in rule.clauses.enumerated() {
                let key = Probe.ClauseKey(rule: rule.index, clause: index)
                let row = Int(clause.location.row)
                all[rule.module].insert(row)
                if probe.fired.contains(key) { covered[rule.module].insert(row) }
            }
            for (index, location) in rule.literals.enumerated() {
                let row = Int(location.row)
                all[rule.module].insert(row)
                for clause in rule.clauses.indices
                where probe.evaluated.contains(Probe.LiteralKey(rule: rule.index, clause: clause, literal: index)) {
                    covered[rule.module].insert(row)
                }
            }
        }
        files = engine.modules.indices.map { index in
            let missed = all[index].subtracting(covered[index])
            return File(
                name: engine.modules[index].name, covered: Coverage.spans(covered[index]),
                notCovered: Coverage.spans(missed), coveredLines: covered[index].count, notCoveredLines: missed.count)
        }
    }

    private static func spans(_ rows: Set<Int>) -> [Span] {
        var result: [Span] = []
        for row in rows.sorted() {
            if let last = result.last, last.end == row - 1 {
                result[result.count - 1] = Span(start: last.start, end: row)
            } else {
                result.append(Span(start: row, end: row))
            }
        }
        return result
    }
}
