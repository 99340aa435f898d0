import AiboxSystem
import Rego
import Testing

@Suite("The baseline of policies in Rego")
struct BaselineTests {
    private static let policies = Path.parent(Path.parent(Path.parent(#filePath))) + "/aibox-policies"

    private static func modules(_ folder: String) throws -> [Engine.Module] {
        try Folder.names(policies + "/" + folder).sorted().filter { $0.hasSuffix(".rego") }.map { name in
            Engine.Module(name: folder + "/" + name, text: try File.read(policies + "/" + folder + "/" + name))
        }
    }

    @Test("its own tests pass, are at least sixty, and reach every line")
    func tests() throws {
        var runner = PolicyTestRunner()
        runner.collectsCoverage = true
        let report = try runner.run(try Self.modules("org") + Self.modules("tests"))
        let failed = report.results.filter { $0.outcome != .pass }.map(\.name)
        #expect(failed.isEmpty)
        #expect(report.results.count >= 60)
        for file in report.coverage?.files ?? [] where file.name.hasPrefix("org/") {
            #expect(file.notCovered.isEmpty, "\(file.name)")
        }
    }

    @Test(
        "the example of an organisation's own refusals passes its tests, reaches every line and goes with the baseline")
    func example() throws {
        var runner = PolicyTestRunner()
        runner.collectsCoverage = true
        let report = try runner.run(try Self.modules("examples/rego"))
        let failed = report.results.filter { $0.outcome != .pass }.map(\.name)
        #expect(failed.isEmpty && report.results.count >= 6)
        for file in report.coverage?.files ?? [] where !file.name.hasSuffix("_test.rego") {
            #expect(file.notCovered.isEmpty, "\(file.name)")
        }
        let own = try Self.modules("examples/rego").filter { !$0.name.hasSuffix("_test.rego") }
        let query = try Engine(modules: try Self.modules("org") + own, allowNondeterminism: false).prepare(
            "data.aibox.decision")
        let input = #"{"action": "llm", "request": {"model": "a", "stream": false}, "policy": {"llm": {"models": []}}}"#
        let answer = String(decoding: try #require(try query.evaluate(json: Array(input.utf8))), as: UTF8.self)
        #expect(answer.contains(#""rule":"org.stream""#), "\(answer)")
    }

    @Test("it is formatted")
    func formatted() throws {
        for module in try Self.modules("org") + Self.modules("tests") + Self.modules("examples/rego") {
            #expect(try Formatter().format(module.text, name: module.name) == module.text, "\(module.name)")
        }
    }

    @Test(
        "an input that says nothing is denied",
        arguments: ["{}", "null", #"{"action": "tool"}"#, #"{"action": ["tool"]}"#])
    func nothing(_ input: String) throws {
        let query = try Engine(modules: try Self.modules("org"), allowNondeterminism: false).prepare(
            "data.aibox.decision")
        var options = PreparedQuery.Options()
        options.strictBuiltinErrors = true
        let answer = try #require(try query.evaluate(json: Array(input.utf8), options: options))
        #expect(String(decoding: answer, as: UTF8.self).contains(#""decision":"deny""#))
    }
}
