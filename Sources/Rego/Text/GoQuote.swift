/// Go string and character literals (`strconv.Quote` and its relatives).
extension GoText {
    /// A double-quoted literal; with `ascii` everything outside ASCII is escaped.
    static func quote(_ text: String, ascii: Bool = false) -> String {
        var result: [UInt8] = [UInt8(ascii: "\"")]
        text.withBytes { bytes in
            var position = 0
            while position < bytes.count {
                let (rune, width) = GoRune.decode(bytes, position)
                if width == 1, rune == GoRune.replacement {
                    result += Array("\\x".utf8)
                    appendHex(UInt32(bytes[position]), digits: 2, to: &result)
                } else {
                    appendEscaped(rune, quote: UInt8(ascii: "\""), ascii: ascii, to: &result)
                }
                position += width
            }
        }
        result.append(UInt8(ascii: "\""))
        return String(decoding: result, as: UTF8.self)
    }

    /// A single-quoted literal; U+FFFD for what is no code point.
    static func quote(rune: UInt32, ascii: Bool = false) -> String {
        let isValid = rune <= 0x10FFFF && !(rune >= 0xD800 && rune <= 0xDFFF)
        var result: [UInt8] = [UInt8(ascii: "'")]
        appendEscaped(isValid ? rune : GoRune.replacement, quote: UInt8(ascii: "'"), ascii: ascii, to: &result)
        result.append(UInt8(ascii: "'"))
        return String(decoding: result, as: UTF8.self)
    }

    /// Whether a raw literal in back quotes can hold the text.
    static func canBackquote(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy {
            ($0.value >= 0x20 || $0.value == 9) && $0.value != 0x60 && $0.value != 0x7F && $0.value != 0xFEFF
        }
    }

    private static func appendEscaped(_ rune: UInt32, quote: UInt8, ascii: Bool, to result: inout [UInt8]) {
        let backslash = UInt8(ascii: "\\")
        if rune == UInt32(quote) || rune == UInt32(backslash) {
            result += [backslash, UInt8(rune)]
            return
        }
        if rune < 0x80 ? rune >= 0x20 && rune < 0x7F : !ascii && UnicodeTables.isPrintable(rune) {
            GoRune.append(rune, to: &result)
            return
        }
        result.append(backslash)
        switch rune {
        case 7: result.append(UInt8(ascii: "a"))
        case 8: result.append(UInt8(ascii: "b"))
        case 9: result.append(UInt8(ascii: "t"))
        case 10: result.append(UInt8(ascii: "n"))
        case 11: result.append(UInt8(ascii: "v"))
        case 12: result.append(UInt8(ascii: "f"))
        case 13: result.append(UInt8(ascii: "r"))
        case ..<0x20, 0x7F:
            result.append(UInt8(ascii: "x"))
            appendHex(rune, digits: 2, to: &result)
        case ..<0x10000:
            result.append(UInt8(ascii: "u"))
            appendHex(rune, digits: 4, to: &result)
        default:
            result.append(UInt8(ascii: "U"))
            appendHex(rune, digits: 8, to: &result)
        }
    }

    private static func appendHex(_ value: UInt32, digits: Int, to result: inout [UInt8]) {
        for digit in stride(from: digits - 1, through: 0, by: -1) {
            result.append(Array("0123456789abcdef".utf8)[Int(value >> UInt32(digit * 4) & 15)])
        }
    }
}
