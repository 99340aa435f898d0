import AiboxSystem
import ArgumentParser
import Rego

struct PolicyTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run the tests of policies: rules whose names begin with test_.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(name: .customLong("run"), help: "Run only the tests whose full name matches this regular expression.")
    var pattern: String?

    @Flag(help: "Report which lines the tests evaluated.")
    var coverage = false

    @Option(help: "With --coverage: fail below this percentage.")
    var threshold: Double?

    @Option(name: .shortAndLong, help: "A JSON file with the document data.")
    var data: String?

    @Argument(help: "Policy files, or folders with .rego files.")
    var policies: [String]

    func validate() throws {
        if threshold != nil, !coverage { throw ValidationError("--threshold goes with --coverage.") }
    }

    func run() throws {
        let modules = try PolicySources.modules(policies)
        var runner = PolicyTestRunner()
        runner.filter = pattern
        runner.collectsCoverage = coverage
        let document = try PolicySources.document(data)
        let report = try PolicySources.reporting("cannot run the tests") {
            try runner.run(modules, data: document)
        }
        if report.results.isEmpty {
            throw AiboxError(
                .failed, "no test was run", why: "no rule test_... fits in \(policies.joined(separator: ", "))")
        }
        global.output.answer(PolicyTestReport.answer(report, verbose: global.verbose))
        try judge(report)
    }

    private func judge(_ report: PolicyTestRunner.Report) throws {
        let failed = report.results.count { $0.outcome == .fail || $0.outcome == .error }
        if failed > 0 { throw AiboxError(.failed, "\(failed) of \(report.results.count) tests did not pass") }
        if let threshold, let coverage = report.coverage, coverage.percentage < threshold {
            throw AiboxError(
                .failed, "the tests cover too little",
                why: "\(PolicyTestReport.rounded(coverage.percentage)) % of the lines, and \(threshold) % are asked for"
            )
        }
    }
}

/// Results of policy tests as an answer.
enum PolicyTestReport {
    static func answer(_ report: PolicyTestRunner.Report, verbose: Bool) -> Answer {
        var lines: [String] = []
        for result in report.results where verbose || result.outcome != .pass {
            let name = SafeText.escaped("\(result.file): \(result.package).\(result.name)")
            lines.append(
                "\(result.outcome.rawValue)  \(name)" + (result.error.map { "\n  " + SafeText.escaped($0) } ?? ""))
        }
        let counts = [PolicyTestRunner.Outcome.pass, .fail, .error, .skipped].map { ($0, report.count($0)) }
        lines.append(counts.filter { $0.1 > 0 }.map { "\($0.0.rawValue): \($0.1)" }.joined(separator: "  "))
        if let coverage = report.coverage { lines.append("coverage: \(rounded(coverage.percentage)) %") }
        return .text(lines.joined(separator: "\n"), document(report))
    }

    private static func document(_ report: PolicyTestRunner.Report) -> OutputValue {
        let results = report.results.map { result in
            OutputValue.object([
                .init("package", .text(result.package)), .init("name", .text(result.name)),
                .init("file", .text(result.file)), .init("row", .integer(result.row)),
                .init("outcome", .text(result.outcome.rawValue)), .init("error", .optional(result.error)),
            ])
        }
        return .object([
            .init("results", .list(results)),
            .init("coverage", report.coverage.map { .number($0.percentage) } ?? .null),
        ])
    }

    static func rounded(_ percentage: Double) -> String {
        let tenths = Int((percentage * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
