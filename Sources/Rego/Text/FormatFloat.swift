/// Doubles under `%v %e %f %g %x %b`.
extension FormatPrinter {
    mutating func printDouble(_ value: Double, _ verb: UInt8) -> Bool {
        switch verb {
        case UInt8(ascii: "v"):
            printFloat(value, UInt8(ascii: "g"), defaultPrecision: nil)
        case UInt8(ascii: "b"), UInt8(ascii: "g"), UInt8(ascii: "G"), UInt8(ascii: "x"), UInt8(ascii: "X"):
            printFloat(value, verb, defaultPrecision: nil)
        case UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "f"):
            printFloat(value, verb, defaultPrecision: 6)
        case UInt8(ascii: "F"): printFloat(value, UInt8(ascii: "f"), defaultPrecision: 6)
        default: return false
        }
        return true
    }

    private mutating func printFloat(_ value: Double, _ verb: UInt8, defaultPrecision: Int?) {
        let precision = precision ?? defaultPrecision
        let isNegative = value.sign == .minus
        var number = FloatText.format(value.magnitude, verb, precision: precision)
        if sharp, verb != UInt8(ascii: "b") { addPoint(&number, verb, precision) }
        let sign: UInt8? =
            isNegative ? UInt8(ascii: "-") : plus ? UInt8(ascii: "+") : space ? UInt8(ascii: " ") : nil
        guard let sign else {
            pad(number)
            return
        }
        if zero, !minus, let width, width > number.count + 1 {
            // The sign goes before the zeros.
            output.append(sign)
            writePadding(width - number.count - 1, UInt8(ascii: "0"))
            output += number
        } else {
            pad([sign] + number)
        }
    }

    /// `#`: always a point, and for `%g` the trailing zeros.
    private func addPoint(_ number: inout [UInt8], _ verb: UInt8, _ precision: Int?) {
        let isHex = verb | 0x20 == UInt8(ascii: "x")
        var digits = 0
        if verb != UInt8(ascii: "X"), isHex || verb | 0x20 == UInt8(ascii: "g") { digits = precision ?? 6 }
        var tail: [UInt8] = []
        var hasPoint = false
        var sawDigit = false
        for (index, byte) in number.enumerated() {
            if byte == UInt8(ascii: ".") {
                hasPoint = true
            } else if byte | 0x20 == UInt8(ascii: "p") || (byte | 0x20 == UInt8(ascii: "e") && !isHex) {
                tail = Array(number[index...])
                number.removeSubrange(index...)
                break
            } else {
                if byte != UInt8(ascii: "0") { sawDigit = true }
                if sawDigit { digits -= 1 }
            }
        }
        if !hasPoint {
            if number == [UInt8(ascii: "0")] { digits -= 1 }
            number.append(UInt8(ascii: "."))
        }
        if digits > 0 { number += repeatElement(UInt8(ascii: "0"), count: digits) }
        number += tail
    }
}

/// Go's `strconv.FormatFloat` for finite values that are not negative.
enum FloatText {
    /// `precision` nil: the shortest text that reads back.
    static func format(_ value: Double, _ verb: UInt8, precision: Int?) -> [UInt8] {
        switch verb {
        case UInt8(ascii: "b"): return binary(value)
        case UInt8(ascii: "x"), UInt8(ascii: "X"): return hex(value, upper: verb == UInt8(ascii: "X"), precision)
        case UInt8(ascii: "e"), UInt8(ascii: "E"):
            let (digits, point) = rounded(value, precision.map { precision in { _ in precision + 1 } })
            return exponent(digits, point, verb, precision ?? max(digits.count - 1, 0))
        case UInt8(ascii: "f"):
            let (digits, point) = rounded(value, precision.map { precision in { point in point + precision } })
            return plain(digits, point, precision ?? max(digits.count - point, 0))
        default:
            return general(value, verb, precision)
        }
    }

