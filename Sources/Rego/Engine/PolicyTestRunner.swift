/// Runs the tests in policy modules: rules named `test_...`, with the meaning that `opa test` gives them.
///
/// A test passes if its value is exactly `true`. Undefined, false and every other value fail; an error is an error.
/// A rule `test_x[name]` has one result for each name. `todo_test_...` is skipped.
public struct PolicyTestRunner: Sendable {
    public enum Outcome: String, Sendable {
        case pass = "PASS"
        case fail = "FAIL"
        case error = "ERROR"
        case skipped = "SKIPPED"
    }

    public struct Result: Sendable {
        public let package: String
        public let name: String
        public let file: String
        public let row: Int
        public let outcome: Outcome
        public let duration: Duration
        /// Of a test with names: each name's outcome.
        public let parts: [(name: String, passed: Bool)]
        public let error: String?
        /// Lines that `print` gave.
        public let printed: [String]
    }

    public struct Report: Sendable {
        public let results: [Result]
        public let coverage: Coverage?

        public var passed: Bool { !results.contains { $0.outcome == .fail || $0.outcome == .error } }
        public func count(_ outcome: Outcome) -> Int { results.count { $0.outcome == outcome } }
    }

    /// Time that one test may take.
    public var timeout: Duration = .seconds(5)
    /// Only tests whose `data.package.name` the RE2 pattern matches.
    public var filter: String?
    public var collectsCoverage = false

    public init() {}

    /// Compiles the modules and runs their tests in the order of the source.
    public func run(_ modules: [Engine.Module], data: [UInt8]? = nil) throws -> Report {
        let table = collectsCoverage ? ProbeTable(sources: modules.map(\.text)) : nil
        let engine = try Engine(modules: modules, data: data, probes: table)
        var pattern: RegularExpression?
        if let filter {
            do {
                pattern = try RegularExpression(filter)
            } catch {
                throw RegoError(code: .builtin, message: "\(error)", file: "", row: 0, column: 0)
            }
        }
        let probe = collectsCoverage ? Probe() : nil
        var seen: Set<String> = []
        var results: [Result] = []
        for rule in engine.compiler.compiler.rules {
            guard rule.arguments == nil, let name = testName(rule) else { continue }
            let path = rule.pathText
            if !seen.insert(path).inserted { continue }
            if let pattern, !pattern.isMatch(path) { continue }
            results.append(try run(rule, name: name, path: path, engine, probe))
        }
        return Report(results: results, coverage: probe.map { Coverage(engine: engine, probe: $0) })
    }

    private func testName(_ rule: RuleNode) -> String? {
        guard case .variable(let first)? = rule.syntax.head.ref.first?.kind else { return nil }
        return first.hasPrefix("test_") || first.hasPrefix("todo_test_") ? first : nil
    }

    private func run(
        _ rule: RuleNode, name: String, path: String, _ engine: Engine, _ probe: Probe?
    ) throws -> Result {
        let package = engine.compiler.compiler.packagePath(engine.compiler.compiler.modules[rule.module])
            .reduce("data") { $0 + pathPart($1) }
        func result(
            _ outcome: Outcome, _ duration: Duration, parts: [(name: String, passed: Bool)] = [], error: String? = nil,
            printed: [String] = []
        ) -> Result {
            Result(
                package: package, name: name, file: engine.modules[rule.module].name, row: Int(rule.location.row),
                outcome: outcome, duration: duration, parts: parts, error: error, printed: printed)
        }
        if name.hasPrefix("todo_") { return result(.skipped, .zero) }
        var options = PreparedQuery.Options()
        options.limits.time = timeout
        let prepared = try engine.prepare(path)
        let start = ContinuousClock.now
        var printed: [String] = []
        do {
            let value = try prepared.value(input: nil, options: options, probe: probe, printed: &printed)
            let duration = ContinuousClock.now - start
            if case .object(let box)? = value, !rule.tail.isEmpty || rule.syntax.head.ref.count > 1 {
                let parts = (0..<box.count).map { index in
                    var passed = false
                    if case .bool(true) = box.values[index] { passed = true }
                    return (name: box.keys[index].plainText, passed: passed)
                }
                let passed = !parts.isEmpty && parts.allSatisfy(\.passed)
                return result(passed ? .pass : .fail, duration, parts: parts, printed: printed)
            }
            if case .bool(true)? = value { return result(.pass, duration, printed: printed) }
            return result(.fail, duration, printed: printed)
        } catch {
            return result(.error, ContinuousClock.now - start, error: error.description, printed: printed)
        }
    }
}
