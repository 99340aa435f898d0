import AiboxSystem
import Rego

/// Results of policy tests as an answer.
enum PolicyTestReport {
    static func answer(_ report: PolicyTestRunner.Report, verbose: Bool) -> Answer {
        var lines: [String] = []
        for result in report.results where verbose || result.outcome != .pass {
            let name = SafeText.escaped("\(result.file):\(result.row): \(result.package).\(result.name)")
            lines.append("\(result.outcome.rawValue)  \(name)" + (verbose ? " (\(milliseconds(result)) ms)" : ""))
            if let error = result.error { lines.append("  " + SafeText.escaped(error)) }
            for part in result.parts where verbose || !part.passed {
                lines.append("  \(part.passed ? "PASS" : "FAIL")  \(SafeText.escaped(part.name))")
            }
            for line in result.printed { lines.append("  | " + SafeText.escaped(line)) }
        }
        let counts = [PolicyTestRunner.Outcome.pass, .fail, .error, .skipped].map { ($0, report.count($0)) }
        lines.append(counts.filter { $0.1 > 0 }.map { "\($0.0.rawValue): \($0.1)" }.joined(separator: "  "))
        if let coverage = report.coverage {
            for file in coverage.files where !file.notCovered.isEmpty {
                let rows = file.notCovered.map { $0.start == $0.end ? "\($0.start)" : "\($0.start)-\($0.end)" }
                lines.append("not covered: " + SafeText.escaped(file.name) + ": " + rows.joined(separator: ", "))
            }
            lines.append("coverage: \(rounded(coverage.percentage)) %")
        }
        return .text(lines.joined(separator: "\n"), document(report))
    }

    private static func document(_ report: PolicyTestRunner.Report) -> OutputValue {
        let results = report.results.map { result in
            OutputValue.object([
                .init("package", .text(result.package)), .init("name", .text(result.name)),
                .init("file", .text(result.file)), .init("row", .integer(result.row)),
                .init("outcome", .text(result.outcome.rawValue)), .init("error", .optional(result.error)),
                .init("milliseconds", .number(milliseconds(result))),
                .init(
                    "parts",
                    .list(
                        result.parts.map {
                            .object([.init("name", .text($0.name)), .init("passed", .boolean($0.passed))])
                        })),
                .init("printed", .list(result.printed.map { .text($0) })),
            ])
        }
        return .object([.init("results", .list(results)), .init("coverage", coverage(report.coverage))])
    }

    private static func coverage(_ coverage: Coverage?) -> OutputValue {
        guard let coverage else { return .null }
        func rows(_ spans: [Coverage.Span]) -> OutputValue {
            .list(spans.map { .object([.init("start", .integer($0.start)), .init("end", .integer($0.end))]) })
        }
        let files = coverage.files.map { file in
            OutputValue.object([
                .init("file", .text(file.name)), .init("percentage", .number(tenths(file.percentage))),
                .init("covered", rows(file.covered)), .init("not_covered", rows(file.notCovered)),
            ])
        }
        return .object([.init("percentage", .number(tenths(coverage.percentage))), .init("files", .list(files))])
    }

    /// With one decimal.
    static func milliseconds(_ result: PolicyTestRunner.Result) -> Double {
        let (seconds, attoseconds) = result.duration.components
        return Double(Int(seconds) * 10_000 + Int(attoseconds / 100_000_000_000_000)) / 10
    }

    private static func tenths(_ percentage: Double) -> Double { (percentage * 10).rounded(.down) / 10 }

    /// Rounded down, so that 99.96 does not pass for 100.
    static func rounded(_ percentage: Double) -> String {
        let tenths = Int((percentage * 10).rounded(.down))
        return "\(tenths / 10).\(tenths % 10)"
    }
}
