import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxAudit

@Suite("aibox llm usage")
struct LLMUsageTests {
    private let command: BuiltCommand

    /// A log of two days, two sandboxes and two models, one of which has no price.
    init() throws {
        command = try BuiltCommand()
        let (first, second) = ("2026-03-01T23:59:59Z", "2026-03-02T00:00:00Z")
        let (alpha, beta, claude, gpt) = ("alpha", "beta", "claude-1", "gpt-5")
        try write([
            asked(first, alpha, claude), answered(first, alpha, claude, [100, 20, 5], cost: 1_500_000),
            // One that went on to another gateway: asked once, answered twice.
            asked(first, alpha, claude), answered(first, alpha, claude, nil, .failure),
            asked(first, alpha, claude, reason: "llm.example.org answered 503"),
            answered(first, alpha, claude, [10, 2, 0], cost: 250_000),
            asked(first, beta, gpt), answered(first, beta, gpt, [7, 3, 0]),
            asked(second, beta, claude, .denied, reason: "llm.budget: 0 left"),
            asked(second, beta, gpt, .failure, reason: "llm.upstream: it cannot be reached"),
            asked(second, alpha, gpt), answered(second, alpha, gpt, [1, 1, 0], .failure),
            asked(second, beta, claude), answered(second, beta, claude, [1000, 1, 900], cost: 1),
            // Another kind of event is not counted.
            Entry(
                time: second, sandbox: beta, event: AuditEvent(.credentialUse, subject: "x", details: ["kind": "git"])),
        ])
    }

    private struct Entry {
        var time: String
        var sandbox: String
        var event: AuditEvent
    }

    private func asked(
        _ time: String, _ sandbox: String, _ model: String, _ outcome: AuditOutcome = .allowed, reason: String? = nil
    ) -> Entry {
        var details: JSONObject = ["request": "r1", "path": "/v1/messages"]
        details["reason"] = reason.map { .string($0) }
        return Entry(
            time: time, sandbox: sandbox,
            event: AuditEvent(.llmRequest, subject: model, outcome: outcome, details: details))
    }

    private func answered(
        _ time: String, _ sandbox: String, _ model: String, _ tokens: [Int64]?, _ outcome: AuditOutcome = .success,
        cost: Int64? = nil
    ) -> Entry {
        var details: JSONObject = ["request": "r1", "status": .integer(outcome == .success ? 200 : 503)]
        for (name, count) in zip(["input_tokens", "output_tokens", "cached_tokens"], tokens ?? []) {
            details[name] = .integer(count)
        }
        details["cost_microdollars"] = cost.map { .integer($0) }
        return Entry(
            time: time, sandbox: sandbox,
            event: AuditEvent(.llmResponse, subject: model, outcome: outcome, details: details))
    }

    private func write(_ entries: [Entry]) throws {
        let context = AuditContext(source: .llmProxy, session: "s", sandbox: "", user: "u", policy: "")
        let writer = try LogWriter(
            LogFolder(path: command.folder.path + "/state/aibox/audit"), AuditLog.Options(), context, SystemLogDisk())
        for entry in entries {
            var context = context
            context.sandbox = entry.sandbox
            #expect(entry.event.problems == [])
            let time = try #require(AuditTime.parse(entry.time, now: .now))
            _ = try writer.append([
                try EventBody(entry.event, in: context, at: Moment(time: time, monotonic: 1, boot: "b"))
            ])
        }
        try writer.checkpoint()
    }

    private static let columns = [
        "requests", "refused", "failed", "input_tokens", "output_tokens", "cached_tokens", "cost",
    ]

    struct Case: Sendable {
        var name: String
        var more: [String] = []
        var rows: [(key: String, counts: [Int64], cost: String?)]
    }

    static let cases = [
        Case(
            name: "day",
            rows: [
                ("2026-03-01", [3, 0, 1, 117, 25, 5], "1.75"), ("2026-03-02", [2, 1, 2, 1001, 2, 900], "0.000001"),
            ]),
        Case(
            name: "model",
            rows: [("claude-1", [3, 1, 1, 1110, 23, 905], "1.750001"), ("gpt-5", [2, 0, 2, 8, 4, 0], nil)]),
        Case(
            name: "sandbox",
            rows: [("alpha", [3, 0, 2, 111, 23, 5], "1.75"), ("beta", [2, 1, 1, 1007, 4, 900], "0.000001")]),
        Case(
            name: "model", more: ["--name", "alpha", "--since", "2026-03-02"],
            rows: [("gpt-5", [1, 0, 1, 1, 1, 0], nil)]),
        Case(
            name: "sandbox", more: ["--since", "2026-03-02"],
            rows: [("alpha", [1, 0, 1, 1, 1, 0], nil), ("beta", [1, 1, 1, 1000, 1, 900], "0.000001")]),
    ]

    @Test("the sums are exact, as text and as JSON, by day, by model and by sandbox", arguments: cases)
    func sums(_ expected: Case) throws {
        func run(_ more: String...) throws -> CommandResult {
            let result = try SystemCommandRunner().run(
                Command(
                    BuiltCommand.path, ["llm", "usage", "--by", expected.name] + expected.more + more,
                    environment: command.environment))
            #expect(result.succeeded, "\(result.errorText)")
            return result
        }
        let json = try JSONParser.parse(try run("-o", "json").output)
        let objects = expected.rows.map { row in
            var object: JSONObject = [expected.name: .string(row.key)]
            for (column, count) in zip(Self.columns, row.counts) { object[column] = .integer(count) }
            object["cost"] = row.cost.map { .string($0) } ?? .null
            return JSONValue.object(object)
        }
        #expect(json == .array(objects), "\(json.text)")
        let lines = expected.rows.map { row in
            ([row.key] + row.counts.map { String($0) } + [row.cost ?? "-"]).joined(separator: "\t")
        }
        #expect(try run().text == lines.joined(separator: "\n"))
    }

    @Test("without a log there is nothing; a time that nobody can read is refused") func nothing() throws {
        let empty = try BuiltCommand()
        #expect(try JSONParser.parse(try empty.run("llm", "usage", "-o", "json").output) == .array([]))
        #expect(try command.run("llm", "usage", "--since", "yesterday").termination == .exited(64))
        #expect(try command.run("llm", "usage", "--by", "colour").termination == .exited(64))
    }
}
