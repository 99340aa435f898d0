import Rego
import Testing

/// No input hangs or crashes the engine: each of these ends in an error, soon.
@Suite(.timeLimit(.minutes(10))) struct BudgetTests {
    /// Smaller than what decisions get, by as much as programs that are not optimized are slower.
    private static let limits: Limits = {
        var limits = Limits()
        limits.steps /= 20
        limits.bytes /= 4
        return limits
    }()

    static let hostile: [(String, String)] = [
        ("nested brackets", "p := " + String(repeating: "[", count: 100_000)),
        ("nested parentheses", "p := " + String(repeating: "(", count: 100_000) + "1"),
        ("nested braces", "p := " + String(repeating: "{", count: 100_000)),
        ("nested comprehensions", "p := " + String(repeating: "[x | x := ", count: 50_000)),
        ("ambiguous unions", "p := " + String(repeating: "{a | ", count: 240) + "!"),
        ("long chain of operators", "p := 1" + String(repeating: " + 1", count: 100_000)),
        ("long chain of lookups", "p := input" + String(repeating: "[0]", count: 100_000)),
        ("nested templates", "p := " + String(repeating: "$\"{", count: 100_000)),
        (
            "exponential comprehension",
            "p := [1 | some a in r; some b in r; some c in r; some d in r; some e in r]\nr := numbers.range(1, 1000)"
        ),
        (
            "exponential calls",
            (1...60).map {
                "f\($0)(x) := concat(\"\", [f\($0 - 1)(concat(\"\", [x, \"a\"])), f\($0 - 1)(concat(\"\", [x, \"b\"]))])\n"
            }.joined() + "f0(x) := x\np := count(f60(\"\"))"
        ),
        ("huge range", "p := count(numbers.range(1, 100000000000))"),
        (
            "doubling strings",
            "s0 := \"aaaaaaaaaaaaaaaa\"\n"
                + (1...60).map { "s\($0) := concat(\"\", [s\($0 - 1), s\($0 - 1)])\n" }.joined() + "p := count(s60)"
        ),
        (
            "doubling arrays",
            "s0 := [1]\n" + (1...60).map { "s\($0) := array.concat(s\($0 - 1), s\($0 - 1))\n" }.joined()
                + "p := count(s60)"
        ),
        (
            "growing numbers",
            "n0 := 10\n" + (1...60).map { "n\($0) := n\($0 - 1) * n\($0 - 1)\n" }.joined() + "p := n60"
        ),
        (
            "wrapping functions",
            "f0(x) := [x]\n" + (1...60).map { "f\($0)(x) := f\($0 - 1)(f\($0 - 1)(x))\n" }.joined() + "p := f60(1)"
        ),
        (
            "chain of wrapping rules",
            "r0 := [input]\n" + (1...20_000).map { "r\($0) := [r\($0 - 1)]\n" }.joined() + "p := r20000"
        ),
        (
            "deep chain of rules",
            "r0 := input.x\n" + (1...20_000).map { "r\($0) := r\($0 - 1)\n" }.joined() + "p := r20000"
        ),
        ("doubling references, shown", doubling("[r\\(0), r\\(0)]", "sprintf(\"%v\", [r60])")),
        ("doubling references, as JSON", doubling("[r\\(0), r\\(0)]", "json.marshal(r60)")),
        ("doubling references, walked", doubling("[r\\(0), r\\(0)]", "[x | walk(r60, [_, x])]")),
        ("doubling objects, compared", doubling("{\"a\": r\\(0), \"b\": r\\(0)}", "r60 == [input | r60]")),
        ("doubling sets", doubling("{[r\\(0)], {r\\(0)}}", "count(r60)")),
        ("doubling comprehensions", doubling("[y | some x in [1, 2]; y := r\\(0)]", "r60")),
        ("doubling partial rules", doublingPartial("count(r60)")),
        ("the doubled value is the result", doubling("[r\\(0), r\\(0)]", "r60")),
        (
            "two doubled values, made apart, compared again and again",
            doubling("[r\\(0), r\\(0)]", "[x | some x in numbers.range(1, 100000); r20 == q20]", depth: 20)
                + "q0 := [input.x]\n" + (1...20).map { "q\($0) := [q\($0 - 1), q\($0 - 1)]\n" }.joined()
        ),
        (
            "wide template",
            "s0 := \"aaaaaaaaaaaaaaaa\"\n" + (1...60).map { "s\($0) := $\"{s\($0 - 1)}{s\($0 - 1)}\"\n" }.joined()
                + "p := s60"
        ),
        ("huge exponent", "p := 1e999999999 + 1"),
        ("huge shift", "p := bits.lsh(1, 99999999999)"),
        ("endless body", "p if {\n" + String(repeating: "input.x\n", count: 50_000) + "}"),
    ]

    /// `r1` is made of `r0` twice, `r2` of `r1` twice: small in memory, exponential when gone through.
    private static func doubling(_ step: String, _ end: String, depth: Int = 60) -> String {
        "r0 := [input.x]\n"
            + (1...depth).map { level in
                "r\(level) := " + step.replacing("\\(0)", with: String(level - 1)) + "\n"
            }.joined() + "p := \(end)\n"
    }

    private static func doublingPartial(_ end: String) -> String {
        "r0 contains 1\n" + (1...60).map { "r\($0) contains x if some x in [[r\($0 - 1)], {r\($0 - 1)}]\n" }.joined()
            + "p := \(end)\n"
    }

    @Test(arguments: hostile)
    func endsInAnError(_ what: String, _ policy: String) {
        #expect(errorCode(policy, input: #"{"x": 1}"#, limits: Self.limits) != nil, "\(what)")
    }

    @Test func deepJSONIsAnError() throws {
        let engine = try Engine(modules: [])
        for text in [String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000)] {
            #expect(throws: RegoErrors.self) { try engine.value(json: Array(text.utf8)) }
        }
    }

    @Test(arguments: [
        ("searched", "p := [x | some x in numbers.range(1, 100000); contains(input, \"b\")]"),
        ("changed", "p := [y | some x in numbers.range(1, 100000); y := upper(input)]"),
        ("compared", "p := [x | some x in numbers.range(1, 100000); input == concat(\"\", [input, \"\"])]"),
        ("split", "p := split(input, \"\")"),
        ("matched", "p := [x | some x in numbers.range(1, 100000); regex.match(`(a|b)*c(a*b?)*$`, input)]"),
        ("globbed", "p := [x | some x in numbers.range(1, 100000); glob.match(\"*a*a*a*b\", null, input)]"),
        ("shown", "p := sprintf(\"%s%s%s\", [input, input, input])"),
    ])
    func longStringsEndInAnError(_ what: String, _ policy: String) throws {
        let engine = try Engine(modules: [Engine.Module(name: "t.rego", text: "package t\n" + policy)])
        let text = [UInt8(ascii: "\"")] + Array(repeating: UInt8(ascii: "a"), count: 8 << 20) + [UInt8(ascii: "\"")]
        let input = try engine.value(json: text)
        var options = PreparedQuery.Options()
        // Without optimization a byte takes long.
        options.limits.steps = 50_000
        #expect(throws: RegoError.self, "\(what)") {
            try engine.prepare("data.t.p").value(input: input, options: options)
        }
    }

    @Test func hundredMegabytesAreReadAndRefused() throws {
        let engine = try Engine(modules: [Engine.Module(name: "t.rego", text: "package t\np := split(input, \"\")")])
        let text = [UInt8(ascii: "\"")] + Array(repeating: UInt8(ascii: "a"), count: 100 << 20) + [UInt8(ascii: "\"")]
        let input = try engine.value(json: text)
        #expect(throws: RegoError.self) { try engine.prepare("data.t.p").value(input: input) }
    }

    @Test func tooLargeInputIsRefused() throws {
        let engine = try Engine(modules: [])
        let text = Array(repeating: UInt8(ascii: " "), count: Limits.inputBytes) + Array("1".utf8)
        #expect(throws: RegoErrors.self) { try engine.value(json: text) }
    }

    @Test func catastrophicPatternsAreLinear() throws {
        let evaluation = Evaluation(
            "", "p := regex.match(`(a*)*(a*)*(a|a)*b$`, input)", "false",
            input: "\"" + String(repeating: "a", count: 20_000) + "\"")
        #expect(try evaluation.result() == "false")
    }

    @Test func anEvaluationCanBeCancelled() throws {
        let policy = "package t\nr := numbers.range(1, 1000)\np := [1 | some a in r; some b in r; some c in r]"
        let query = try Engine(modules: [Engine.Module(name: "t.rego", text: policy)]).prepare("data.t.p")
        var options = PreparedQuery.Options()
        let cancellation = Cancellation()
        cancellation.cancel()
        options.cancellation = cancellation
        #expect {
            try query.value(input: nil, options: options)
        } throws: { error in
            (error as? RegoError)?.code == .cancelled
        }
        options.cancellation = nil
        options.limits.time = .milliseconds(20)
        #expect {
            try query.value(input: nil, options: options)
        } throws: { error in
            (error as? RegoError)?.code == .cancelled
        }
    }

    @Test func manyThreadsShareOneEngine() async throws {
        let policy = """
            package t
            p := {"n": n, "s": s} if {
                n := sum([y | some x in data.xs; y := x * input.k])
                s := sprintf("%d-%s", [n, concat("", [y | some y in input.names; glob.match("a*", [], y)])])
            }
            """
        let engine = try Engine(
            modules: [Engine.Module(name: "t.rego", text: policy)], data: Array(#"{"xs": [1, 2, 3]}"#.utf8))
        let query = try engine.prepare("data.t.p")
        let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
            for thread in 0..<8 {
                group.addTask {
                    let json = Array(#"{"k": \#(thread), "names": ["ab", "b", "ac"]}"#.utf8)
                    let expected = #"{"n":\#(6 * thread),"s":"\#(6 * thread)-abac"}"#
                    var wrong = 0
                    for _ in 0..<2000 {
                        let result = try query.evaluate(json: json).map { String(decoding: $0, as: UTF8.self) }
                        if result != expected { wrong += 1 }
                    }
                    return wrong
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }
}
