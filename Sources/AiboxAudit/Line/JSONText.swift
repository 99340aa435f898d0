/// JSON strings as the log has them: printable on any terminal, and the same bytes for the same text always.
enum JSONText {
    /// Appends `text` in quotation marks.
    ///
    /// Escaped besides what RFC 8259 demands: DEL and C1 controls, line and paragraph separators, characters that
    /// reorder or hide text, and the carriers of invalid bytes (`AuditText`).
    static func append(_ text: String, to line: inout [UInt8]) {
        var text = text
        line.append(UInt8(ascii: "\""))
        text.withUTF8 { bytes in
            var plain = 0
            var index = 0
            while index < bytes.count {
                let length = special(bytes, index)
                if length == 0 {
                    index += 1
                    continue
                }
                line.append(contentsOf: bytes[plain..<index])
                escape(bytes[index..<index + length], to: &line)
                index += length
                plain = index
            }
            line.append(contentsOf: bytes[plain...])
        }
        line.append(UInt8(ascii: "\""))
    }

    /// The length of the character at `index` if it must be escaped, else 0.
    private static func special(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> Int {
        let byte = bytes[index]
        if byte < 0x80 { return byte < 0x20 || byte == 0x22 || byte == 0x5c || byte == 0x7f ? 1 : 0 }
        // Only these lead bytes begin a character that is escaped; everything else is looked at no further.
        let length =
            switch byte {
            case 0xc2, 0xd8: 2
            case 0xe2, 0xef: 3
            case 0xf3, 0xf4: 4
            default: 0
            }
        if length == 0 { return 0 }
        return isHidden(scalar(bytes[index..<index + length])) ? length : 0
    }

    private static func isHidden(_ value: UInt32) -> Bool {
        switch value {
        case 0x80...0x9f, 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff, 0xfff9...0xfffb: true
        case 0xe0000...0xe007f, 0x10FE80...0x10FEFF: true
        default: false
        }
    }

    private static func scalar(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> UInt32 {
        let first = bytes[bytes.startIndex]
        let lead: UInt8 = bytes.count == 1 ? 0x7f : 0xff >> UInt8(bytes.count + 1)
        return bytes.dropFirst().reduce(UInt32(first & lead)) { $0 << 6 | UInt32($1 & 0x3f) }
    }

    private static func escape(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, to line: inout [UInt8]) {
        switch scalar(bytes) {
        case 0x22: line.append(contentsOf: #"\""#.utf8)
        case 0x5c: line.append(contentsOf: #"\\"#.utf8)
        case 0x0a: line.append(contentsOf: #"\n"#.utf8)
        case 0x0d: line.append(contentsOf: #"\r"#.utf8)
        case 0x09: line.append(contentsOf: #"\t"#.utf8)
        case let value where value > 0xffff:
            unit(0xd800 + (value - 0x10000) >> 10, to: &line)
            unit(0xdc00 + (value - 0x10000) & 0x3ff, to: &line)
        case let value: unit(value, to: &line)
        }
    }

    private static func unit(_ value: UInt32, to line: inout [UInt8]) {
        line.append(contentsOf: #"\u"#.utf8)
        for shift in [12, 8, 4, 0] as [UInt32] {
            let digit = UInt8(value >> shift & 15)
            line.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
        }
    }
}
