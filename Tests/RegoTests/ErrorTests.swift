import Rego
import Testing

@Suite struct ErrorTests {
    /// Description, policy, code (nil: accepted).
    static let cases: [(String, String, String?)] = [
        ("body without if", "p { true }", "rego_parse_error"),
        ("partial set without contains", "p[x] { x := 1 }", "rego_parse_error"),
        ("unclosed array", "p := [1,", "rego_parse_error"),
        ("leading zero", "p := 01", "rego_parse_error"),
        ("unclosed string", "p := \"a", "rego_parse_error"),
        ("chained unification", "p if { x = 1 = 2 }", "rego_parse_error"),
        ("double negation", "p if { not not true }", "rego_parse_error"),
        ("some without a name", "p if { some }", "rego_parse_error"),
        ("three names before in", "p if { some x, y, z in [1] }", "rego_parse_error"),
        ("variable in a default", "default p := x", "rego_parse_error"),
        ("keyword as a rule's name", "if := 1", "rego_parse_error"),
        ("unknown import root", "import foo.bar", "rego_parse_error"),
        ("empty comprehension body", "p := {x | }", "rego_parse_error"),
        ("two literals in one row", "p if { x := 1 y := 2 }", "rego_parse_error"),
        ("empty braces are an object", "p if { }", nil),
        ("free variable", "p if { x > 1 }", "rego_unsafe_var_error"),
        ("variable only under not", "p if { not input.x[i] }", "rego_unsafe_var_error"),
        ("variable only in a set pattern", "p if { {x} = input.s }", "rego_unsafe_var_error"),
        ("head variable without a body", "p := [x, 1]", "rego_unsafe_var_error"),
        ("lookup in the head iterates", "p := input[x]", nil),
        ("assigned twice", "p if { x := 1; x := 2 }", "rego_compile_error"),
        ("assigned after use", "p if { x == 1; x := 1 }", "rego_compile_error"),
        ("declared and unused", "p if { some x; true }", "rego_compile_error"),
        ("argument assigned", "f(x) := 1 if { x := 2 }\np := f(1)", "rego_compile_error"),
        ("input shadowed", "p if { input := 1 }", "rego_compile_error"),
        ("partial replacement of a rule", "p if { data.t.q with data.t.q.r as 1 }\nq := 2", "rego_compile_error"),
        ("comparison of unlike constants", "p if { 1 == \"a\" }", "rego_type_error"),
        ("operand a built-in never takes", "p := upper(1)", "rego_type_error"),
        ("wrong number of operands", "p := count([1], 2, 3)", "rego_type_error"),
        ("values under with keep their types", "q := 1\np if q == \"a\" with input as 1", "rego_type_error"),
        ("a replaced document may have any type", "q := 1\np if q == \"a\" with data.t.q as \"a\"", nil),
        ("unlike values differ", "p if 1 != \"a\"", nil),
        ("a function's name as input", "p if input.x with input as count", "rego_unsafe_var_error"),
        ("else behind a head with variables", "p[x] := 1 if x := 1 else := 2", "rego_parse_error"),
        ("a call in the arguments", "f(count(1)) := 1", "rego_compile_error"),
        ("undefined function", "p := foo.bar(1)", "rego_type_error"),
        ("function used as a value", "f(x) := x\np := f", "rego_type_error"),
        ("key that is not there", "p := {\"a\": 1}.b", "rego_type_error"),
        ("rules that conflict", "p := 1\np contains 2", "rego_type_error"),
        ("two defaults", "default p := 1\ndefault p := 2", "rego_type_error"),
        ("deprecated built-in", "p := set_diff({1}, {2})", "rego_type_error"),
        ("unknown with target", "p if { true with foo as 2 }", "rego_type_error"),
        ("argument of a function that its body cannot take", "f(x) := upper(x)\np := f(1)", "rego_type_error"),
        ("direct recursion", "p if { not p }", "rego_recursion_error"),
        ("mutual recursion", "p if { q }\nq if { p }", "rego_recursion_error"),
        ("recursion through a variable", "p if { data.t[x] }", "rego_recursion_error"),
        ("siblings below one head are no recursion", "p.a := 1\np.b := p.a", nil),
        ("two values for a rule", "p := x if { some x in [1, 2] }", "eval_conflict_error"),
        ("two values for a key", "p := {k: v | some v in [1, 2]; k := 1}", "eval_conflict_error"),
        ("division by zero", "p := 1 / input.x", "eval_builtin_error"),
        ("operand of a wrong type", "p := count(input.x)", "eval_type_error"),
    ]

    @Test(arguments: cases)
    func hasItsCode(_ what: String, _ policy: String, _ code: String?) {
        #expect(errorCode(policy, input: #"{"x": 0}"#) == code, "\(what)")
    }

    @Test func errorsNameFileAndRow() {
        #expect {
            try Engine(modules: [Engine.Module(name: "a.rego", text: "package t\n\np if {\n  x > 1\n}")])
        } throws: { error in
            (error as? RegoErrors)?.description == "a.rego:4: rego_unsafe_var_error: var x is unsafe"
        }
    }

    @Test func allErrorsOfAStageAreReported() {
        #expect {
            try Engine(modules: [Engine.Module(name: "a.rego", text: "package t\np if x\nq if y")])
        } throws: { error in
            (error as? RegoErrors)?.errors.count == 2
        }
    }
}
