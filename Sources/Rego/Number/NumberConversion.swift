extension Number {
    /// `to_number` on a string: what Go's `strconv.ParseFloat` takes, with the text kept when it is JSON.
    static func toNumber(_ text: String) throws(SupportError) -> Number {
        if let number = Number(json: text) {
            if case .decimal(let value) = number, value.double.isInfinite { throw outOfRange(text) }
            return number
        }
        var body = Substring(text)
        var negative = false
        if let sign = body.utf8.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            negative = sign == UInt8(ascii: "-")
            body = body.dropFirst()
        }
        let unsigned = body.drop { $0 == "+" || $0 == "-" }
        if ["inf", "infinity", "nan"].contains(GoText.lower(String(unsigned))) {
            throw .type("operand 1 must be valid number string but got string")
        }
        guard let bytes = withoutUnderscores(Array(body.utf8)) else { throw invalidSyntax(text) }
        if bytes.count > 2, bytes[0] == UInt8(ascii: "0"), bytes[1] | 0x20 == UInt8(ascii: "x") {
            return try hexFloat(bytes, negative: negative, text: text)
        }
        guard let plain = jsonForm(bytes, negative: negative), let number = Number(json: plain) else {
            throw invalidSyntax(text)
        }
        if number.double.isInfinite { throw outOfRange(text) }
        return number
    }

    /// `format_int`: the integral part in a base of 2, 8, 10 or 16.
    func format(base: Int) throws(SupportError) -> String {
        if case .int(let value) = self { return String(value, radix: base) }
        if case .decimal(let value) = self, let big = value.plainInteger { return big.text(base: base) }
        return try bigFloat().truncated().text(base: base)
    }

    /// JSON spelling of Go's looser decimal floats: `01`, `.5`, `5.`.
    private static func jsonForm(_ bytes: [UInt8], negative: Bool) -> String? {
        let zero = UInt8(ascii: "0")
        let dot = UInt8(ascii: ".")
        var mantissa = bytes[...]
        var exponent: ArraySlice<UInt8> = []
        if let mark = bytes.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) {
            mantissa = bytes[..<mark]
            exponent = bytes[mark...]
        }
        guard mantissa.contains(where: { $0 != dot }) else { return nil }
        while mantissa.count > 1, mantissa.first == zero { mantissa = mantissa.dropFirst() }
        var result: [UInt8] = negative ? [UInt8(ascii: "-")] : []
        if mantissa.first == dot { result.append(zero) }
        result += mantissa
        if mantissa.last == dot { result.removeLast() }
        return String(decoding: result + exponent, as: UTF8.self)
    }

    /// Underscores are allowed between digits only; nil when one stands elsewhere.
    private static func withoutUnderscores(_ bytes: [UInt8]) -> [UInt8]? {
        let underscore = UInt8(ascii: "_")
        guard bytes.contains(underscore) else { return bytes }
        let isHex = bytes.count > 2 && bytes[1] | 0x20 == UInt8(ascii: "x")
        func isDigit(_ index: Int) -> Bool {
            guard bytes.indices.contains(index) else { return false }
            guard let digit = BigInt.digit(bytes[index]) else { return false }
            return digit < (isHex ? 16 : 10) || (isHex && index == 1)
        }
        for (index, byte) in bytes.enumerated() where byte == underscore {
            guard isDigit(index - 1), isDigit(index + 1) else { return nil }
        }
        return bytes.filter { $0 != underscore }
    }

    private static func hexFloat(_ bytes: [UInt8], negative: Bool, text: String) throws(SupportError) -> Number {
        // Go wants the exponent, Swift does not.
        guard bytes.contains(where: { $0 | 0x20 == UInt8(ascii: "p") }),
            let value = Double(String(decoding: bytes, as: UTF8.self))
        else { throw invalidSyntax(text) }
        guard let number = Number(negative ? -value : value) else { throw outOfRange(text) }
        return number
    }

    private static func invalidSyntax(_ text: String) -> SupportError {
        .invalid("strconv.ParseFloat: parsing \(GoText.quote(text)): invalid syntax")
    }

    private static func outOfRange(_ text: String) -> SupportError {
        .invalid("strconv.ParseFloat: parsing \(GoText.quote(text)): value out of range")
    }
}

extension DecimalNumber {
    /// The value when the text itself is plain digits.
    var plainInteger: BigInt? {
        for byte in text.utf8 where byte != UInt8(ascii: "-") {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        }
        return bigInt
    }
}
