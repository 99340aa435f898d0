import AiboxSystem
import Testing

@testable import AiboxConfig

@Suite("Strict YAML")
struct YAMLDocumentTests {
    /// A text that must be refused, and the beginning of the first complaint.
    struct Refused: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: [UInt8]
        var complaint: String
        var testDescription: String { name }

        init(_ name: String, _ text: String, _ complaint: String) {
            self.init(name, Array(text.utf8), complaint)
        }

        init(_ name: String, _ bytes: [UInt8], _ complaint: String) {
            self.name = name
            self.bytes = bytes
            self.complaint = complaint
        }
    }

    private static let laughs = (1...9).map { level in
        "l\(level): &l\(level) [" + Array(repeating: "*l\(level - 1)", count: 9).joined(separator: ",") + "]\n"
    }

    static let refused: [Refused] = [
        Refused("an anchor", "a: &x 1\n", "f:1:4: anchors are not allowed"),
        Refused("an alias", "a: *x\n", "f:1:4: aliases are not allowed"),
        Refused("billion laughs", "l0: &l0 [lol]\n" + laughs.joined(), "f:1:5: anchors are not allowed"),
        Refused("a tag", "a: !!str 1\n", "f:1:4: tags are not allowed"),
        Refused("a local tag on a mapping", "a: !x\n  b: 1\n", "f:1:4: tags are not allowed"),
        Refused("a version directive", "%YAML 1.1\n---\na: 1\n", "f:1:1: directives"),
        Refused("a tag directive", "%TAG ! tag:x,2000:\n---\na: 1\n", "f:1:1: directives"),
        Refused("two documents", "a: 1\n---\nb: 2\n", "f:2:1: a second document begins"),
        Refused("a key twice", "a: 1\nb: 2\na: 3\n", "f:3:1: the key \"a\" is already given in line 1"),
        Refused("a key twice, once quoted", "a: 1\n\"a\": 3\n", "f:2:1: the key \"a\" is already given in line 1"),
        Refused("a key twice in flow style", "{a: 1, a: 2}\n", "f:1:8: the key \"a\" is already given in line 1"),
        Refused("a key twice below", "s:\n  a: 1\n  a: 3\n", "f:3:3: the key \"a\" is already given in line 2"),
        Refused("a list as a key", "? [a]\n: 1\n", "f:1:3: a key must be a text, not a list"),
        Refused("a tab that indents", "a:\n\tb: 1\n", "f:2:1: a tab cannot indent"),
        Refused("a NUL", "a: \u{0}\n", "f:1:4: the file contains a NUL byte"),
        Refused("a NUL after the end", "a: 1\n...\n\u{0}", "f:3:1: the file contains a NUL byte"),
        Refused("an escape character", "a: \u{1b}[2J\n", "f:1:4: the control character U+001B"),
        Refused("a C1 control", "a: \u{9b}\n", "f:1:4: the control character U+009B"),
        Refused("a line separator", "a: 1\u{2028}b: 2\n", "f:1:5: the line separator U+2028"),
        Refused("a lone carriage return", "a: 1\rb: 2\n", "f:1:5: a carriage return"),
        Refused("text that reads backwards", "a: \u{202e}1\n", "f:1:4: the text direction control U+202E"),
        Refused("a byte order mark within", "a: 1\n\u{feff}b: 2\n", "f:2:1: a byte order mark"),
        Refused("UTF-16", [0xff, 0xfe, 0x61, 0x00], "f:1:1: the file is UTF-16"),
        Refused("UTF-16, big endian", [0xfe, 0xff, 0x00, 0x61], "f:1:1: the file is UTF-16"),
        Refused("Latin 1", [0x61, 0x3a, 0x20, 0xe4, 0x0a], "f:1:4: the bytes are not valid UTF-8"),
        Refused("an overlong form", [0xc0, 0x80], "f:1:1: the bytes are not valid UTF-8"),
        Refused("a surrogate", [0xed, 0xa0, 0x80], "f:1:1: the bytes are not valid UTF-8"),
        Refused("a cut character", [0x61, 0xe2, 0x82], "f:1:2: the bytes are not valid UTF-8"),
        Refused("a program", [0x7f, 0x45, 0x4c, 0x46, 0x02], "f:1:1: the control character U+007F"),
        Refused("an open bracket", "a: [1, 2\n", "f:2:1: "),
        Refused("an open quote", "a: \"x\nb: 1\n", "f:"),
        Refused("wrong indentation", "a: 1\n  b: 2\n", "f:2:4: "),
        Refused("100,000 lists in lists", String(repeating: "[", count: 100_000), "f:1:33: the document nests deeper"),
        Refused("100,000 mappings in mappings", String(repeating: "{a: ", count: 100_000), "f:1:"),
        Refused("100,000 block lists", String(repeating: "- ", count: 100_000), "f:1:65: the document nests deeper"),
        Refused("100,000 complex keys", String(repeating: "? ", count: 100_000), "f:1:"),
        Refused("two megabytes", "# " + String(repeating: "x", count: 2 << 20), "f: the file has"),
        Refused("too many values", "[" + String(repeating: "1,", count: 100_001) + "]", "f:1:"),
    ]

    @Test("what can hide something is refused with its place", arguments: refused)
    func refusal(row: Refused) throws {
        let start = ContinuousClock.now
        let (_, problems) = YAMLDocument.read(row.bytes, file: "f")
        #expect(ContinuousClock.now - start < .seconds(10))
        let first = try #require(problems.first).description
        #expect(first.hasPrefix(row.complaint), "\(first)")
        #expect(throws: AiboxError.self) { try YAMLDocument(row.bytes, file: "f") }
    }

    @Test(
        "what is ordinary is read",
        arguments: [
            ("a byte order mark", "\u{feff}a: 1\n"), ("CRLF", "a: 1\r\nb:\r\n  - 2\r\n"),
            ("a document start", "---\na: 1\n"),
            ("a document end", "a: 1\n...\n"), ("nothing", ""), ("comments alone", "# x\n\n# y\n"),
            ("no last line end", "a: 1"),
            ("text beyond ASCII", "a: \"grün 🐳\"\n"), ("block texts", "a: |\n  x\n  y\nb: >-\n  z\n"),
            ("a tab between words", "a: x\ty\n"),
            ("32 levels", String(repeating: "[", count: 32) + String(repeating: "]", count: 32)),
        ])
    func accepted(name: String, text: String) throws {
        #expect(YAMLDocument.read(Array(text.utf8), file: "f").problems.isEmpty)
    }

    @Test("all problems that do not end the reading are found at once")
    func several() {
        let text = "a: &x 1\nb: !!int 2\na: 3\nc: *x\n"
        let (_, problems) = YAMLDocument.read(Array(text.utf8), file: "f")
        #expect(problems.map { $0.position?.line } == [1, 2, 3, 4])
    }

    @Test("the bytes of a value are exactly its text, whatever characters precede it")
    func places() throws {
        let text = "\u{feff}# größer 🐳\r\n\"käse\":\r\n  b: plain  # c\r\n  l: ['x', \"y\"]\r\n  e:\r\n"
        let bytes = Array(text.utf8)
        let root = try #require(try YAMLDocument(bytes, file: "f").root)
        guard case .mapping(let outer, _) = root.content, case .mapping(let inner, _) = outer[0].value.content else {
            Issue.record("no mapping")
            return
        }
        func slice(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        #expect(outer[0].key == "käse")
        #expect(slice(outer[0].bytes) == "\"käse\"")
        #expect(slice(inner[0].value.bytes) == "plain")
        #expect(inner[0].position == TextPosition(line: 3, column: 3))
        #expect(slice(inner[1].value.bytes) == "['x', \"y\"]")
        #expect(slice(inner[2].value.bytes) == "")
        #expect(bytes[inner[2].value.bytes.lowerBound - 1] == UInt8(ascii: ":"))
    }

    @Test(
        "plain words mean what YAML 1.2's core schema says",
        arguments: [
            ("", YAMLScalar.Meaning.nothing), ("~", .nothing), ("null", .nothing), ("true", .boolean(true)),
            ("False", .boolean(false)), ("yes", .text("yes")), ("off", .text("off")), ("12", .integer(12)),
            ("-3", .integer(-3)), ("+7", .integer(7)), ("012", .integer(12)), ("1.5", .number), ("1e3", .number),
            (".5", .number), ("0x1f", .number), ("0o17", .number), ("1_000", .number), (".inf", .number),
            ("-.INF", .number),
            (".nan", .number), ("99999999999999999999", .number), ("1.2.3", .text("1.2.3")), ("24.04", .number),
            ("8g", .text("8g")), ("-", .text("-")), ("1-2", .text("1-2")), (".", .text(".")), ("e3", .text("e3")),
        ])
    func meaning(text: String, meaning: YAMLScalar.Meaning) {
        #expect(YAMLScalar(text: text, style: .plain).meaning == meaning)
        #expect(YAMLScalar(text: text, style: .quoted).meaning == .text(text))
    }
}
