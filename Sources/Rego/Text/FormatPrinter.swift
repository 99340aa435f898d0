/// Prints one argument under the flags of one directive.
struct FormatPrinter {
    var output: [UInt8] = []
    var sharp = false
    var zero = false
    var plus = false
    var minus = false
    var space = false
    /// `%#v` and `%+v`, which change composite values only, and strings.
    var sharpV = false
    var plusV = false
    var width: Int?
    var precision: Int?

    mutating func clear() {
        (sharp, zero, plus, minus, space) = (false, false, false, false, false)
        (sharpV, plusV) = (false, false)
        (width, precision) = (nil, nil)
    }

    /// Reads `#` and `+` as `%v` does.
    mutating func useGoSyntaxFlags() {
        (sharpV, plusV) = (sharp, plus)
        (sharp, plus) = (false, false)
    }

    mutating func write(_ text: String) { output += text.utf8 }

    /// `%!verb` and a reason.
    mutating func writeError(_ verb: UInt32, _ reason: String) {
        write("%!")
        GoRune.append(verb, to: &output)
        write(reason)
    }

    mutating func print(_ argument: FormatArgument, verb: UInt32) {
        let letter = verb < 0x80 ? UInt8(verb) : 0
        if letter == UInt8(ascii: "T") {
            pad(truncated(argument.typeName))
            return
        }
        let isKnown =
            switch argument {
            case .int(let value): printInt(value, letter)
            case .big(let value): printBig(value, letter)
            case .double(let value): printDouble(value, letter)
            case .string(let value): printString(value, letter)
            }
        if isKnown { return }
        writeError(verb, "(")
        if case .big(let value) = argument, letter != UInt8(ascii: "p") {
            write("big.Int=\(value))")
            return
        }
        write(argument.typeName)
        write("=")
        print(argument, verb: UInt32(UInt8(ascii: "v")))
        write(")")
    }

    // MARK: Padding

    mutating func pad(_ bytes: [UInt8], zeros: Bool? = nil) {
        let missing = (width ?? 0) - bytes.withBytes { GoRune.count($0) }
        let fill = (zeros ?? zero) && !minus ? UInt8(ascii: "0") : UInt8(ascii: " ")
        if !minus { writePadding(missing, fill) }
        output += bytes
        if minus { writePadding(missing, UInt8(ascii: " ")) }
    }

    mutating func writePadding(_ count: Int, _ byte: UInt8) {
        if count > 0 { output += repeatElement(byte, count: count) }
    }

    private func truncated(_ text: String) -> [UInt8] {
        guard let precision else { return Array(text.utf8) }
        return text.withBytes { bytes in
            var position = 0
            var left = precision
            while left > 0, position < bytes.count {
                position += GoRune.decode(bytes, position).width
                left -= 1
            }
            return Array(bytes[..<position])
        }
    }

    // MARK: Strings

    private mutating func printString(_ text: String, _ verb: UInt8) -> Bool {
        switch verb {
        case UInt8(ascii: "v") where sharpV: pad(quoted(text))
        case UInt8(ascii: "v"), UInt8(ascii: "s"): pad(truncated(text))
        case UInt8(ascii: "q"): pad(quoted(text))
        case UInt8(ascii: "x"): printHex(text, upper: false)
        case UInt8(ascii: "X"): printHex(text, upper: true)
        default: return false
        }
        return true
    }

    private func quoted(_ text: String) -> [UInt8] {
        let text = String(decoding: truncated(text), as: UTF8.self)
        if sharp, GoText.canBackquote(text) { return Array("`\(text)`".utf8) }
        return Array(GoText.quote(text, ascii: plus).utf8)
    }

