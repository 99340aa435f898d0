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
        if global.format == .junit {
            Output.write(JUnitReport.text(report))
        } else {
            global.output.answer(PolicyTestReport.answer(report, verbose: global.verbose))
        }
        try judge(report)
    }

    private func judge(_ report: PolicyTestRunner.Report) throws {
        let failed = report.results.count { $0.outcome == .fail || $0.outcome == .error }
        if failed > 0 { throw AiboxError(.policyInvalid, "\(failed) of \(report.results.count) tests did not pass") }
        if let threshold, let coverage = report.coverage, coverage.percentage < threshold {
            throw AiboxError(
                .policyInvalid, "the tests cover too little",
                why: "\(PolicyTestReport.rounded(coverage.percentage)) % of the lines, and \(threshold) % are asked for"
            )
        }
    }
}
