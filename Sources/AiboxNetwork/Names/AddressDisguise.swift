extension IPAddress {
    /// The address that `text` would reach if a C library took it for one, in any of the spellings
    /// that inet_aton(3), browsers and curl accept; nil for what is no address.
    ///
    /// Decimal (`2130706433`), octal (`0177.0.0.1`), hexadecimal (`0x7f.1`), fewer than four parts,
    /// a trailing dot, IPv6 in brackets and with a zone (`[fe80::1%eth0]`).
    public init?(disguised text: String) {
        var bytes = text.utf8[...]
        if bytes.first == UInt8(ascii: "[") {
            guard bytes.last == UInt8(ascii: "]") else { return nil }
            bytes = bytes.dropFirst().dropLast()
            if let zone = bytes.firstIndex(of: UInt8(ascii: "%")) { bytes = bytes[..<zone] }
            guard let value = Self.colonHex(bytes) else { return nil }
            self = .v6(value)
            return
        }
        if bytes.contains(UInt8(ascii: ":")) {
            if let zone = bytes.firstIndex(of: UInt8(ascii: "%")) { bytes = bytes[..<zone] }
            guard let value = Self.colonHex(bytes) else { return nil }
            self = .v6(value)
            return
        }
        if bytes.last == UInt8(ascii: ".") { bytes = bytes.dropLast() }
        guard let value = Self.looseQuad(bytes) else { return nil }
        self = .v4(value)
    }

    /// inet_aton(3): one to four numbers, the last of which fills the bytes that are left.
    private static func looseQuad(_ text: Substring.UTF8View) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...4).contains(parts.count) else { return nil }
        var value: UInt64 = 0
        for (index, part) in parts.enumerated() {
            guard let number = looseNumber(part) else { return nil }
            if index == parts.count - 1 {
                let room = UInt64(8 * (4 - index))
                guard number < 1 << room else { return nil }
                value = value << room | number
            } else {
                guard number <= 255 else { return nil }
                value = value << 8 | number
            }
        }
        return UInt32(truncatingIfNeeded: value)
    }

    /// `0x` and `0X` hexadecimal, a leading zero octal, else decimal. Values past 32 bits are nil.
    static func looseNumber(_ text: Substring.UTF8View) -> UInt64? {
        guard !text.isEmpty, text.count <= 20 else { return nil }
        var digits = text
        var radix: UInt64 = 10
        if digits.first == UInt8(ascii: "0"), digits.count > 1 {
            digits = digits.dropFirst()
            radix = 8
            if digits.first == UInt8(ascii: "x") || digits.first == UInt8(ascii: "X") {
                digits = digits.dropFirst()
                radix = 16
            }
        }
        var value: UInt64 = 0
        for byte in digits {
            guard let digit = byte.hexDigitValue, UInt64(digit) < radix else { return nil }
            value = value * radix + UInt64(digit)
            guard value <= UInt64(UInt32.max) else { return nil }
        }
        return value
    }
}
