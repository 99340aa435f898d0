/// A number whose text is not a plain integer of 64 bits: a fraction, an exponent, or a big integer.
///
/// Keeps the text as written and compares exactly, digit by digit.
public final class DecimalNumber: Sendable {
    /// The number as JSON text; what OPA prints.
    let text: String
    let isNegative: Bool
    /// ASCII digits without leading or trailing zeros, empty for zero: the value is 0.DIGITS * 10^point.
    let digits: [UInt8]
    let point: Int
    /// The value when it is an integer that fits.
    let int64: Int64?

    /// `text` must be a JSON number; `digits` may have zeros at either end.
    init(text: String, isNegative: Bool, digits: [UInt8], point: Int) {
        let zero = UInt8(ascii: "0")
        var start = 0
        var end = digits.count
        while end > 0, digits[end - 1] == zero { end -= 1 }
        while start < end, digits[start] == zero { start += 1 }
        self.text = text
        self.digits = Array(digits[start..<end])
        self.point = start == end ? 0 : point - start
        self.isNegative = isNegative && start != end
        self.int64 = DecimalNumber.int64(self.digits, point: self.point, isNegative: isNegative)
    }

    convenience init(_ value: BigInt) {
        let digits = value.asciiDigits(signed: false)
        self.init(
            text: value.isNegative
                ? "-" + String(decoding: digits, as: UTF8.self) : String(decoding: digits, as: UTF8.self),
            isNegative: value.isNegative,
            digits: digits,
            point: digits.count
        )
    }

    /// 1.0 and 1e2 are integers.
    var isInteger: Bool { point >= digits.count }

    /// nil for a fraction and for more than `Number.maxDigits` digits.
    var bigInt: BigInt? {
        if let int64 { return BigInt(int64) }
        guard isInteger, point <= Number.maxDigits, let head = BigInt(digits: digits) else { return nil }
        let value = point == digits.count ? head : head * BigInt.power(10, point - digits.count)
        return isNegative ? -value : value
    }

    /// The nearest double, infinite when out of range.
    var double: Double { Double(text) ?? 0 }

    func bigFloat() throws(SupportError) -> BigFloat {
        if digits.isEmpty {
            return BigFloat(isNegative: text.utf8.first == UInt8(ascii: "-"), mantissa: 0, exponent: 0)
        }
        return try BigFloat(digits: digits, exponent: point - digits.count, negative: isNegative)
    }

    private static func int64(_ digits: [UInt8], point: Int, isNegative: Bool) -> Int64? {
        guard point >= digits.count, point <= 19 else { return nil }
        var value: Int64 = 0
        for index in 0..<max(0, point) {
            let digit = index < digits.count ? Int64(digits[index] - UInt8(ascii: "0")) : 0
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = scaled.addingReportingOverflow(isNegative ? -digit : digit)
            if overflow || overflow2 { return nil }
            value = sum
        }
        return value
    }

    /// -1, 0 or 1, by exact value.
    static func compare(_ left: DecimalNumber, _ right: DecimalNumber) -> Int {
        let leftSign = left.digits.isEmpty ? 0 : left.isNegative ? -1 : 1
        let rightSign = right.digits.isEmpty ? 0 : right.isNegative ? -1 : 1
        if leftSign != rightSign { return leftSign < rightSign ? -1 : 1 }
        if leftSign == 0 { return 0 }
        if left.point != right.point { return left.point < right.point ? -leftSign : leftSign }
        for index in 0..<min(left.digits.count, right.digits.count)
        where left.digits[index] != right.digits[index] {
            return left.digits[index] < right.digits[index] ? -leftSign : leftSign
        }
        if left.digits.count == right.digits.count { return 0 }
        return left.digits.count < right.digits.count ? -leftSign : leftSign
    }
}

extension DecimalNumber: Hashable, Comparable {
    public static func == (left: DecimalNumber, right: DecimalNumber) -> Bool { compare(left, right) == 0 }
    public static func < (left: DecimalNumber, right: DecimalNumber) -> Bool { compare(left, right) < 0 }
    public func hash(into hasher: inout Hasher) { hasher.combine(hash64()) }

    /// Equal values have equal hashes, whatever their text.
    func hash64() -> UInt64 {
        if let int64 { return Number.hash64(int64) }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(bitPattern: Int64(point))
        for digit in digits { hash = (hash ^ UInt64(digit)) &* 0x0000_0100_0000_01b3 }
        return Number.mix(isNegative ? ~hash : hash)
    }
}
