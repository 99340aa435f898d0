import Rego
import Testing

@Suite struct ToolTests {
    static let policy = """
        package gate

        default allow := false

        allow if {
            input.user == "root"
            input.level > limit
        }

        limit := 3
        """

    @Test func anExplanationNamesTheFirstFalseExpression() throws {
        let engine = try Engine(modules: [Engine.Module(name: "gate.rego", text: Self.policy)])
        let input = try engine.value(json: Array(#"{"user": "root", "level": 2}"#.utf8))
        let explanation = try engine.explain("data.gate.allow", input: input)
        #expect(explanation.value?.text == "false")
        let body = try #require(explanation.bodies.first { $0.path == "data.gate.allow" && !$0.fired })
        #expect(body.failure?.text == "input.level > limit")
        #expect(body.failure?.row == 7)
        #expect(
            body.failure?.operands.map { "\($0.text)=\($0.value?.text ?? "")" } == [
                "input.level=2", "data.gate.limit=3",
            ])
        #expect(explanation.bodies.contains { $0.path == "data.gate.limit" && $0.fired })
    }

    @Test func anUndefinedOperandIsNamed() throws {
        let engine = try Engine(modules: [Engine.Module(name: "gate.rego", text: Self.policy)])
        let explanation = try engine.explain("data.gate.allow", input: engine.value(json: Array("{}".utf8)))
        let failure = try #require(explanation.bodies.first { !$0.fired }?.failure)
        #expect(failure.text == "input.user == \"root\"")
        #expect(failure.operands.first?.value == nil)
        #expect(explanation.text.contains("input.user is undefined"))
    }

    static let tests = """
        package gate_test

        import data.gate

        test_root if gate.allow with input as {"user": "root", "level": 9}

        test_wrong if gate.allow with input as {"user": "x", "level": 9}

        test_not_boolean := 1

        test_prints if print("level", input.level)

        test_conflict := x if some x in [1, 2]

        test_parts[name] if {
            some name, level in {"low": 4, "high": 5}
            gate.allow with input as {"user": "root", "level": level}
        }

        todo_test_later if false
        """

    @Test func testsPassOnlyOnTrue() throws {
        var runner = PolicyTestRunner()
        runner.collectsCoverage = true
        let report = try runner.run([
            Engine.Module(name: "gate.rego", text: Self.policy),
            Engine.Module(name: "gate_test.rego", text: Self.tests),
        ])
        let outcomes = Dictionary(uniqueKeysWithValues: report.results.map { ($0.name, $0.outcome) })
        #expect(
            outcomes == [
                "test_root": .pass, "test_wrong": .fail, "test_not_boolean": .fail, "test_prints": .pass,
                "test_conflict": .error, "test_parts": .pass, "todo_test_later": .skipped,
            ])
        #expect(!report.passed)
        #expect(report.results.first { $0.name == "test_prints" }?.printed == ["level <undefined>"])
        #expect(report.results.first { $0.name == "test_parts" }?.parts.map(\.name).sorted() == ["high", "low"])
        let coverage = try #require(report.coverage?.files.first)
        #expect(coverage.name == "gate.rego" && coverage.notCoveredLines == 0)
    }

    @Test func testsCanBeChosenByPattern() throws {
        var runner = PolicyTestRunner()
        runner.filter = "root$"
        let report = try runner.run([
            Engine.Module(name: "gate.rego", text: Self.policy),
            Engine.Module(name: "gate_test.rego", text: Self.tests),
        ])
        #expect(report.results.map(\.name) == ["test_root"] && report.passed)
    }

    @Test func coverageSeesRowsThatNeverRan() throws {
        var runner = PolicyTestRunner()
        runner.collectsCoverage = true
        let report = try runner.run([
            Engine.Module(name: "a.rego", text: "package a\n\np if {\n\tinput.x\n\tinput.y\n}\n\ntest_p if not p")
        ])
        let file = try #require(report.coverage?.files.first)
        #expect(file.notCovered.map { "\($0.start)-\($0.end)" } == ["3-3", "5-5"])
        #expect(file.covered.map { "\($0.start)-\($0.end)" } == ["4-4", "8-8"])
    }

    /// Description, text, formatted.
    static let formats: [(String, String, String)] = [
        ("spaces around operators", "package t\np:=1+2*-3", "package t\n\np := 1 + 2 * -3\n"),
        (
            "indentation by tabs", "package t\n\np if {\n  x:=1\n      x>0\n}\n",
            "package t\n\np if {\n\tx := 1\n\tx > 0\n}\n"
        ),
        ("blank rows collapse", "package t\n\n\n\np := 1\n\n\n\nq := 2\n\n\n", "package t\n\np := 1\n\nq := 2\n"),
        (
            "comments stay", "package t # top\n# one\np := [ # first\n1,2, # two\n  # last\n]\n#end",
            "package t # top\n# one\np := [ # first\n\t1, 2, # two\n\t# last\n]\n#end\n"
        ),
        (
            "modifiers are indented", "package t\np if {\nq with input as {\"a\":1}\nwith data.x as [1,2]\n}",
            "package t\n\np if {\n\tq with input as {\"a\": 1}\n\t\twith data.x as [1, 2]\n}\n"
        ),
        (
            "strings are left alone", "package t\np:=$\"a {  input.x }\"\nq := `x\n  y`",
            "package t\n\np := $\"a {  input.x }\"\nq := `x\n  y`\n"
        ),
        ("carriage returns end no comment", "package t\r\n#a\r\r\r\np := 1\r\n", "package t\n#a\np := 1\n"),
        ("calls and lookups", "package t\np := f( 1,2 )[ x ] . y", "package t\n\np := f(1, 2)[x].y\n"),
    ]

    @Test(arguments: formats)
    func formatting(_ what: String, _ text: String, _ expected: String) throws {
        guard what != "calls and lookups" else {
            // A space before a dot ends a reference: that text is no policy.
            #expect(throws: RegoErrors.self) { try Formatter().format(Array(text.utf8), name: "t.rego") }
            return
        }
        let once = try Formatter().format(Array(text.utf8), name: "t.rego")
        #expect(String(decoding: once, as: UTF8.self) == expected, "\(what)")
        #expect(try Formatter().format(once, name: "t.rego") == once, "\(what)")
    }
}
