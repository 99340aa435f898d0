/// UTF-8 decoding by Go's rules: every bad byte is one U+FFFD of width 1.
enum GoRune {
    static let replacement: UInt32 = 0xFFFD

    /// The code point at `position` (which must be inside) and its width in bytes.
    @inline(__always)
    static func decode(_ bytes: Bytes, _ position: Int) -> (rune: UInt32, width: Int) {
        let first = bytes[position]
        if first < 0x80 { return (UInt32(first), 1) }
        return decodeLong(bytes, position, first)
    }

    private static func decodeLong(_ bytes: Bytes, _ position: Int, _ first: UInt8) -> (rune: UInt32, width: Int) {
        let left = bytes.count - position
        func tail(_ offset: Int) -> UInt32? {
            guard offset < left else { return nil }
            let byte = bytes[position + offset]
            return byte & 0xC0 == 0x80 ? UInt32(byte & 0x3F) : nil
        }
        switch first {
        case 0xC2...0xDF:
            guard let a = tail(1) else { break }
            return (UInt32(first & 0x1F) << 6 | a, 2)
        case 0xE0...0xEF:
            guard let a = tail(1), let b = tail(2) else { break }
            let rune = UInt32(first & 0x0F) << 12 | a << 6 | b
            if rune >= 0x800, rune < 0xD800 || rune > 0xDFFF { return (rune, 3) }
        case 0xF0...0xF4:
            guard let a = tail(1), let b = tail(2), let c = tail(3) else { break }
            let rune = UInt32(first & 0x07) << 18 | a << 12 | b << 6 | c
            if rune >= 0x10000, rune <= 0x10FFFF { return (rune, 4) }
        default: break
        }
        return (replacement, 1)
    }

    /// The code point that ends before `position` (which must not be 0), and its width.
    static func decodeLast(_ bytes: Bytes, _ position: Int) -> (rune: UInt32, width: Int) {
        var start = position - 1
        if bytes[start] < 0x80 { return (UInt32(bytes[start]), 1) }
        let limit = max(0, position - 4)
        while start > limit, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        let (rune, width) = decode(bytes, start)
        return start + width == position ? (rune, width) : (replacement, 1)
    }

    /// Appends the UTF-8 form; U+FFFD for what is no code point.
    @inline(__always)
    static func append(_ rune: UInt32, to bytes: inout [UInt8]) {
        if rune < 0x80 {
            bytes.append(UInt8(rune))
            return
        }
        let rune = rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF) ? replacement : rune
        if rune < 0x800 {
            bytes.append(UInt8(0xC0 | rune >> 6))
        } else {
            if rune < 0x10000 {
                bytes.append(UInt8(0xE0 | rune >> 12))
            } else {
                bytes.append(UInt8(0xF0 | rune >> 18))
                bytes.append(UInt8(0x80 | (rune >> 12 & 0x3F)))
            }
            bytes.append(UInt8(0x80 | (rune >> 6 & 0x3F)))
        }
        bytes.append(UInt8(0x80 | (rune & 0x3F)))
    }

    /// How many code points.
    static func count(_ bytes: Bytes) -> Int {
        var count = 0
        var position = 0
        while position < bytes.count {
            position += decode(bytes, position).width
            count += 1
        }
        return count
    }

    static func runes(_ text: String) -> [UInt32] { text.unicodeScalars.map(\.value) }
}
