/// A YAML document as JSON sees it: keys are text, aliases are expanded.
indirect enum YAMLNode: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(Number)
    case string(String)
    case sequence([YAMLNode])
    /// Later keys win; the caller need not look for duplicates.
    case mapping([Entry])

    struct Entry: Sendable, Equatable {
        var key: String
        var value: YAMLNode
    }

    /// How a plain scalar reads (YAML 1.1 with the octal of 1.2). Throws for infinities and NaN, which JSON cannot hold.
    static func resolve(plain text: String) throws(SupportError) -> YAMLNode {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON": return .bool(true)
        case "false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF": return .bool(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": throw .invalid("json: unsupported value: +Inf")
        case "-.inf", "-.Inf", "-.INF": throw .invalid("json: unsupported value: -Inf")
        case ".nan", ".NaN", ".NAN": throw .invalid("json: unsupported value: NaN")
        default: break
        }
        guard let first = text.utf8.first, "0123456789+-.".utf8.contains(first) else { return .string(text) }
        if let number = number(Array(text.utf8.filter { $0 != UInt8(ascii: "_") })) { return .number(number) }
        return .string(text)
    }

    private static func number(_ bytes: [UInt8]) -> Number? {
        var digits = bytes[...]
        var isNegative = false
        if digits.first == UInt8(ascii: "-") || digits.first == UInt8(ascii: "+") {
            isNegative = digits.first == UInt8(ascii: "-")
            digits = digits.dropFirst()
        }
        func integer(_ digits: ArraySlice<UInt8>, _ base: Int) -> Number? {
            guard digits.count < 100, let value = BigInt(digits: digits, base: base) else { return nil }
            let signed = isNegative ? -value : value
            if signed.bitWidth <= 63 || (!isNegative && signed.bitWidth <= 64) { return Number(signed) }
            // Go has no larger integers here.
            return Number(Double(signed.text()) ?? 0)
        }
        if digits.first == UInt8(ascii: "0"), digits.count > 1 {
            let rest = digits.dropFirst(2)
            switch digits[digits.startIndex + 1] {
            case UInt8(ascii: "x"): return integer(rest, 16)
            case UInt8(ascii: "o"): return integer(rest, 8)
            case UInt8(ascii: "b"): return integer(rest, 2)
            default: if let value = integer(digits, 8) { return value }
            }
        }
        if digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) { return integer(digits, 10) }
        // [0-9]*(.[0-9]*)?(e[+-]?[0-9]+)? with a digit before the exponent
        let mantissa = digits.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        let isMantissa = mantissa.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || $0 == UInt8(ascii: ".") }
        guard isMantissa, mantissa.contains(where: { $0 != UInt8(ascii: ".") }), mantissa.count < 1000 else {
            return nil
        }
        guard let value = try? Number.toNumber(String(decoding: digits, as: UTF8.self)).double else { return nil }
        return Number(isNegative ? -value : value)
    }

    /// The key text of a plain scalar.
    static func key(plain text: String) throws(SupportError) -> String {
        switch try resolve(plain: text) {
        case .bool(let value): return value ? "true" : "false"
        case .number(let value): return value.text
        case .string(let value): return value
        default: throw .invalid("unsupported map key of type: %!s(<nil>), key: <nil>")
        }
    }
}
