import Glibc

extension Timestamp {
    /// Reads RFC 3339 (`2026-03-01T09:30:00Z`, any fraction, any offset); nil for anything else. Fractions are dropped.
    public init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] | 0x20 == UInt8(ascii: "t"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":")
        else { return nil }
        func number(_ range: Range<Int>) -> Int? { Int(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        var rest = bytes[19...]
        if rest.first == UInt8(ascii: ".") { rest = rest.dropFirst().drop { (0x30...0x39).contains($0) } }
        guard let offset = Self.offset(String(decoding: rest, as: UTF8.self)),
            let seconds = Self.seconds(year, month, day, hour, minute, second)
        else { return nil }
        self.init(seconds: seconds - offset)
    }

    /// Reads the date of a Debian Release file (RFC 1123 in UTC): `Sat, 15 Nov 2025 09:44:21 UTC`.
    public init?(release text: some StringProtocol) {
        let words = text.split(separator: " ")
        guard words.count == 6, ["UTC", "GMT", "+0000", "Z"].contains(String(words[5])),
            let month = Self.months.firstIndex(of: String(words[2])), let day = Int(words[1]), let year = Int(words[3])
        else { return nil }
        let clock = words[4].split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3, let seconds = Self.seconds(year, month + 1, day, clock[0], clock[1], clock[2]) else {
            return nil
        }
        self.init(seconds: seconds)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func seconds(_ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int)
        -> Int64?
    {
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        var parts = tm()
        parts.tm_year = Int32(year - 1900)
        parts.tm_mon = Int32(month - 1)
        parts.tm_mday = Int32(day)
        parts.tm_hour = Int32(hour)
        parts.tm_min = Int32(minute)
        parts.tm_sec = Int32(second)
        return Int64(timegm(&parts))
    }

    /// Seconds of `Z`, `+02:00`, `-05:30`.
    private static func offset(_ text: String) -> Int64? {
        if text == "Z" || text == "z" { return 0 }
        guard let sign = text.first, sign == "+" || sign == "-", text.utf8.count == 6 else { return nil }
        let numbers = text.dropFirst().split(separator: ":").compactMap { Int64($0) }
        guard numbers.count == 2, (0...23).contains(numbers[0]), (0...59).contains(numbers[1]) else { return nil }
        return (numbers[0] * 60 + numbers[1]) * 60 * (sign == "+" ? 1 : -1)
    }
}
