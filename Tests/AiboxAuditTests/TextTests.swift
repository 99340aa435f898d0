import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxAudit

@Suite("Text from outside in the log")
struct TextTests {
    private let fixture: LogFixture

    init() throws { fixture = try LogFixture() }

    /// The last line of the log after appending one event, as bytes and as JSON.
    private func logged(_ event: AuditEvent) throws -> (bytes: [UInt8], json: JSONValue) {
        let log = try fixture.open()
        try log.append(event)
        try log.close()
        let line = try #require(try fixture.lines().last)
        #expect(try fixture.verify().finding == nil)
        return (line, try JSONParser.parse(line))
    }

    static let nasty: [[UInt8]] = [
        Array("plain".utf8), Array("two\nlines\r\n\ttab".utf8), Array(0...0x1f), [0x7f],
        Array("\u{1b}[2J\u{9b}31m".utf8),
        Array(#"quote " backslash \ slash / \n \u0041"#.utf8),
        Array("right\u{202e}to\u{2066}left\u{200b}\u{feff}".utf8),
        Array("\u{2028}\u{2029}".utf8), Array("ünïcödé 漢字 🦜".utf8), Array("\u{10FE80}\u{10FEFF}\u{10FFFF}".utf8),
        [0xff, 0xfe], [0x61, 0x80, 0x62], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82],
        [0xf0, 0x9f, 0xa6], Array("\u{e0041}\u{e007f}".utf8),
        Array(#"","prev":"0000000000000000000000000000000000000000000000000000000000000000","mac":"00"}"#.utf8), [],
    ]

    @Test("any bytes come back as they were, and the line stays one printable line", arguments: nasty)
    func carried(bytes: [UInt8]) throws {
        let text = AuditText.carried(bytes)
        #expect(AuditText.bytes(text) == bytes)
        let (line, json) = try logged(
            AuditEvent(.toolInvoke, subject: text, details: ["argv": .array([.string(text)])]))
        #expect(!line.contains { $0 < 0x20 || $0 == 0x7f })
        let shown = String(decoding: line, as: UTF8.self)
        #expect(shown.unicodeScalars.allSatisfy { !$0.properties.isBidiControl && !(0x80...0x9f).contains($0.value) })
        #expect(AuditText.bytes(try #require(json["subject"]?.stringValue)) == bytes)
        #expect(AuditText.bytes(try #require(json["details"]?["argv"]?.elements?.first?.stringValue)) == bytes)
        #expect(json["truncated"] == nil)
    }

    @Test("random bytes come back as they were")
    func random() throws {
        for _ in 0..<2000 {
            let bytes = try SecureRandom.bytes(Int.random(in: 0...12))
            #expect(AuditText.bytes(AuditText.carried(bytes)) == bytes)
        }
    }

    @Test("a text of 64 KiB is kept whole; a longer one is cut at a character, with its length and digest told")
    func long() throws {
        let fits = String(repeating: "x", count: 65_536)
        let (_, whole) = try logged(AuditEvent(.falcoAlert, subject: "r", details: ["output": .string(fits)]))
        #expect(whole["details"]?["output"]?.stringValue == fits)
        #expect(whole["truncated"] == nil)

        let longer = String(repeating: "ü", count: 40_000)
        let (_, cut) = try logged(
            AuditEvent(.falcoAlert, subject: longer, details: ["output": .string("x" + longer)]))
        #expect(cut["subject"]?.stringValue == String(repeating: "ü", count: 32_768))
        #expect(cut["details"]?["output"]?.stringValue == "x" + String(repeating: "ü", count: 32_767))
        let entries = try #require(cut["truncated"]?.elements)
        #expect(entries.map { $0["field"]?.stringValue } == ["subject", "details.output"])
        #expect(entries.map { $0["bytes"]?.wholeNumber } == [80_000, 80_001])
        #expect(try entries[0]["sha256"]?.stringValue == SHA256.digest(longer).hex)
    }

    @Test("details beyond 256 KiB, or nested too deeply, are left out and told of: the event is logged all the same")
    func large() throws {
        let many = JSONValue.array((0..<10).map { _ in .string(String(repeating: "y", count: 60_000)) })
        let (line, json) = try logged(AuditEvent(.toolInvoke, subject: "s", details: ["argv": many]))
        #expect(line.count < 2000)
        #expect(json["details"] == .object([:]))
        #expect(json["truncated"]?.elements?.first?["field"]?.stringValue == "details")
        #expect(json["truncated"]?.elements?.first?["bytes"]?.wholeNumber ?? 0 > 600_000)

        var deep = JSONValue.object(["end": 1])
        for _ in 0..<200 { deep = .object(["in": deep]) }
        let (_, nested) = try logged(AuditEvent(.sandboxConfig, subject: "s", details: ["settings": deep]))
        #expect(nested["truncated"]?.elements?.count == 1)
    }

    @Test("details are sorted, and a name that occurs twice stands once")
    func deterministic() throws {
        let details = JSONObject([
            JSONObject.Member("rule", "b"), JSONObject.Member("argv", []), JSONObject.Member("rule", "c"),
            JSONObject.Member("pid", .integer(.max)),
        ])
        let (line, _) = try logged(AuditEvent(.toolInvoke, details: details))
        #expect(
            String(decoding: line, as: UTF8.self).contains(
                #""details":{"argv":[],"pid":9223372036854775807,"rule":"b"}"#))
    }

    @Test("details that do not fit the type are logged with a word about it")
    func problems() throws {
        let event = AuditEvent(.toolInvoke, details: ["pid": "no number", "surprise": 1])
        let (_, json) = try logged(event)
        let problems = [
            "details.argv is missing", "details.pid is not of kind integer",
            "details.surprise is no field of tool.invoke",
        ]
        #expect(json["problems"]?.elements?.compactMap(\.stringValue) == problems)
        #expect(event.problems == problems)
        #expect(LogFixture.event(1).problems == [])
    }

    @Test("ids sort by time, also within a millisecond and when the clock goes back")
    func ids() throws {
        var previous = try EventID.next(after: EventID(high: 0, low: 0), at: Timestamp(seconds: 1_700_000_000))
        #expect(previous.description.hasPrefix("01HF7YAT00"))
        for seconds in [1_700_000_000, 1_700_000_000, 1_600_000_000, 1_700_000_001, 0, -5] as [Int64] {
            let next = try EventID.next(after: previous, at: Timestamp(seconds: seconds))
            #expect(next > previous)
            #expect(next.description > previous.description)
            #expect(EventID(next.description) == next)
            previous = next
        }
        let full = try EventID.next(after: EventID(high: 0xffff, low: .max), at: Timestamp(seconds: 0))
        #expect(full == EventID(high: 0x10000, low: 0))
        for text in [
            "", "01HF7YAT00", "81HF7YAT000000000000000000", "01HF7YAT0000000000000000U0", "01hf7yat000000000000000000",
        ] {
            #expect(EventID(text) == nil, "\(text)")
        }
    }
}
