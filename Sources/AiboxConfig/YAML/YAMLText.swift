/// The checks that come before YAML: a text is UTF-8 with ordinary line ends and no hidden characters.
enum YAMLText {
    /// The first thing wrong with the bytes as text, if any.
    static func problems(_ bytes: [UInt8], file: String, limit: Int) -> [Problem] {
        if bytes.count > limit {
            return [Problem(file, nil, "the file has \(bytes.count) bytes; at most \(limit) are read")]
        }
        if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f || $0 == 0x0a }) { return [] }
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
            return [Problem(file, TextPosition(line: 1, column: 1), "the file is UTF-16; save it as UTF-8")]
        }
        var position = TextPosition(line: 1, column: 1)
        var index = 0
        while index < bytes.count {
            guard let (value, length) = scalar(bytes, at: index) else {
                return [Problem(file, position, "the bytes are not valid UTF-8")]
            }
            let crlf = value == 0x0d && index + 1 < bytes.count && bytes[index + 1] == 0x0a
            if let complaint = complaint(value, isFirst: index == 0, isCRLF: crlf) {
                return [Problem(file, position, complaint)]
            }
            // A byte order mark takes no column.
            if value == 0x0a {
                position = TextPosition(line: position.line + 1, column: 1)
            } else if value != 0xfeff {
                position.column += 1
            }
            index += length
        }
        return []
    }

    private static func complaint(_ value: UInt32, isFirst: Bool, isCRLF: Bool) -> String? {
        switch value {
        case 0: "the file contains a NUL byte"
        case 0x09, 0x0a: nil
        case 0x0d: isCRLF ? nil : "a carriage return without a line feed is not a line end here"
        case 0x01...0x1f, 0x7f...0x84, 0x86...0x9f:
            "the control character U+\(hexadecimal(value)) is not allowed"
        case 0x85, 0x2028, 0x2029: "the line separator U+\(hexadecimal(value)) is not allowed"
        case 0xfeff: isFirst ? nil : "a byte order mark is allowed at the start of the file only"
        case 0x202a...0x202e, 0x2066...0x2069:
            "the text direction control U+\(hexadecimal(value)) is not allowed: it shows a text other than it is"
        default: nil
        }
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// The Unicode scalar at `index` and its length in bytes; nil for anything RFC 3629 forbids.
    static func scalar(_ bytes: [UInt8], at index: Int) -> (value: UInt32, length: Int)? {
        let first = bytes[index]
        let (length, start, least): (Int, UInt32, UInt32)
        switch first {
        case 0x00...0x7f: return (UInt32(first), 1)
        case 0xc2...0xdf: (length, start, least) = (2, UInt32(first & 0x1f), 0x80)
        case 0xe0...0xef: (length, start, least) = (3, UInt32(first & 0x0f), 0x800)
        case 0xf0...0xf4: (length, start, least) = (4, UInt32(first & 0x07), 0x10000)
        default: return nil
        }
        guard index + length <= bytes.count else { return nil }
        var value = start
        for byte in bytes[(index + 1)..<(index + length)] {
            guard byte & 0xc0 == 0x80 else { return nil }
            value = value << 6 | UInt32(byte & 0x3f)
        }
        guard value >= least, Unicode.Scalar(value) != nil else { return nil }
        return (value, length)
    }
}
