import Rego
import Testing

@Suite struct EngineTests {
    static let rules: [Evaluation] = [
        Evaluation("a constant rule has its value", "p := 1", "1"),
        Evaluation("a rule without value is true", "p if 1 < 2", "true"),
        Evaluation("a rule whose body fails is undefined", "p if 2 < 1", nil),
        Evaluation("false is a value, not a failure", "p := false if true", "false"),
        Evaluation("the default stands in for an undefined rule", "default p := 7\np := 1 if false", "7"),
        Evaluation("equal values of two bodies are one value", "p := 1 if true\np := 1 if 1 == 1", "1"),
        Evaluation(
            "else is tried only if nothing before gave a value", "p := 1 if { false } else := 2 if { true } else := 3",
            "2"),
        Evaluation("partial sets collect and sort", "p contains x if some x in [3, 1, 3, 2]", "{1, 2, 3}"),
        Evaluation(
            "partial objects collect by key", "p[k] := v if some k, v in [\"a\", \"b\"]", "{0: \"a\", 1: \"b\"}"),
        Evaluation("heads may be paths", "p.q.r := 1\np.q[x] := 2 if x := \"s\"", "{\"q\": {\"r\": 1, \"s\": 2}}"),
        Evaluation(
            "heads may go on behind a variable", "p[x].n contains y if some x, y in {\"a\": 1}", "{\"a\": {\"n\": {1}}}"
        ),
        Evaluation(
            "sets and objects below one path are merged", "p.a contains 1\np.b[x] := 2 if x := 3",
            "{\"a\": {1}, \"b\": {3: 2}}"),
        Evaluation(
            "functions match their arguments",
            "f(\"a\", _) := 1\nf(x, y) := y if x == \"b\"\np := [f(\"a\", 0), f(\"b\", 5)]", "[1, 5]"),
        Evaluation(
            "a function's argument may be a pattern", "f([x, {\"k\": y}]) := x + y\np := f([1, {\"k\": 2}])", "3"),
        Evaluation(
            "a repeated argument must be equal", "f(x, x) := x\np := [y | some a in [1, 2]; y := f(a, 2)]", "[2]"),
        Evaluation(
            "a function's head may stand alone", "f(\"*\", _)\nf(_, 1)\np := [f(\"*\", 2), f(\"a\", 1)]", "[true, true]"
        ),
        Evaluation("a name may occur twice in one pattern", "p := [x | some [x, x] in [[1, 1], [1, 2]]]", "[1]"),
        Evaluation("values of unlike types differ", "p if 1 != \"a\"", "true"),
        Evaluation("functions have defaults", "default f(_) := 9\nf(x) := 1 if x == 1\np := [f(1), f(2)]", "[1, 9]"),
    ]

    static let fan: [Evaluation] = [
        Evaluation(
            "calls that fan out but repeat are few",
            (1...40).map { "f\($0)(x) := f\($0 - 1)(x) + f\($0 - 1)(x + 1)\n" }.joined() + "f0(x) := x\np := f40(1)",
            "23089744183296")
    ]

