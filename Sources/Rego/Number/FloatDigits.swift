/// DecimalNumber digits of doubles: shortest, and correctly rounded to a given count.
enum FloatDigits {
    /// The shortest digits that read back as `value` (finite, not negative): 0.DIGITS * 10^point; no digits for zero.
    static func shortest(_ value: Double) -> (digits: [UInt8], point: Int) {
        // The standard library prints the shortest form; only its layout has to be undone.
        var digits: [UInt8] = []
        var point = 0
        var seenPoint = false
        var exponent = 0
        var bytes = Substring(value.description).utf8[...]
        if let mark = bytes.firstIndex(of: UInt8(ascii: "e")) {
            exponent = Int(Substring(bytes[bytes.index(after: mark)...])) ?? 0
            bytes = bytes[..<mark]
        }
        for byte in bytes {
            if byte == UInt8(ascii: ".") {
                seenPoint = true
            } else {
                digits.append(byte)
                if !seenPoint { point += 1 }
            }
        }
        var start = 0
        while start < digits.count, digits[start] == UInt8(ascii: "0") { start += 1 }
        let trimmed = DecimalText.trimmed(Array(digits[start...]))
        return (trimmed, trimmed.isEmpty ? 0 : point - start + exponent)
    }

    /// All digits of `value` (finite, not negative), exactly.
    static func exact(_ value: Double) -> (digits: [UInt8], point: Int) {
        guard value != 0 else { return ([], 0) }
        let mantissa = BigInt(value.significandBitPattern | (value.isNormal ? 1 << 52 : 0))
        let shift = Int(max(value.exponentBitPattern, 1)) - 1075
        let scaled = shift >= 0 ? mantissa.shiftedLeftUnchecked(shift) : mantissa * BigInt.power(5, -shift)
        let digits = scaled.asciiDigits(signed: false)
        return (DecimalText.trimmed(digits), digits.count + min(shift, 0))
    }

    /// Rounds `exact` to `count` digits (ties to even; `count` may be 0 or negative), without trailing zeros.
    static func rounded(_ value: Double, digits count: (_ point: Int) -> Int) -> (digits: [UInt8], point: Int) {
        var (digits, point) = exact(value)
        let keep = count(point)
        if keep >= digits.count { return (digits, point) }
        if keep < 0 { return ([], 0) }
        let five = UInt8(ascii: "5")
        let next = digits[keep]
        let tie = next == five && keep + 1 == digits.count
        let odd = keep > 0 && digits[keep - 1] & 1 == 1
        let up = tie ? odd : next >= five
        digits.removeSubrange(keep...)
        if up {
            if keep == 0 {
                return ([UInt8(ascii: "1")], point + 1)
            }
            DecimalText.increment(&digits, &point)
        }
        digits = DecimalText.trimmed(digits)
        return (digits, digits.isEmpty ? 0 : point)
    }
}
