import Testing

@testable import Rego

struct NumberTests {
    @Test(
        "Only JSON's grammar is a number",
        arguments: [
            ("0", true), ("-0", true), ("10", true), ("1.50", true), ("1e5", true), ("1E+5", true), ("-1.5e-3", true),
            ("", false), ("-", false), ("01", false), ("+1", false), (".5", false), ("5.", false), ("1e", false),
            ("1e+", false), ("0x1", false), ("1 ", false), (" 1", false), ("NaN", false), ("1_0", false),
            ("1e99999999999999", false),
        ])
    func grammar(text: String, isNumber: Bool) {
        #expect((Number(json: text) != nil) == isNumber)
        if isNumber { #expect(Number(json: text)?.text == text) }
    }

    @Test(
        "Equal values are equal and hash alike, whatever their text",
        arguments: [
            ["1", "1.0", "1e0", "10e-1", "0.1e1"], ["100", "1e2", "100.000"], ["0", "-0", "0.0", "-0.0", "0e5"],
            ["-2.50", "-2.5", "-25e-1"], ["9223372036854775808", "9223372036854775808.0", "9223372036854775808e0"],
            ["1e400", "10e399", "0.1e401"],
        ])
    func equality(texts: [String]) throws {
        let numbers = try texts.map { try #require(Number(json: $0)) }
        for other in numbers {
            #expect(numbers[0] == other)
            #expect(numbers[0].hash64() == other.hash64())
        }
    }

    @Test("The order is exact where doubles are not")
    func order() throws {
        let ascending = [
            "-1e400", "-9223372036854775809", "-9223372036854775808", "-1.5", "-1", "-1e-400", "0", "1e-400", "0.1",
            "0.10000000000000000000001", "1", "1.00000000000000000000000001", "9007199254740993",
            "9223372036854775807", "9223372036854775807.5", "9223372036854775808", "28857836529306024611912",
            "28857836529306024611913", "1e400",
        ]
        let numbers = try ascending.map { try #require(Number(json: $0)) }
        for (index, left) in numbers.enumerated() {
            for (other, right) in numbers.enumerated() {
                #expect(Number.compare(left, right) == (index < other ? -1 : index > other ? 1 : 0))
            }
        }
    }

    @Test("Huge numbers end in an error, at once")
    func limits() throws {
        let huge = try #require(Number(json: "1e99999999"))
        #expect(throws: SupportError.self) { try Number.add(huge, .int(1)) }
        #expect(throws: SupportError.self) { try Number.mul(huge, huge) }
        #expect(throws: SupportError.self) { try huge.floor() }
        #expect(throws: SupportError.self) { try huge.format(base: 10) }
        #expect(throws: SupportError.self) { try Number.bitsShiftLeft(.int(1), huge) }
        let tiny = try #require(Number(json: "1e-99999999"))
        #expect(throws: SupportError.self) { try Number.add(tiny, .int(1)) }
        let long = try #require(Number(json: String(repeating: "9", count: 40_000)))
        #expect(throws: SupportError.self) { try Number.mul(long, long) }
        #expect(try Number.add(long, .int(1)).text.utf8.count == 40_001)
    }

    @Test(
        "to_number reads what Go reads",
        arguments: [
            ("1.50", "1.50"), ("+1", "1"), (".5", "0.5"), ("5.", "5"), ("01", "1"), ("1_000", "1000"), ("0x10p0", "16"),
            ("-00.5e1", "-0.5e1"),
        ])
    func toNumber(text: String, expected: String) throws {
        #expect(try Number.toNumber(text).text == expected)
    }

    @Test(
        "to_number refuses the rest",
        arguments: ["", "-", "x", "1e400", "nan", "-Infinity", "0x10", "_1", "1__0", "1e_1"])
    func toNumberErrors(text: String) {
        #expect(throws: SupportError.self) { try Number.toNumber(text) }
    }
}
