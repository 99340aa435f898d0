/// `BigFloat` to the shortest decimal text that reads back as the same value, in the form OPA prints.
extension BigFloat {
    /// Plain digits for integers, otherwise Go's `%g` form (`1.5`, `1e-07`, `1.25e+06`).
    func text() throws(SupportError) -> String {
        if isZero { return isNegative ? "-0" : "0" }
        guard exponent.magnitude <= UInt(BigFloat.maxExponent) else { throw .limit("number too big") }
        let (digits, point) = shortestDigits()
        var text: [UInt8] = []
        if isNegative { text.append(UInt8(ascii: "-")) }
        if isInteger {
            guard point <= Number.maxDigits else { throw .limit("number too big") }
            text += digits
            text += [UInt8](repeating: UInt8(ascii: "0"), count: max(0, point - digits.count))
        } else {
            DecimalText.appendGeneral(digits: digits, point: point, threshold: 6, to: &text)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Digits without trailing zeros and the position of the point: 0.DIGITS * 10^point.
    func shortestDigits() -> (digits: [UInt8], point: Int) {
        // One bit more than the precision: its lowest bit is half a unit in the last place.
        let extra = 63 - precision
        var wide: BigInt
        let shift: Int
        if extra >= 0 {
            (wide, shift) = (BigInt(mantissa >> UInt64(extra)), exponent + extra)
        } else {
            (wide, shift) = (BigInt(mantissa).shiftedLeftUnchecked(1), exponent - 1)
        }
        let inclusive = wide.limbs[0] & 2 == 0
        var lowerWide = wide - .one
        var upperWide = wide + .one
        var point = 0
        if shift >= 0 {
            wide = wide.shiftedLeftUnchecked(shift)
            lowerWide = lowerWide.shiftedLeftUnchecked(shift)
            upperWide = upperWide.shiftedLeftUnchecked(shift)
        } else {
            // n / 2^k = n * 5^k / 10^k
            let power = BigInt.power(5, -shift)
            wide = wide * power
            lowerWide = lowerWide * power
            upperWide = upperWide * power
            point = shift
        }
        let digits = wide.asciiDigits(signed: false)
        let lower = DecimalText.trimmed(lowerWide.asciiDigits(signed: false))
        let upper = DecimalText.trimmed(upperWide.asciiDigits(signed: false))
        return BigFloat.shorten(digits, point: point + digits.count, lower: lower, upper: upper, inclusive: inclusive)
    }

    /// The first prefix of `digits`, rounded down or up, that lies between the neighbours' midpoints.
    private static func shorten(
        _ all: [UInt8], point: Int, lower: [UInt8], upper: [UInt8], inclusive: Bool
    ) -> (digits: [UInt8], point: Int) {
        let zero = UInt8(ascii: "0")
        var digits = DecimalText.trimmed(all)
        var point = point
        for index in 0..<digits.count {
            let middle = digits[index]
            let low = index < lower.count ? lower[index] : zero
            let high = index < upper.count ? upper[index] : zero
            let down = low != middle || (inclusive && index + 1 == lower.count)
            let up = middle != high && (inclusive || middle + 1 < high || index + 1 < upper.count)
            guard down || up else { continue }
            var roundUp = up
            if down, up, index + 1 < digits.count {
                let next = digits[index + 1]
                let five = UInt8(ascii: "5")
                if next == five, index + 2 == digits.count {
                    roundUp = middle & 1 == 1
                } else {
                    roundUp = next >= five
                }
            } else if down, up {
                roundUp = false
            }
            digits.removeSubrange((index + 1)...)
            if roundUp { DecimalText.increment(&digits, &point) }
            break
        }
        return (DecimalText.trimmed(digits), point)
    }
}

/// Small pieces of decimal text shared by the number printers.
enum DecimalText {
    static func trimmed(_ digits: [UInt8]) -> [UInt8] {
        var digits = digits
        while let last = digits.last, last == UInt8(ascii: "0") { digits.removeLast() }
        return digits
    }

    /// Adds one in the last digit.
    static func increment(_ digits: inout [UInt8], _ point: inout Int) {
        while let last = digits.last {
            if last < UInt8(ascii: "9") {
                digits[digits.count - 1] = last + 1
                return
            }
            digits.removeLast()
        }
        digits = [UInt8(ascii: "1")]
        point += 1
    }

    /// Go's `%g` with shortest digits: exponent form below 1e-4 and from 10^threshold on.
    static func appendGeneral(digits: [UInt8], point: Int, threshold: Int, to text: inout [UInt8]) {
        if point - 1 < -4 || point - 1 >= threshold {
            appendExponent(digits: digits, point: point, to: &text)
        } else {
            appendPlain(digits: digits, point: point, to: &text)
        }
    }

    /// `d.ddde+XX`
    static func appendExponent(digits: [UInt8], point: Int, to text: inout [UInt8]) {
        let exponent = digits.isEmpty ? 0 : point - 1
        text.append(digits.first ?? UInt8(ascii: "0"))
        if digits.count > 1 {
            text.append(UInt8(ascii: "."))
            text += digits[1...]
        }
        text.append(UInt8(ascii: "e"))
        text.append(exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        if exponent.magnitude < 10 { text.append(UInt8(ascii: "0")) }
        text += Array(String(exponent.magnitude).utf8)
    }

    /// `ddd.ddd`
    static func appendPlain(digits: [UInt8], point: Int, to text: inout [UInt8]) {
        let zero = UInt8(ascii: "0")
        if point <= 0 {
            text.append(zero)
            if digits.isEmpty { return }
            text.append(UInt8(ascii: "."))
            text += [UInt8](repeating: zero, count: -point)
            text += digits
            return
        }
        text += digits.prefix(point)
        text += [UInt8](repeating: zero, count: max(0, point - digits.count))
        if digits.count > point {
            text.append(UInt8(ascii: "."))
            text += digits[point...]
        }
    }
}