    private static func general(_ value: Double, _ verb: UInt8, _ precision: Int?) -> [UInt8] {
        let wanted = precision.map { max($0, 1) }
        let (digits, point) = rounded(value, wanted.map { wanted in { _ in wanted } })
        var threshold = wanted ?? 6
        if wanted != nil, threshold > digits.count, digits.count >= point { threshold = digits.count }
        let exponentValue = digits.isEmpty ? 0 : point - 1
        if exponentValue < -4 || exponentValue >= threshold {
            let letter = verb == UInt8(ascii: "G") ? UInt8(ascii: "E") : UInt8(ascii: "e")
            return exponent(digits, point, letter, max(digits.count - 1, 0))
        }
        return plain(digits, point, max(digits.count - point, 0))
    }

    private static func rounded(_ value: Double, _ count: ((Int) -> Int)?) -> (digits: [UInt8], point: Int) {
        guard let count else { return FloatDigits.shortest(value) }
        return FloatDigits.rounded(value, digits: count)
    }

    private static func exponent(_ digits: [UInt8], _ point: Int, _ letter: UInt8, _ precision: Int) -> [UInt8] {
        let zero = UInt8(ascii: "0")
        var result: [UInt8] = [digits.first ?? zero]
        if precision > 0 {
            result.append(UInt8(ascii: "."))
            let tail = digits.dropFirst().prefix(precision)
            result += tail
            result += repeatElement(zero, count: precision - tail.count)
        }
        let exponent = digits.isEmpty ? 0 : point - 1
        result += [letter, exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")]
        if exponent.magnitude < 10 { result.append(zero) }
        return result + Array(String(exponent.magnitude).utf8)
    }

    private static func plain(_ digits: [UInt8], _ point: Int, _ precision: Int) -> [UInt8] {
        let zero = UInt8(ascii: "0")
        var result: [UInt8] = []
        if point > 0 {
            result += digits.prefix(point)
            result += repeatElement(zero, count: max(0, point - digits.count))
        } else {
            result.append(zero)
        }
        if precision > 0 {
            result.append(UInt8(ascii: "."))
            for index in point..<(point + precision) {
                result.append(index >= 0 && index < digits.count ? digits[index] : zero)
            }
        }
        return result
    }

    /// Mantissa and exponent of two, unrounded.
    private static func binary(_ value: Double) -> [UInt8] {
        let mantissa = value.significandBitPattern | (value.exponentBitPattern > 0 ? 1 << 52 : 0)
        let exponent = Int(max(value.exponentBitPattern, 1)) - 1075
        return Array("\(mantissa)p\(exponent < 0 ? "-" : "+")\(exponent.magnitude)".utf8)
    }

    private static func hex(_ value: Double, upper: Bool, _ precision: Int?) -> [UInt8] {
        var mantissa = value.significandBitPattern | (value.exponentBitPattern > 0 ? 1 << 52 : 0)
        var exponent = mantissa == 0 ? 0 : Int(max(value.exponentBitPattern, 1)) - 1023
        // The leading 1 goes to bit 60.
        mantissa <<= 8
        while mantissa != 0, mantissa & (1 << 60) == 0 {
            mantissa <<= 1
            exponent -= 1
        }
        if let precision, precision < 15 {
            let shift = UInt64(precision * 4)
            let extra = (mantissa << shift) & (1 << 60 - 1)
            mantissa >>= 60 - shift
            if extra | (mantissa & 1) > 1 << 59 { mantissa += 1 }
            mantissa <<= 60 - shift
            if mantissa & (1 << 61) != 0 {
                mantissa >>= 1
                exponent += 1
            }
        }
        let alphabet = Array((upper ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
        var result: [UInt8] = [UInt8(ascii: "0"), upper ? UInt8(ascii: "X") : UInt8(ascii: "x")]
        result.append(UInt8(ascii: "0") + UInt8(mantissa >> 60 & 1))
        mantissa <<= 4
        var left = precision ?? (mantissa == 0 ? 0 : 15)
        if left > 0 { result.append(UInt8(ascii: ".")) }
        while precision == nil ? mantissa != 0 : left > 0 {
            result.append(alphabet[Int(mantissa >> 60)])
            mantissa <<= 4
            left -= 1
        }
        result += [upper ? UInt8(ascii: "P") : UInt8(ascii: "p"), exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")]
        if exponent.magnitude < 10 { result.append(UInt8(ascii: "0")) }
        return result + Array(String(exponent.magnitude).utf8)
    }
}
