/// A Rego number: exact, equal by value whatever its text (`1 == 1.0 == 1e0`).
enum Number: Sendable {
    case int(Int64)
    /// Never the plain text of an integer that fits `int`, but possibly an integral `7.0`.
    case decimal(DecimalNumber)

    /// Integers with more digits than this are not computed.
    static let maxDigits = 50_000

    init(_ value: Int) { self = .int(Int64(value)) }

    init(_ value: BigInt) {
        if let small = value.int64 { self = .int(small) } else { self = .decimal(DecimalNumber(value)) }
    }

    /// The shortest text that reads back as the double; nil for infinities and NaN.
    init?(_ value: Double) {
        guard value.isFinite else { return nil }
        let (digits, point) = FloatDigits.shortest(value.magnitude)
        var text: [UInt8] = value.sign == .minus ? [UInt8(ascii: "-")] : []
        if !digits.isEmpty, point - 1 < -6 || point - 1 >= 21 {
            DecimalText.appendExponent(digits: digits, point: point, to: &text)
        } else {
            DecimalText.appendPlain(digits: digits, point: point, to: &text)
        }
        self.init(json: String(decoding: text, as: UTF8.self))
    }

    /// A computed float, in OPA's text.
    init(_ value: BigFloat) throws(SupportError) {
        let text = try value.text()
        guard let number = Number(json: text) else { throw .invalid("illegal number value") }
        self = number
    }

    var text: String {
        switch self {
        case .int(let value): String(value)
        case .decimal(let value): value.text
        }
    }

    /// The value when it is an integer that fits, however it is written.
    var int64: Int64? {
        switch self {
        case .int(let value): value
        case .decimal(let value): value.int64
        }
    }

    /// Whether it is written with an exponent, `1e2`.
    var hasExponent: Bool {
        if case .decimal(let value) = self { return value.text.utf8.contains { $0 | 0x20 == UInt8(ascii: "e") } }
        return false
    }

    var isInteger: Bool {
        switch self {
        case .int: true
        case .decimal(let value): value.isInteger
        }
    }

    /// nil for a fraction and for more than `maxDigits` digits.
    var bigInt: BigInt? {
        switch self {
        case .int(let value): BigInt(value)
        case .decimal(let value): value.bigInt
        }
    }

    /// The nearest double, infinite when out of range.
    var double: Double {
        switch self {
        case .int(let value): Double(value)
        case .decimal(let value): value.double
        }
    }

    func bigFloat() throws(SupportError) -> BigFloat {
        switch self {
        case .int(let value): BigFloat(value)
        case .decimal(let value): try value.bigFloat()
        }
    }
}

extension Number {
    init?(json text: String) {
        guard let number = text.withBytes({ Number(json: $0) }) else { return nil }
        self = number
    }

    /// Reads exactly one JSON number (RFC 8259, section 6); nil for anything else.
    init?(json bytes: Bytes) {
        var scan = NumberScan(bytes)
        guard scan.run() else { return nil }
        if scan.isPlainInteger, let value = scan.int64 {
            // "-0" keeps its text.
            if value != 0 || !scan.isNegative {
                self = .int(value)
                return
            }
        }
        guard let exponent = scan.exponent else { return nil }
        self = .decimal(
            DecimalNumber(
                text: String(decoding: bytes, as: UTF8.self),
                isNegative: scan.isNegative,
                digits: scan.digits(),
                point: scan.integerDigits + exponent
            )
        )
    }
}

/// Splits JSON number text into its parts without copying it.
private struct NumberScan {
    private let bytes: Bytes
    private var position = 0
    private(set) var isNegative = false
    private(set) var integerDigits = 0
    private var integer = 0..<0
    private var fraction = 0..<0
    private(set) var hasExponent = false
    private(set) var exponent: Int? = 0

    init(_ bytes: Bytes) { self.bytes = bytes }

    var isPlainInteger: Bool { fraction.isEmpty && !hasExponent }

    mutating func run() -> Bool {
        if peek == UInt8(ascii: "-") {
            isNegative = true
            position += 1
        }
        integer = digitRun()
        integerDigits = integer.count
        guard !integer.isEmpty, integer.count == 1 || bytes[integer.lowerBound] != UInt8(ascii: "0") else {
            return false
        }
        if peek == UInt8(ascii: ".") {
            position += 1
            fraction = digitRun()
            if fraction.isEmpty { return false }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            hasExponent = true
            position += 1
            var negative = false
            if peek == UInt8(ascii: "-") || peek == UInt8(ascii: "+") {
                negative = peek == UInt8(ascii: "-")
                position += 1
            }
            let run = digitRun()
            if run.isEmpty { return false }
            var value = 0
            for index in run where value < 1_000_000_000_000 {
                value = value * 10 + Int(bytes[index] - UInt8(ascii: "0"))
            }
            exponent = value < 1_000_000_000_000 ? (negative ? -value : value) : nil
        }
        return position == bytes.count
    }

    var int64: Int64? {
        guard integer.count <= 19 else { return nil }
        var value: UInt64 = 0
        for index in integer { value = value &* 10 &+ UInt64(bytes[index] - UInt8(ascii: "0")) }
        if isNegative { return value <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- value) : nil }
        return value < 1 << 63 ? Int64(value) : nil
    }

    func digits() -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(integer.count + fraction.count)
        for index in integer { result.append(bytes[index]) }
        for index in fraction { result.append(bytes[index]) }
        return result
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func digitRun() -> Range<Int> {
        let start = position
        while position < bytes.count, bytes[position] >= UInt8(ascii: "0"), bytes[position] <= UInt8(ascii: "9") {
            position += 1
        }
        return start..<position
    }
}

extension Number: Hashable, Comparable, CustomStringConvertible {
    var description: String { text }

    static func == (left: Number, right: Number) -> Bool { compare(left, right) == 0 }
    static func < (left: Number, right: Number) -> Bool { compare(left, right) < 0 }
    func hash(into hasher: inout Hasher) { hasher.combine(hash64()) }

    /// -1, 0 or 1, by exact value.
    static func compare(_ left: Number, _ right: Number) -> Int {
        switch (left, right) {
        case (.int(let a), .int(let b)): a < b ? -1 : a > b ? 1 : 0
        case (.int(let a), .decimal(let b)):
            if let b = b.int64 {
                a < b ? -1 : a > b ? 1 : 0
            } else {
                DecimalNumber.compare(DecimalNumber(BigInt(a)), b)
            }
        case (.decimal(let a), .int(let b)):
            if let a = a.int64 {
                a < b ? -1 : a > b ? 1 : 0
            } else {
                DecimalNumber.compare(a, DecimalNumber(BigInt(b)))
            }
        case (.decimal(let a), .decimal(let b)): DecimalNumber.compare(a, b)
        }
    }

    /// Equal numbers have equal hashes; `hash64(n)` for integers.
    func hash64() -> UInt64 {
        switch self {
        case .int(let value): Number.hash64(value)
        case .decimal(let value): value.hash64()
        }
    }

    @inline(__always)
    static func hash64(_ value: Int64) -> UInt64 { mix(UInt64(bitPattern: value)) }

    /// The finalizer of SplitMix64: spreads every bit over the whole word.
    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
