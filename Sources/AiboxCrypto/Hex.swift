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
        // Differences are collected, so that the loops have no branch: verifying a log is half of it this.
        var bad: UInt64 = 0
        let words = bytes.count & ~3
        for index in stride(from: 0, to: words, by: 4) {
            let digits = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: 2 * index, as: UInt64.self))
            // Letters have bit 6, and 1 in their low half for what is worth ten.
            let values = (digits & 0x0f0f_0f0f_0f0f_0f0f) &+ (digits >> 6 & 0x0101_0101_0101_0101) &* 9
            bad |= (values & 0xf0f0_f0f0_f0f0_f0f0) | (self.digits(values) ^ digits)
            // Pairs of values become bytes, and the bytes move together.
            var packed = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff
            packed = (packed | packed >> 8) & 0x0000_ffff_0000_ffff
            let word = UInt32(truncatingIfNeeded: packed | packed >> 16)
            bytes.storeBytes(of: word.littleEndian, toByteOffset: index, as: UInt32.self)
        }
        for index in words..<bytes.count {
            let high = value(text[2 * index])
            let low = value(text[2 * index + 1])
            bad |= UInt64((high | low) & 0xf0)
            bytes[index] = high << 4 | low & 15
        }
        return bad == 0
    }

    /// The digits of eight values below 16, one a byte.
    private static func digits(_ values: UInt64) -> UInt64 {
        let letters = (values &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return values &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
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
