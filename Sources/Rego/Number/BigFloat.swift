/// A binary float with a 64-bit (or, for products, 53-bit) mantissa and a wide exponent: what Go's `big.Float` is in OPA.
///
/// The value is `mantissa * 2^exponent`; the mantissa's top bit is set unless the value is zero. Rounding is to nearest, ties to even.
struct BigFloat: Sendable {
    var isNegative: Bool
    var mantissa: UInt64
    var exponent: Int
    /// Bits kept by operations on this value: 64, or 53 as in a product.
    var precision: Int = 64

    /// Beyond this binary exponent numbers are refused: printing them would take too long.
    static let maxExponent = 200_000

    static let zero = BigFloat(isNegative: false, mantissa: 0, exponent: 0)

    var isZero: Bool { mantissa == 0 }

    var isInteger: Bool {
        if isZero || exponent >= 0 { return true }
        return exponent > -64 && mantissa.trailingZeroBitCount >= -exponent
    }

    /// Rounds `high * 2^exponent` (plus a bit of dust when `sticky`) to `precision` bits.
    init(rounding high: UInt128, sticky: Bool, exponent: Int, negative: Bool, precision: Int = 64) {
        guard high != 0 else {
            self.init(isNegative: negative, mantissa: 0, exponent: 0, precision: precision)
            return
        }
        let shift = high.leadingZeroBitCount
        let normal = high << UInt128(shift)
        var exponent = exponent - shift + 64
        let dropped = 128 - precision
        var kept = normal >> UInt128(dropped)
        let rest = normal & ((UInt128(1) << UInt128(dropped)) - 1)
        let half = UInt128(1) << UInt128(dropped - 1)
        if rest > half || (rest == half && (sticky || kept & 1 == 1)) {
            kept += 1
            if kept >> UInt128(precision) != 0 {
                kept >>= 1
                exponent += 1
            }
        }
        self.init(
            isNegative: negative,
            mantissa: UInt64(truncatingIfNeeded: kept) << UInt64(64 - precision),
            exponent: exponent,
            precision: precision
        )
    }

    init(isNegative: Bool, mantissa: UInt64, exponent: Int, precision: Int = 64) {
        self.isNegative = isNegative
        self.mantissa = mantissa
        self.exponent = exponent
        self.precision = precision
    }

    init(_ value: Int64) {
        self.init(rounding: UInt128(value.magnitude), sticky: false, exponent: 0, negative: value < 0)
    }

    /// The nearest value to a big integer.
    init(_ value: BigInt) {
        let extra = max(0, value.bitWidth - 128)
        let top = value.magnitude.shiftedRight(extra)
        var high = UInt128(top.limbs.first ?? 0)
        if top.limbs.count > 1 { high |= UInt128(top.limbs[1]) << 64 }
        let sticky = extra > 0 && value.hasBits(below: extra)
        self.init(rounding: high, sticky: sticky, exponent: extra, negative: value.isNegative)
    }

    var negated: BigFloat {
        var copy = self
        copy.isNegative.toggle()
        return copy
    }

    /// The integral part, toward zero; throws when it has too many digits.
    func truncated() throws(SupportError) -> BigInt {
        if exponent >= 0 {
            guard exponent <= BigFloat.maxExponent else { throw .limit("number too big") }
            return BigInt(limbs: [UInt(mantissa)], negative: isNegative).shiftedLeftUnchecked(exponent)
        }
        return exponent <= -64 ? .zero : BigInt(limbs: [UInt(mantissa >> UInt64(-exponent))], negative: isNegative)
    }
}

extension BigInt {
    /// Whether one of the lowest `count` bits of the magnitude is set.
    func hasBits(below count: Int) -> Bool {
        for index in 0..<min(limbs.count, count / 64) where limbs[index] != 0 { return true }
        let part = count % 64
        return part > 0 && count / 64 < limbs.count && limbs[count / 64] & ((1 << UInt(part)) - 1) != 0
    }
}

extension BigFloat {
    static func + (left: BigFloat, right: BigFloat) -> BigFloat {
        if left.isZero { return right.isZero && left.isNegative != right.isNegative ? .zero : right }
        if right.isZero { return left }
        let leftIsLarger =
            left.exponent > right.exponent || (left.exponent == right.exponent && left.mantissa >= right.mantissa)
        let (large, small) = leftIsLarger ? (left, right) : (right, left)
        let distance = large.exponent - small.exponent
        // Two bits stay free above for the carry; 62 below keep what rounding needs.
        let a = UInt128(large.mantissa) << 62
        let full = UInt128(small.mantissa) << 62
        let b = distance > 127 ? 0 : full >> UInt128(distance)
        let sticky = distance > 127 || b << UInt128(distance) != full
        if left.isNegative == right.isNegative {
            return BigFloat(
                rounding: a + b, sticky: sticky, exponent: large.exponent - 62, negative: left.isNegative)
        }
        let difference = a - b - (sticky ? 1 : 0)
        if difference == 0, !sticky { return .zero }
        return BigFloat(
            rounding: difference, sticky: sticky, exponent: large.exponent - 62, negative: large.isNegative)
    }

    static func - (left: BigFloat, right: BigFloat) -> BigFloat { left + right.negated }

    /// The product with the left side's precision.
    static func * (left: BigFloat, right: BigFloat) -> BigFloat {
        let (high, low) = left.mantissa.multipliedFullWidth(by: right.mantissa)
        return BigFloat(
            rounding: UInt128(high) << 64 | UInt128(low),
            sticky: false,
            exponent: left.exponent + right.exponent,
            negative: left.isNegative != right.isNegative,
            precision: left.precision
        )
    }

    /// nil when dividing by zero.
    static func / (left: BigFloat, right: BigFloat) -> BigFloat? {
        if right.isZero { return nil }
        let divisor = UInt128(right.mantissa)
        let (first, rest) = (UInt128(left.mantissa) << 64).quotientAndRemainder(dividingBy: divisor)
        let (second, dust) = (rest << 62).quotientAndRemainder(dividingBy: divisor)
        return BigFloat(
            rounding: first << 62 | second,
            sticky: dust != 0,
            exponent: left.exponent - right.exponent - 126,
            negative: left.isNegative != right.isNegative
        )
    }
}
