/// Lower-case hexadecimal.
public enum Hex {
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.underestimatedCount * 2)
        append(bytes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    public static func append(_ bytes: some Sequence<UInt8>, to text: inout [UInt8]) {
        for byte in bytes {
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
    }

    /// The bytes; nil for an odd count, an upper-case digit or anything else.
    public static func decode(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8 { digits -> [UInt8]? in
            guard digits.count.isMultiple(of: 2) else { return nil }
            var bytes = [UInt8](repeating: 0, count: digits.count / 2)
            let valid = bytes.withUnsafeMutableBytes { decode(UnsafeRawBufferPointer(digits), into: $0) }
            return valid ? bytes : nil
        }
    }

    /// False if a character is no lower-case digit. `bytes` is half as long as `text`.
    static func decode(_ text: UnsafeRawBufferPointer, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
        // Bad digits are collected in the high bits, so that the loops have no branch.
        var bad: UInt8 = 0
        let vectors = bytes.count & ~7
        if vectors > 0 {
            var bads = SIMD16<UInt8>(repeating: 0)
            for index in stride(from: 0, to: vectors, by: 8) {
                let values = values(text.loadUnaligned(fromByteOffset: 2 * index, as: SIMD16<UInt8>.self))
                bads |= values
                bytes.storeBytes(
                    of: values.evenHalf &<< 4 | values.oddHalf & 15, toByteOffset: index, as: SIMD8<UInt8>.self)
            }
            for index in 0..<16 { bad |= bads[index] }
        }
        for index in vectors..<bytes.count {
            let high = value(text[2 * index])
            let low = value(text[2 * index + 1])
            bad |= high | low
            bytes[index] = high << 4 | low & 15
        }
        return bad & 0xf0 == 0
    }

    /// As `value`, of 16 digits at once.
    private static func values(_ digits: SIMD16<UInt8>) -> SIMD16<UInt8> {
        let numbers = digits &- SIMD16(repeating: UInt8(ascii: "0"))
        let letters = digits &- SIMD16(repeating: UInt8(ascii: "a"))
        let none = SIMD16<UInt8>(repeating: 0xff)
        return none.replacing(with: letters &+ 10, where: letters .< 6).replacing(with: numbers, where: numbers .< 10)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }

    private static func value(_ digit: UInt8) -> UInt8 {
        let number = digit &- UInt8(ascii: "0")
        if number < 10 { return number }
        let letter = digit &- UInt8(ascii: "a")
        return letter < 6 ? letter + 10 : 0xff
    }
}