    private mutating func printHex(_ text: String, upper: Bool) {
        let bytes = Array(text.utf8.prefix(precision ?? Int.max))
        let digits = Array((upper ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
        let prefix: [UInt8] = [UInt8(ascii: "0"), upper ? UInt8(ascii: "X") : UInt8(ascii: "x")]
        var result: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if space, index > 0 { result.append(UInt8(ascii: " ")) }
            if sharp, space || index == 0 { result += prefix }
            result.append(digits[Int(byte >> 4)])
            result.append(digits[Int(byte & 15)])
        }
        pad(result)
    }

    // MARK: Integers

    private mutating func printInt(_ value: Int64, _ verb: UInt8) -> Bool {
        switch verb {
        case UInt8(ascii: "v"), UInt8(ascii: "d"): printInteger(value, base: 10)
        case UInt8(ascii: "b"): printInteger(value, base: 2)
        case UInt8(ascii: "o"): printInteger(value, base: 8)
        case UInt8(ascii: "O"): printInteger(value, base: 8, prefix: "0o")
        case UInt8(ascii: "x"): printInteger(value, base: 16)
        case UInt8(ascii: "X"): printInteger(value, base: 16, upper: true)
        case UInt8(ascii: "c"):
            var bytes: [UInt8] = []
            GoRune.append(UInt32(exactly: value) ?? GoRune.replacement, to: &bytes)
            pad(bytes)
        case UInt8(ascii: "q"):
            pad(Array(GoText.quote(rune: UInt32(exactly: value) ?? GoRune.replacement, ascii: plus).utf8))
        case UInt8(ascii: "U"): printUnicode(UInt64(bitPattern: value))
        default: return false
        }
        return true
    }

    private mutating func printInteger(_ value: Int64, base: Int, upper: Bool = false, prefix: String = "") {
        let isSigned = value < 0 || plus || space
        var zeros = 0
        if let precision {
            if precision == 0, value == 0 {
                writePadding(width ?? 0, UInt8(ascii: " "))
                return
            }
            zeros = precision
        } else if zero, !minus, let width {
            zeros = isSigned ? width - 1 : width
        }
        var digits = Array(String(value.magnitude, radix: base, uppercase: upper).utf8)
        if digits.count < zeros { digits = repeatElement(UInt8(ascii: "0"), count: zeros - digits.count) + digits }
        var result: [UInt8] = []
        if value < 0 {
            result.append(UInt8(ascii: "-"))
        } else if plus {
            result.append(UInt8(ascii: "+"))
        } else if space {
            result.append(UInt8(ascii: " "))
        }
        result += prefix.utf8
        if sharp {
            switch base {
            case 2: result += Array("0b".utf8)
            case 8: if digits.first != UInt8(ascii: "0") { result.append(UInt8(ascii: "0")) }
            case 16: result += Array((upper ? "0X" : "0x").utf8)
            default: break
            }
        }
        pad(result + digits, zeros: false)
    }

    private mutating func printUnicode(_ value: UInt64) {
        var digits = Array(String(value, radix: 16, uppercase: true).utf8)
        let least = max(4, precision ?? 4)
        if digits.count < least { digits = repeatElement(UInt8(ascii: "0"), count: least - digits.count) + digits }
        var result = Array("U+".utf8) + digits
        if sharp, value <= 0x10FFFF, UnicodeTables.isPrintable(UInt32(value)) {
            result += Array(" '".utf8)
            GoRune.append(UInt32(value), to: &result)
            result.append(UInt8(ascii: "'"))
        }
        pad(result, zeros: false)
    }

    /// Go's `big.Int.Format`.
    private mutating func printBig(_ value: BigInt, _ verb: UInt8) -> Bool {
        let base: Int
        var prefix = ""
        let sharp = sharp || sharpV
        switch verb {
        case UInt8(ascii: "b"): (base, prefix) = (2, sharp ? "0b" : "")
        case UInt8(ascii: "o"): (base, prefix) = (8, sharp ? "0" : "")
        case UInt8(ascii: "O"): (base, prefix) = (8, "0o")
        case UInt8(ascii: "d"), UInt8(ascii: "s"), UInt8(ascii: "v"): base = 10
        case UInt8(ascii: "x"): (base, prefix) = (16, sharp ? "0x" : "")
        case UInt8(ascii: "X"): (base, prefix) = (16, sharp ? "0X" : "")
        default: return false
        }
        let sign = value.isNegative ? "-" : plus || plusV ? "+" : space ? " " : ""
        let digits = value.asciiDigits(base: base, uppercase: verb == UInt8(ascii: "X"), signed: false)
        var zeros = max(0, (precision ?? 0) - digits.count)
        if precision == 0, value.isZero { return true }
        let missing = (width ?? 0) - sign.utf8.count - prefix.utf8.count - zeros - digits.count
        if !minus, zero, precision == nil {
            zeros = max(zeros, missing)
        } else if !minus {
            writePadding(missing, UInt8(ascii: " "))
        }
        write(sign)
        write(prefix)
        writePadding(zeros, UInt8(ascii: "0"))
        output += digits
        if minus { writePadding(missing, UInt8(ascii: " ")) }
        return true
    }
}
