import AiboxConfig
import AiboxSystem
import Testing

@Suite("Reading a mapping")
struct YAMLMappingTests {
    enum Mode: String, CaseIterable { case allow, review, deny }

    @Test("right values are read")
    func values() throws {
        let text = "on: true\nn: 3\nt: word\nmode: review\nl: [a, 'b']\nm:\n  x: 1\nr:\n  - x: 1\n  - x: 2\n"
        let problems = ProblemCollector()
        let root = YAMLMapping(
            try YAMLDocument(Array(text.utf8), file: "f"), keys: ["on", "n", "t", "mode", "l", "m", "r", "none"],
            problems)
        #expect(root.boolean("on") == true)
        #expect(root.integer("n", in: 1...3) == 3)
        #expect(root.text("t") == "word")
        #expect(root.choice("mode", of: Mode.self) == .review)
        #expect(root.texts("l") == ["a", "b"])
        #expect(root.mapping("m", keys: ["x"])?.integer("x") == 1)
        #expect(root.mappings("r", keys: ["x"])?.map { $0.integer("x") } == [1, 2])
        #expect(root.text("none") == nil)
        #expect(problems.problems.isEmpty)
    }

    @Test("every mistake is collected with its place and the nearest key")
    func mistakes() throws {
        let text = """
            on: "true"
            n: 9
            t: 12
            mode: revew
            l: [a, 2]
            m: [x]
            r:
              - y: 1
              - z
            moed: deny
            """
        let problems = ProblemCollector()
        let root = YAMLMapping(
            try YAMLDocument(Array(text.utf8), file: "f"), keys: ["on", "n", "t", "mode", "l", "m", "r", "need"],
            problems)
        root.require("need")
        #expect(root.boolean("on") == nil)
        #expect(root.integer("n", in: 1...3) == nil)
        #expect(root.text("t") == nil)
        #expect(root.choice("mode", of: Mode.self) == nil)
        #expect(root.texts("l") == ["a"])
        #expect(root.mapping("m", keys: ["x"])?.integer("x") == nil)
        #expect(root.mappings("r", keys: ["x"])?.count == 2)
        #expect(
            problems.ordered.map(\.description) == [
                "f:1:1: need is missing",
                "f:1:5: on must be true or false, not the text \"true\"",
                "f:2:4: n must be from 1 to 3, not 9",
                "f:3:4: t must be a text, not the number 12; put it in quotes if it is meant",
                "f:4:7: mode must be allow, review or deny, not \"revew\"; did you mean review?",
                "f:5:8: l[1] must be a text, not the number 2; put it in quotes if it is meant",
                "f:6:4: m must be a mapping, not a list",
                "f:8:5: unknown key r[0].y; did you mean x?",
                "f:9:5: r[1] must be a mapping, not the text \"z\"",
                "f:10:1: unknown key moed; did you mean mode?",
            ])
    }

    @Test("a document that is a list is no mapping; an empty one is an empty mapping")
    func roots() throws {
        let problems = ProblemCollector()
        _ = YAMLMapping(try YAMLDocument(Array("- a\n".utf8), file: "f"), keys: [], problems)
        #expect(problems.ordered.map(\.description) == ["f:1:1: the document must be a mapping, not a list"])
        let none = ProblemCollector()
        _ = YAMLMapping(try YAMLDocument(Array("# nothing\n".utf8), file: "f"), keys: ["a"], none)
        #expect(none.problems.isEmpty)
    }

    @Test(
        "the nearest name is near",
        arguments: [
            ("memroy", "memory"), ("cpu", "cpus"), ("CPUS", "cpus"), ("tmpsize", "tmp_size"),
            ("memory_limit_total", nil),
            ("x", nil), ("", nil), ("pid", "pids"),
        ] as [(String, String?)])
    func nearest(name: String, expected: String?) {
        #expect(NearestName.of(name, among: ["cpus", "memory", "pids", "tmp_size"]) == expected)
    }

    @Test("one problem stands in the error's line, several below it")
    func errors() {
        let place = TextPosition(line: 2, column: 3)
        #expect(AiboxError(.failed, "no", problems: []) == nil)
        let one = AiboxError(.failed, "cannot use it", problems: [Problem("f", place, "bad")])
        #expect(one?.description == "cannot use it: f:2:3: bad")
        let two = AiboxError(
            .failed, "cannot use it", problems: [Problem("f", place, "bad"), Problem("V", nil, "worse")])
        #expect(two?.description == "cannot use it: 2 problems\n  f:2:3: bad\n  V: worse")
    }
}
