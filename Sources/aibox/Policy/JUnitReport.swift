import Rego

/// Results of policy tests as JUnit's XML, which build servers read: a suite for each package.
enum JUnitReport {
    static func text(_ report: PolicyTestRunner.Report) -> String {
        var packages: [String] = []
        for result in report.results where !packages.contains(result.package) { packages.append(result.package) }
        var lines = [#"<?xml version="1.0" encoding="UTF-8"?>"#, "<testsuites>"]
        for package in packages {
            let results = report.results.filter { $0.package == package }
            func count(_ outcome: PolicyTestRunner.Outcome) -> Int { results.count { $0.outcome == outcome } }
            lines.append(
                "  <testsuite name=\"\(escaped(package))\" tests=\"\(results.count)\" failures=\"\(count(.fail))\" "
                    + "errors=\"\(count(.error))\" skipped=\"\(count(.skipped))\">")
            for result in results { lines.append(contentsOf: testCase(result)) }
            lines.append("  </testsuite>")
        }
        return (lines + ["</testsuites>", ""]).joined(separator: "\n")
    }

    private static func testCase(_ result: PolicyTestRunner.Result) -> [String] {
        let head =
            "    <testcase classname=\"\(escaped(result.package))\" name=\"\(escaped(result.name))\" "
            + "file=\"\(escaped(result.file))\" line=\"\(result.row)\" "
            + "time=\"\(PolicyTestReport.milliseconds(result) / 1000)\""
        var inside: [String] = []
        let failed = result.parts.filter { !$0.passed }.map(\.name)
        switch result.outcome {
        case .pass: break
        case .fail:
            let why = failed.isEmpty ? "the test is not true" : "not true: " + failed.joined(separator: ", ")
            inside.append("      <failure message=\"\(escaped(why))\"/>")
        case .error: inside.append("      <error message=\"\(escaped(result.error ?? "error"))\"/>")
        case .skipped: inside.append("      <skipped/>")
        }
        if !result.printed.isEmpty {
            inside.append("      <system-out>\(escaped(result.printed.joined(separator: "\n")))</system-out>")
        }
        return inside.isEmpty ? [head + "/>"] : [head + ">"] + inside + ["    </testcase>"]
    }

    /// Text of an attribute or element; characters that XML 1.0 cannot hold become U+FFFD.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "&#10;"
            case "\t": result += "&#9;"
            case "\u{0}"..."\u{1F}", "\u{FFFE}"..."\u{FFFF}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
