/// DecimalNumber text to `BigFloat`, rounding exactly where Go's `big.Float.SetString` rounds.
extension BigFloat {
    /// `digits * 10^exponent`, with ASCII digits. Throws when the result is out of range.
    init(digits: some Collection<UInt8>, exponent: Int, negative: Bool) throws(SupportError) {
        guard exponent > -60_000, exponent < 60_000 else { throw .limit("number too big") }
        if digits.count <= 19, exponent >= -27, exponent <= 27 {
            var mantissa: UInt64 = 0
            for digit in digits { mantissa = mantissa * 10 + UInt64(digit - UInt8(ascii: "0")) }
            self.init(small: mantissa, exponent: exponent, negative: negative)
            return
        }
        guard digits.count <= Number.maxDigits, let mantissa = BigInt(digits: digits) else {
            throw .limit("number too big")
        }
        if mantissa.isZero {
            self.init(isNegative: negative, mantissa: 0, exponent: 0)
            return
        }
        // As Go: scale by a power of five kept to 128 bits, itself computed in 192 bits.
        let scaled: (value: BigInt, exponent: Int, sticky: Bool)
        if exponent == 0 {
            scaled = (mantissa, 0, false)
        } else if exponent > 0 {
            let power = WideFloat.power5(exponent)
            scaled = (mantissa * power.mantissa, exponent + power.exponent, false)
        } else {
            let power = WideFloat.power5(-exponent)
            // At least 64 bits and some of the quotient, then dust.
            let shift = max(0, power.mantissa.bitWidth + 130 - mantissa.bitWidth)
            let shifted = mantissa.shiftedLeftUnchecked(shift)
            guard let (quotient, rest) = shifted.quotientAndRemainder(dividingBy: power.mantissa) else {
                throw .limit("number too big")
            }
            scaled = (quotient, exponent - power.exponent - shift, !rest.isZero)
        }
        let extra = max(0, scaled.value.bitWidth - 128)
        let top = scaled.value.shiftedRight(extra)
        var high = UInt128(top.limbs.first ?? 0)
        if top.limbs.count > 1 { high |= UInt128(top.limbs[1]) << 64 }
        self.init(
            rounding: high,
            sticky: scaled.sticky || (extra > 0 && scaled.value.hasBits(below: extra)),
            exponent: scaled.exponent + extra,
            negative: negative
        )
    }

    private init(small mantissa: UInt64, exponent: Int, negative: Bool) {
        var power: UInt64 = 1
        for _ in 0..<exponent.magnitude { power *= 5 }
        if exponent >= 0 {
            let (high, low) = mantissa.multipliedFullWidth(by: power)
            self.init(
                rounding: UInt128(high) << 64 | UInt128(low), sticky: false, exponent: exponent, negative: negative)
            return
        }
        guard mantissa > 0 else {
            self.init(isNegative: negative, mantissa: 0, exponent: 0)
            return
        }
        let shift = mantissa.leadingZeroBitCount
        let normal = UInt128(mantissa << UInt64(shift))
        let divisor = UInt128(power << UInt64(power.leadingZeroBitCount))
        let (first, rest) = (normal << 64).quotientAndRemainder(dividingBy: divisor)
        let (second, dust) = (rest << 62).quotientAndRemainder(dividingBy: divisor)
        self.init(
            rounding: first << 62 | second,
            sticky: dust != 0,
            exponent: exponent - shift + power.leadingZeroBitCount - 126,
            negative: negative
        )
    }
}

/// A positive float of any chosen precision, enough for powers of five.
private struct WideFloat {
    var mantissa: BigInt
    var exponent: Int

    func rounded(to bits: Int) -> WideFloat {
        let extra = mantissa.bitWidth - bits
        if extra <= 0 { return self }
        var kept = mantissa.shiftedRight(extra)
        let halfSet = mantissa.shiftedRight(extra - 1).limbs.first.map { $0 & 1 == 1 } ?? false
        let odd = kept.limbs.first.map { $0 & 1 == 1 } ?? false
        if halfSet, odd || mantissa.hasBits(below: extra - 1) { kept = kept + .one }
        return WideFloat(mantissa: kept, exponent: exponent + extra)
    }

    static func * (left: WideFloat, right: WideFloat) -> WideFloat {
        WideFloat(mantissa: left.mantissa * right.mantissa, exponent: left.exponent + right.exponent)
    }

    /// 5^n to 128 bits, in the order of operations of Go's `pow5`.
    static func power5(_ exponent: Int) -> WideFloat {
        if exponent <= 27 { return WideFloat(mantissa: BigInt.power(5, exponent), exponent: 0) }
        var result = WideFloat(mantissa: BigInt.power(5, 27), exponent: 0)
        var factor = WideFloat(mantissa: BigInt(5), exponent: 0)
        var rest = exponent - 27
        while rest > 0 {
            if rest & 1 == 1 { result = (result * factor).rounded(to: 128) }
            factor = (factor * factor).rounded(to: 192)
            rest >>= 1
        }
        return result
    }
}
