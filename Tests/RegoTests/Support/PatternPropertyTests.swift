import AiboxTestSupport
import Testing

@testable import Rego

/// Expressions and globs against slow, obvious matchers, and against hostile input.
@Suite(.timeLimit(.minutes(10)))
struct PatternPropertyTests {
    /// Leftmost-first matching by plain backtracking over the syntax tree. No empty rounds of loops.
    private struct Oracle {
        let text: [UInt8]

        func first(_ node: RegexNode) -> Range<Int>? {
            for start in 0...text.count {
                var end: Int?
                if match(
                    node, start,
                    {
                        end = $0; return true
                    }), let end
                {
                    return start..<end
                }
            }
            return nil
        }

        private func match(_ node: RegexNode, _ at: Int, _ next: (Int) -> Bool) -> Bool {
            switch node {
            case .empty: return next(at)
            case .rune(let rune): return at < text.count && UInt32(text[at]) == rune && next(at + 1)
            case .any: return at < text.count && next(at + 1)
            case .anyButNewline: return at < text.count && text[at] != 10 && next(at + 1)
            case .set(let ranges):
                return at < text.count && ranges.contains { $0.contains(UInt32(text[at])) } && next(at + 1)
            case .assertion(let assertion):
                return text.withBytes { RegexContext.holds(Int32(assertion.rawValue), $0, at) } && next(at)
            case .capture(let node, _): return match(node, at, next)
            case .concat(let nodes): return match(nodes[...], at, next)
            case .alternate(let nodes): return nodes.contains { match($0, at, next) }
            case .repeated(let node, let min, let max, let greedy):
                return rounds(node, min, max, greedy, 0, at, next)
            }
        }

        private func match(_ nodes: ArraySlice<RegexNode>, _ at: Int, _ next: (Int) -> Bool) -> Bool {
            guard let node = nodes.first else { return next(at) }
            return match(node, at) { match(nodes.dropFirst(), $0, next) }
        }

        private func rounds(
            _ node: RegexNode, _ min: Int, _ max: Int?, _ greedy: Bool, _ done: Int, _ at: Int, _ next: (Int) -> Bool
        ) -> Bool {
            func again() -> Bool { match(node, at) { rounds(node, min, max, greedy, done + 1, $0, next) } }
            if done < min { return again() }
            if let max, done >= max { return next(at) }
            return greedy ? again() || next(at) : next(at) || again()
        }
    }

    private func expression(_ generator: inout SeededGenerator, depth: Int = 0) -> String {
        let atoms = ["a", "b", ".", "[ab]", "[^a]", "\\w", "c"]
        let marks = ["", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?"]
        return (0..<Int.random(in: 1...3, using: &generator)).map { _ in
            // Atoms never match nothing, so that loops over them always advance.
            let atom = atoms.randomElement(using: &generator) ?? "a"
            let inner = depth < 2 ? expression(&generator, depth: depth + 1) : "b"
            let group = [atom, atom, "(a\(inner))", "(?:\(inner)c|b)", "(\(inner)|ab)x"].randomElement(
                using: &generator)
            let place = ["", "", "", "", "\\b", "^", "$"].randomElement(using: &generator)
            return (place ?? "") + (group ?? atom) + (marks.randomElement(using: &generator) ?? "")
        }.joined()
    }

    @Test("All machines find what plain backtracking finds")
    func machinesAgree() throws {
        var generator = SeededGenerator(seed: 4)
        var matches = 0
        for _ in 0..<4000 {
            let pattern = expression(&generator)
            let text = generator.text(["a", "b", "c", "x", " ", "\n"], upTo: 9)
            guard let (node, _) = try? RegexParser.parse(pattern) else { continue }
            let expected = Oracle(text: Array(text.utf8)).first(node)
            let program = try RegexProgram(pattern)
            let matcher = RegexMatcher(program)
            let (slots, threads, decision) = text.withBytes { bytes in
                (
                    matcher.search(bytes, from: 0), RegexThreads(program).search(bytes, from: 0),
                    RegexAutomaton(program).matches(bytes)
                )
            }
            #expect(slots.map { $0[0]..<$0[1] } == expected, "\(pattern) on \(text)")
            #expect(threads == slots, "\(pattern) on \(text)")
            if let decision { #expect(decision == (expected != nil), "\(pattern) on \(text)") }
            if expected != nil { matches += 1 }
        }
        #expect(matches > 500)
    }

    @Test("Any bytes as a pattern end in an expression or an error")
    func anyPattern() {
        var generator = SeededGenerator(seed: 5)
        let pieces = [
            "(", ")", "[", "]", "{", "}", "*", "+", "?", "\\", "|", "^", "$", ".", "a", "é", "-", ",", "1", "0", ":",
            "P", "<", ">", "i", "p", "Q", "E", "x",
        ]
        for _ in 0..<5000 {
            let pattern = generator.text(pieces, upTo: 12)
            if let expression = try? RegularExpression(pattern) { _ = expression.findAll("aé1-\n", limit: -1) }
            _ = try? GlobPattern(pattern, delimiters: ["."]).matches("a.b")
            _ = try? GlobIntersection.intersects(pattern, "[a-c]*x+")
        }
    }

    @Test(
        "Expressions that ruin backtracking take no time",
        arguments: [
            "(a+)+$", "(a|a)*b", "(a*)*b", "(.*)(.*)(.*)(.*)(.*)[^a]", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$",
        ])
    func catastrophic(pattern: String) throws {
        let text = String(repeating: "a", count: 50_000) + "!"
        let expression = try RegularExpression(pattern)
        _ = expression.isMatch(text)
        _ = text.withBytes { expression.find($0) }
    }

    @Test(
        "Oversized expressions are refused",
        arguments: [
            String(repeating: "(", count: 5000),
            String(repeating: "(a", count: 2000) + String(repeating: ")", count: 2000),
            "((a{100}){100}){100}", "(x{1000}){2}", String(repeating: "(a{1000})", count: 1000),
        ])
    func oversized(pattern: String) {
        #expect(throws: SupportError.self) { try RegularExpression(pattern) }
    }

    @Test("A glob gives the same answer by stars and by automaton")
    func globFormsAgree() throws {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<4000 {
            let pattern = generator.text(["a", "b", ".", "*", "?", "**", "/"], upTo: 7)
            let text = generator.text(["a", "b", ".", "/", "é"], upTo: 9)
            // An alternative that can never match sends the pattern to the automaton.
            let simple = try GlobPattern(pattern, delimiters: ["."])
            let general = try GlobPattern("{\(pattern),\u{1F600}}", delimiters: ["."])
            #expect(simple.matches(text) == general.matches(text), "\(pattern) on \(text)")
        }
    }

    @Test(
        "A delimiter is never crossed by a single star, unlike in OPA",
        arguments: [
            ("?*", "a.b", false), ("*?", "a/b", false), ("?*?", "a/b", false), ("?", "", false), ("***", "", true),
        ])
    func globsDifferFromOPA(pattern: String, text: String, expected: Bool) throws {
        #expect(try GlobPattern(pattern, delimiters: [".", "/"]).matches(text) == expected)
    }

    @Test("Globs with many stars stay fast")
    func manyStars() throws {
        let text = String(repeating: "a", count: 20_000)
        let patterns = [String(repeating: "*a", count: 12) + "b", String(repeating: "**a", count: 50) + "b"]
        let globs = try patterns.map { try GlobPattern($0, delimiters: ["."]) }
        for glob in globs { #expect(!glob.matches(text)) }
    }
}
