import AiboxWire
import Testing

@Suite("JSON is read strictly and printed exactly")
struct JSONValueTests {
    static let accepted: [(why: String, text: String, value: JSONValue)] = [
        ("null", "null", .null),
        ("true", "true", true),
        ("false", " false\n", false),
        ("zero", "0", 0),
        ("minus zero is the integer zero", "-0", 0),
        ("largest integer", "9223372036854775807", .integer(.max)),
        ("smallest integer", "-9223372036854775808", .integer(.min)),
        ("fraction", "1.5", .number(1.5)),
        ("exponent makes a number, not an integer", "1e2", .number(100)),
        ("exponent with sign", "-2.5E-1", .number(-0.25)),
        ("too small for a double is zero", "1e-400", .number(0)),
        ("empty string", "\"\"", ""),
        ("every short escape", #""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{c}\n\r\t")),
        ("escape by number", #""\u0041\u00e9\u20AC""#, "Aé€"),
        ("surrogate pair", #""\ud83d\ude00""#, "😀"),
        ("zero byte by escape", #""\u0000""#, "\u{0}"),
        ("raw non-ASCII and DEL", "\"é\u{7f}😀\"", "é\u{7f}😀"),
        ("white space everywhere", " [ 1 ,\t{ \"a\" :\r\n2 } ] ", [1, ["a": 2]]),
        ("empty array and object", "[[],{}]", [[], [:]]),
        ("order of members is kept", #"{"b":1,"a":2}"#, ["b": 1, "a": 2]),
        ("an empty name", #"{"":1}"#, ["": 1]),
    ]

    @Test("accepted", arguments: accepted)
    func accepts(why: String, text: String, value: JSONValue) throws {
        #expect(try JSONParser.parse(text) == value, "\(why)")
    }

    static let refused: [(why: String, text: String, reason: JSONError.Reason)] = [
        ("nothing", "", .unexpectedEnd),
        ("only white space", " \n", .unexpectedEnd),
        ("two values", "1 2", .trailing),
        ("a byte after the value", "{}x", .trailing),
        ("byte order mark", "\u{feff}1", .unexpectedByte),
        ("other white space", "\u{b}1", .unexpectedByte),
        ("no-break space", "\u{a0}1", .unexpectedByte),
        ("comment", "/**/1", .unexpectedByte),
        ("half a word", "tru", .unexpectedEnd),
        ("wrong word", "nul1", .unexpectedByte),
        ("capital word", "True", .unexpectedByte),
        ("not a number", "NaN", .unexpectedByte),
        ("infinity", "-Infinity", .unexpectedByte),
        ("leading zero", "01", .trailing),
        ("leading plus", "+1", .unexpectedByte),
        ("bare minus", "-", .unexpectedEnd),
        ("no digit before the point", ".5", .unexpectedByte),
        ("no digit after the point", "1.", .unexpectedEnd),
        ("no digit in the exponent", "1e+", .unexpectedEnd),
        ("hexadecimal", "0x10", .trailing),
        ("integer too large", "9223372036854775808", .numberOutOfRange),
        ("number too large", "1e400", .numberOutOfRange),
        ("open string", "\"abc", .unexpectedEnd),
        ("newline in a string", "\"a\nb\"", .unexpectedByte),
        ("tab in a string", "\"\t\"", .unexpectedByte),
        ("zero byte in a string", "\"\u{0}\"", .unexpectedByte),
        ("single quotes", "'a'", .unexpectedByte),
        ("unknown escape", #""\x41""#, .unexpectedByte),
        ("escape at the end", #""\"#, .unexpectedEnd),
        ("three hexadecimal digits", #""\u123""#, .unexpectedByte),
        ("sign among hexadecimal digits", #""\u+123""#, .unexpectedByte),
        ("lone high surrogate", #""\ud83d""#, .loneSurrogate),
        ("lone low surrogate", #""\ude00""#, .loneSurrogate),
        ("high surrogate before another escape", #""\ud83d\n""#, .loneSurrogate),
        ("two high surrogates", #""\ud83d\ud83d""#, .loneSurrogate),
        ("open array", "[1", .unexpectedEnd),
        ("comma at the end of an array", "[1,]", .unexpectedByte),
        ("comma at the start", "[,1]", .unexpectedByte),
        ("no comma", "[1 2]", .unexpectedByte),
        ("open object", #"{"a":1"#, .unexpectedEnd),
        ("comma at the end of an object", #"{"a":1,}"#, .unexpectedByte),
        ("name without quotes", "{a:1}", .unexpectedByte),
        ("name that is a number", "{1:1}", .unexpectedByte),
        ("no colon", #"{"a" 1}"#, .unexpectedByte),
        ("no value", #"{"a":}"#, .unexpectedByte),
        ("a name twice", #"{"a":1,"b":2,"a":3}"#, .duplicateName),
        ("a name twice, once by escape", #"{"a":1,"\u0061":2}"#, .duplicateName),
        ("a name twice, composed and decomposed", "{\"\u{e9}\":1,\"e\u{301}\":2}", .duplicateName),
    ]

    @Test("refused", arguments: refused)
    func refuses(why: String, text: String, reason: JSONError.Reason) {
        let error = #expect(throws: JSONError.self, "\(why)") { try JSONParser.parse(text) }
        #expect(error?.reason == reason, "\(why)")
    }

    static let brokenUTF8: [(why: String, bytes: [UInt8])] = [
        ("a lone continuation byte", [0x80]), ("a cut sequence", [0xE2, 0x82]), ("an overlong slash", [0xC0, 0xAF]),
        ("an encoded surrogate", [0xED, 0xA0, 0x80]), ("beyond the last code point", [0xF4, 0x90, 0x80, 0x80]),
        ("a byte that never occurs", [0xFF]),
    ]

    @Test("bytes that are no UTF-8 are refused in strings and names", arguments: brokenUTF8)
    func invalidUTF8(why: String, bytes: [UInt8]) {
        let quoted = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
        let inName = Array("{".utf8) + quoted + Array(":1}".utf8)
        for document in [quoted, inName] {
            let error = #expect(throws: JSONError.self, "\(why)") { try JSONParser.parse(document) }
            #expect(error?.reason == .invalidUTF8, "\(why)")
        }
    }

    @Test("nesting is bounded, exactly at the limit")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        let limits = JSONParser.Limits(depth: 5)
        _ = try JSONParser.parse(nested(5), limits: limits)
        #expect(throws: JSONError.self) { try JSONParser.parse(nested(6), limits: limits) }
        #expect(throws: JSONError.self) { try JSONParser.parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONError.self) { try JSONParser.parse(String(repeating: "{\"a\":", count: 100_000)) }
    }

    @Test("size is bounded, exactly at the limit")
    func size() throws {
        _ = try JSONParser.parse("\"abc\"", limits: JSONParser.Limits(size: 5))
        #expect(throws: JSONError.self) { try JSONParser.parse("\"abcd\"", limits: JSONParser.Limits(size: 5)) }
    }

    @Test("a hundred thousand names in one object take no quadratic time")
    func manyNames() throws {
        let text = "{" + (0..<100_000).map { "\"\($0)\":0" }.joined(separator: ",") + "}"
        let start = ContinuousClock.now
        _ = try JSONParser.parse(text, limits: JSONParser.Limits(size: 4 << 20))
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test("a document is printed on one line, control characters escaped")
    func printing() {
        let value: JSONValue = [
            "a": ["\n\u{1}\u{7f}\"\\", -1, true, .null, .number(0.1), .number(.infinity)], "é": [:],
        ]
        #expect(value.text == #"{"a":["\n\u0001\u007f\"\\",-1,true,null,0.1,null],"é":{}}"#)
    }
}