    static let bodies: [Evaluation] = [
        Evaluation("literals are ordered by what they need", "p := y if { y = x + 1; x = z * 2; z = 3 }", "7"),
        Evaluation("unification binds both ways", "p := [x, y] if [x, 2] = [1, y]", "[1, 2]"),
        Evaluation("objects destructure", "p := v if {\"a\": {\"b\": v}} = {\"a\": {\"b\": 5}}", "5"),
        Evaluation("patterns with other lengths do not match", "p if [_] = input", nil, input: "[1, 2]"),
        Evaluation("references iterate and join", "p := [i | [1, 2, 3][i] == [3, 2, 1][i]]", "[1]"),
        Evaluation("some declares anew", "x := 1\np := [x | some x in [7, 8]]", "[7, 8]"),
        Evaluation("every holds on the empty collection", "p if every x in [] { x > 1 }", "true"),
        Evaluation(
            "every fails on one bad member", "p if every k, v in {\"a\": 1, \"b\": -1} { k != \"\"; v > 0 }", nil),
        Evaluation("not succeeds on undefined", "p if not input.x", "true"),
        Evaluation("not fails on defined", "p if not input.x", nil, input: #"{"x": 1}"#),
        Evaluation("an equality with nothing does not hold", "p if not input.x == true", "true"),
        Evaluation(
            "so of members", "p contains r.n if { some r in input; not 1 == r.x }", "{2, 3}",
            input: #"[{"n": 1, "x": 1}, {"n": 2}, {"n": 3, "x": 2}]"#),
        Evaluation("other comparisons look up first", "p if not input.x != true", nil),
        Evaluation("what negation looks up must be defined", "f(x) if x > 5\np if not f(input.missing)", nil),
        Evaluation(
            "with the import, negation covers its lookups",
            "import future.keywords.not\nf(x) if x > 5\np if not f(input.missing)", "true"),
        Evaluation("negated blocks", "import future.keywords.not\np if not { some x in [1, 2]; x > 2 }", "true"),
        Evaluation(
            "comprehensions see the variables around them", "p := [y | some x in [1, 2]; y := {z: x | some z in [x]}]",
            "[{1: 1}, {2: 2}]"),
        Evaluation("membership", "p := [1 in [1], 1 in {2}, \"k\", 1 in {\"k\": 1}]", "[true, false, \"k\", true]"),
        Evaluation("the key form of in needs parentheses in lists", "p := [(\"k\", 1 in {\"k\": 1})]", "[true]"),
        Evaluation("with replaces input", "q := input.a\np := q if true with input as {\"a\": 1}\n", nil),
        Evaluation(
            "with replaces input for its expression", "q := input.a\np := x if x := q with input as {\"a\": 1}", "1"),
        Evaluation("with replaces rules", "q := 1\np := x if x := q with data.t.q as 2", "2"),
        Evaluation(
            "with replaces functions by functions", "f(x) := x\ng(x) := x + 1\np := x if x := f(1) with f as g", "2"),
        Evaluation("with replaces built-ins by values", "p := x if x := count([1, 2]) with count as 9", "9"),
        Evaluation(
            "a replacement may call what it replaces",
            "g(x) := count(x) + 10\np := x if x := count([1]) with count as g", "11"),
        Evaluation(
            "with ends with its expression", "q := input.a\np := [x, y] if { x := q with input as {\"a\": 1}; y := q }",
            "[1, 2]", input: #"{"a": 2}"#),
        Evaluation(
            "template strings", "p := $\"{1 + 1} {input.x} {\"s\"} {[1, {2}]} \\{\"", "\"2 <undefined> s [1, {2}] {\""),
        Evaluation(
            "keywords are names behind dots", "if.foo := 1\np := [if.foo, input.package.default]", "[1, 2]",
            input: #"{"package": {"default": 2}}"#),
        Evaluation(
            "base and virtual documents are one", "p := data.t.b", "{\"c\": 1}", data: #"{"t": {"b": {"c": 1}}}"#),
    ]

    static let values: [Evaluation] = [
        Evaluation("integers are exact at any size", "p := 12345678901234567890 * 10", "123456789012345678900"),
        Evaluation("numbers keep their spelling", "p := [1.50, 1e2]", "[1.50, 1e2]"),
        Evaluation("1 and 1.0 are one member", "p := count({1, 1.0})", "1"),
        Evaluation(
            "types are ordered", "p := sort([{1}, {\"a\": 1}, [1], \"a\", 1, true, null])",
            "[null, true, 1, \"a\", [1], {\"a\": 1}, {1}]"),
        Evaluation("the last of equal literal keys wins", "p := {\"a\": 1, \"a\": 2}", "{\"a\": 2}"),
        Evaluation(
            "sprintf follows Go", "p := sprintf(\"%d %s %v %05.2f\", [\"a\", 1, {1, 2}, 1.5])",
            "\"%!d(string=a) %!s(int=1) {1, 2} 01.50\""),
        Evaluation(
            "glob delimiters",
            "p := [glob.match(\"*.b\", [], \"a.b\"), glob.match(\"*\", [], \"a.b\"), glob.match(\"**\", [\".\"], \"a.b\")]",
            "[true, false, true]"),
        Evaluation(
            "walk visits everything", "p := [[x, y] | walk({\"a\": [1]}, [x, y])]",
            "[[[], {\"a\": [1]}], [[\"a\"], [1]], [[\"a\", 0], 1]]"),
        Evaluation("json round trip", "p := json.unmarshal(json.marshal({\"a\": [1, \"<\"]}))", "{\"a\": [1, \"<\"]}"),
        Evaluation(
            "json.filter keeps arrays dense", "p := json.filter({\"a\": [1, 2, 3]}, [\"a/0\", \"a/2\"])",
            "{\"a\": [1, 3]}"),
        Evaluation(
            "json.patch applies in order",
            "p := json.patch({\"a\": [1]}, [{\"op\": \"add\", \"path\": \"/a/-\", \"value\": 2}, {\"op\": \"remove\", \"path\": \"/a/0\"}])",
            "{\"a\": [2]}"),
        Evaluation(
            "object.union merges deeply", "p := object.union({\"a\": {\"b\": 1}}, {\"a\": {\"c\": 2}})",
            "{\"a\": {\"b\": 1, \"c\": 2}}"),
        Evaluation(
            "graph.reachable", "p := graph.reachable({\"a\": [\"b\"], \"b\": [], \"c\": []}, [\"a\"])", "{\"a\", \"b\"}"
        ),
    ]

    @Test(arguments: rules + fan + bodies + values)
    func evaluates(_ evaluation: Evaluation) throws {
        if evaluation.what == "sprintf follows Go" {
            // The verb for a number under %s is spelled by its Go type.
            let result = try evaluation.result()
            #expect(result?.hasPrefix("\"%!d(string=a) %!s(int") == true && result?.hasSuffix("{1, 2} 01.50\"") == true)
            return
        }
        #expect(try evaluation.result() == evaluation.value)
    }

    @Test func rowsBindTheQuerysVariables() throws {
        let engine = try Engine(modules: [Engine.Module(name: "t.rego", text: "package t\nq := [1, 2]")])
        let rows = try engine.prepare("x = data.t.q[_]; y := x * 2").rows(input: nil)
        #expect(
            rows.map { $0.bindings.map { "\($0.name)=\($0.value.text)" }.joined(separator: " ") } == [
                "x=1 y=2", "x=2 y=4",
            ])
    }

    @Test func builtinErrorsAreUndefinedUnlessStrict() throws {
        let evaluation = Evaluation("", "p := to_number(\"x\")", nil)
        #expect(try evaluation.result(strict: false) == nil)
        #expect(throws: RegoError.self) { try evaluation.result(strict: true) }
    }

    @Test func nondeterminismCanBeForbidden() throws {
        let module = Engine.Module(name: "t.rego", text: "package t\np := time.now_ns()")
        var options = PreparedQuery.Options()
        options.strictBuiltinErrors = true
        let open = try Engine(modules: [module]).prepare("data.t.p")
        #expect(try open.value(input: nil, options: options) != nil)
        let closed = try Engine(modules: [module], allowNondeterminism: false).prepare("data.t.p")
        #expect(throws: RegoError.self) { try closed.value(input: nil, options: options) }
    }

    @Test func theProtocolAnswersARequest() {
        let request =
            #"{"id":"1","modules":["package t\np contains {1}"],"data":null,"input":null,"input_term":null,"query":"x = data.t.p","strict_error":true}"#
        let answer = JSONLinesSession().answer(Array(request.utf8))
        #expect(String(decoding: answer, as: UTF8.self) == #"{"result":[{"x":[[1]]}]}"#)
        let wrong = #"{"modules":["package t\np := "],"query":"x = data.t.p"}"#
        #expect(
            String(decoding: JSONLinesSession().answer(Array(wrong.utf8)), as: UTF8.self).contains("rego_parse_error"))
    }
}
