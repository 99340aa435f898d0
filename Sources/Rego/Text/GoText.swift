/// String built-ins by the rules of Go's `strings` package: on code points, with simple case mapping.
enum GoText {
    /// Results longer than this are refused.
    static let maxBytes = 64 << 20

    static func lower(_ text: String) -> String {
        mapped(text, asciiFrom: 0x41, to: 0x5A) { UnicodeTables.lower($0) }
    }

    static func upper(_ text: String) -> String {
        mapped(text, asciiFrom: 0x61, to: 0x7A) { UnicodeTables.upper($0) }
    }

    private static func mapped(
        _ text: String, asciiFrom low: UInt8, to high: UInt8, _ map: (UInt32) -> UInt32
    ) -> String {
        text.withBytes { bytes in
            var isASCII = true
            var changes = false
            for byte in bytes {
                if byte >= 0x80 { isASCII = false }
                if byte >= low, byte <= high { changes = true }
            }
            if isASCII {
                if !changes { return text }
                return String(unsafeUninitializedCapacity: bytes.count) { buffer in
                    for index in 0..<bytes.count {
                        let byte = bytes[index]
                        buffer[index] = byte >= low && byte <= high ? byte ^ 0x20 : byte
                    }
                    return bytes.count
                }
            }
            var result: [UInt8] = []
            result.reserveCapacity(bytes.count)
            var position = 0
            while position < bytes.count {
                let (rune, width) = GoRune.decode(bytes, position)
                GoRune.append(map(rune), to: &result)
                position += width
            }
            return String(decoding: result, as: UTF8.self)
        }
    }

    static func reverse(_ text: String) -> String {
        text.withBytes { bytes in
            String(unsafeUninitializedCapacity: bytes.count) { buffer in
                var position = 0
                var end = bytes.count
                while position < bytes.count {
                    let width = GoRune.decode(bytes, position).width
                    end -= width
                    for offset in 0..<width { buffer[end + offset] = bytes[position + offset] }
                    position += width
                }
                return bytes.count
            }
        }
    }

    static func scalarCount(_ text: String) -> Int {
        text.withBytes { bytes in
            var count = 0
            for byte in bytes where byte & 0xC0 != 0x80 { count += 1 }
            return count
        }
    }

    /// By code points; a negative length takes the rest.
    static func substring(_ text: String, offset: Int, length: Int) throws(SupportError) -> String {
        if offset < 0 { throw .invalid("negative offset") }
        return text.withBytes { bytes in
            let start = byteOffset(bytes, from: 0, runes: offset)
            let end = length < 0 ? bytes.count : byteOffset(bytes, from: start, runes: length)
            return slice(bytes, start..<end)
        }
    }

    private static func byteOffset(_ bytes: Bytes, from start: Int, runes: Int) -> Int {
        var position = start
        var left = runes
        while left > 0, position < bytes.count {
            position += GoRune.decode(bytes, position).width
            left -= 1
        }
        return position
    }

    static func slice(_ bytes: Bytes, _ range: Range<Int>) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }

    /// The text with one U+FFFD for each byte that is not part of a code point.
    static func string(repairing bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return bytes.withBytes { bytes in
            var result: [UInt8] = []
            result.reserveCapacity(bytes.count + 16)
            var position = 0
            while position < bytes.count {
                let (rune, width) = GoRune.decode(bytes, position)
                GoRune.append(rune, to: &result)
                position += width
            }
            return String(decoding: result, as: UTF8.self)
        }
    }
}
