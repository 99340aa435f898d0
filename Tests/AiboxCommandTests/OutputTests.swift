import AiboxConfig
import AiboxSystem
import Testing

@testable import aibox

@Suite("Answers")
struct OutputTests {
    private static let listing = Answer.listing(
        Listing(
            columns: ["name", "ssh_port", "memory", "since", "note"],
            rows: [
                ["one", 2222, .size(ByteSize(gibibytes: 8)), .time(Timestamp(seconds: 0)), .null],
                ["two", 2223, .size(ByteSize(bytes: 1000)), .time(Timestamp(seconds: 1)), "a\tb\nc\u{1b}[31m\u{202e}"],
            ]))

    @Test("piped: no header, one tab between columns, one line a row whatever the cells hold")
    func piped() {
        let text = Output.render(Self.listing, as: .text, for: .pipe)
        let rows = text.split(separator: "\n").map { $0.split(separator: "\t") }
        #expect(rows.map(\.count) == [5, 5])
        #expect(rows[0][2] == "8g" && rows[0][4] == "-")
        #expect(rows[1][4] == "a\\tb\\nc\\u{1b}[31m\\u{202e}")
    }

    @Test("on a terminal: header, aligned columns, colour only if wanted")
    func terminal() {
        let answer = Answer.listing(Listing(columns: ["key", "ssh_port"], rows: [["a", 1], ["long", 22]]))
        let plain = Output.render(answer, as: .text, for: Audience(isTerminal: true, colours: false, width: 80))
        #expect(plain == "KEY   SSH PORT\na     1\nlong  22\n")
        let colour = Output.render(answer, as: .text, for: Audience(isTerminal: true, colours: true, width: 80))
        #expect(colour.hasPrefix("\u{1b}[1mKEY   SSH PORT\u{1b}[0m\n"))
    }

    @Test("a table fits the terminal; the widest column gives way", arguments: [20, 30, 40, 60])
    func fits(width: Int) {
        let answer = Answer.listing(
            Listing(columns: ["a", "b"], rows: [["short", .text(String(repeating: "x", count: 50))]]))
        let text = Output.render(answer, as: .text, for: Audience(isTerminal: true, colours: false, width: width))
        for line in text.split(separator: "\n") { #expect(line.count <= width) }
        #expect(text.contains("short"))
        #expect(text.contains("…") == (width < 57))
    }

    @Test("JSON: an array of objects, sizes in bytes, moments in UTC, nothing as null")
    func json() {
        let text = Output.render(Self.listing, as: .jsonl, for: .pipe)
        #expect(
            text == """
                {"name":"one","ssh_port":2222,"memory":8589934592,"since":"1970-01-01T00:00:00.000000000Z","note":null}
                {"name":"two","ssh_port":2223,"memory":1000,"since":"1970-01-01T00:00:01.000000000Z","note":"a\\tb\\nc\\u001b[31m‮"}

                """)
        let none = Answer.listing(Listing(columns: ["a"], rows: []))
        #expect(Output.render(none, as: .json, for: .pipe) == "[]\n")
        #expect(Output.render(none, as: .jsonl, for: .pipe) == "")
        #expect(Output.render(none, as: .text, for: Audience(isTerminal: true, colours: true, width: 80)) == "")
    }

    @Test(
        "JSON is indented by two spaces, and strings are escaped",
        arguments: [
            (OutputValue.object([]), "{}"), (.list([1, .boolean(true)]), "[\n  1,\n  true\n]"),
            (.object([.init("a", .object([.init("b", "c")]))]), "{\n  \"a\": {\n    \"b\": \"c\"\n  }\n}"),
            ("q\"b\\n\u{0}\u{7f}\u{85}é\u{2028}", "\"q\\\"b\\\\n\\u0000\\u007f\\u0085é\\u2028\""),
            (.number(1.5), "1.5"),
            (.number(.nan), "null"),
        ])
    func documents(value: OutputValue, json: String) {
        #expect(value.json(indented: true) == json)
    }

    @Test("no character that moves, hides or reorders text reaches the terminal")
    func escaping() {
        for value in UInt32(0)...0x2100 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = SafeText.escaped("a\(Character(scalar))b")
            let properties = scalar.properties.generalCategory
            if properties == .unassigned { continue }
            let isHidden = [.control, .format, .lineSeparator, .paragraphSeparator].contains(properties)
            // Soft hyphen and the joiners of Arabic numbers print as nothing and change no order.
            if isHidden, !(0x600...0x605).contains(value),
                ![0xad, 0x6dd, 0x70f, 0x890, 0x891, 0x8e2, 0x180e].contains(value)
            {
                #expect(!text.unicodeScalars.contains(scalar), "U+\(String(value, radix: 16))")
            } else if !isHidden {
                #expect(text.unicodeScalars.contains(scalar), "U+\(String(value, radix: 16))")
            }
        }
        #expect(SafeText.escaped("a\nb", keepingLines: true) == "a\nb")
    }
}
