/// What a request says, as who reads it in the end reads it: its strings decoded from JSON (RFC 8259 section 7).
struct RequestTexts: Sendable {
    /// Values of strings, one behind the other with nothing between them, as a model reads the parts of a message.
    private(set) var joined: [UInt8] = []
    /// Names of members, words of the format, numbers, header fields: each on a line of its own.
    private(set) var others: [UInt8] = []
    /// Where the values begin in `joined`.
    private(set) var starts: [Int] = []

    /// Members whose values stand between the parts of a text and are none.
    private static let structural: Set<[UInt8]> = Set(
        ["type", "role", "id", "name", "model", "tool_use_id", "call_id", "status", "media_type", "ttl"].map {
            Array($0.utf8)
        })

    init() {}

    /// - Parameter body: valid JSON, as `JSONScan` has found it.
    init(_ body: UnsafeRawBufferPointer) {
        joined.reserveCapacity(body.count)
        var position = 0
        var isStructural = false
        while position < body.count {
            switch body[position] {
            case UInt8(ascii: "\""):
                let end = Self.end(ofString: body, from: position + 1)
                let content = UnsafeRawBufferPointer(rebasing: body[position + 1..<end])
                position = min(end + 1, body.count)
                var next = position
                while next < body.count, body[next] <= 0x20 { next += 1 }
                if next < body.count, body[next] == UInt8(ascii: ":") {
                    let start = others.count
                    Self.decode(content, into: &others)
                    isStructural = Self.structural.contains(Array(others[start...]))
                    others.append(0x0A)
                } else if isStructural {
                    Self.decode(content, into: &others)
                    others.append(0x0A)
                    isStructural = false
                } else {
                    starts.append(joined.count)
                    Self.decode(content, into: &joined)
                }
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let start = position
                while position < body.count, Self.isNumeric(body[position]) { position += 1 }
                others += body[start..<position]
                others.append(0x0A)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                isStructural = false
                position += 1
            default: position += 1
            }
        }
    }

    /// Takes in what is no part of the body.
    mutating func add(_ bytes: some Sequence<UInt8>) {
        others += bytes
        others.append(0x0A)
    }

    private static func isNumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"),
            UInt8(ascii: "+"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func end(ofString bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(position, bytes.count)
    }

    private static func decode(_ text: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        var position = 0
        while position < text.count {
            var plain = position
            while plain < text.count, text[plain] != UInt8(ascii: "\\") { plain += 1 }
            output += text[position..<plain]
            position = plain
            guard position + 1 < text.count else { return }
            let escape = text[position + 1]
            position += 2
            switch escape {
            case UInt8(ascii: "n"): output.append(0x0A)
            case UInt8(ascii: "r"): output.append(0x0D)
            case UInt8(ascii: "t"): output.append(0x09)
            case UInt8(ascii: "b"): output.append(0x08)
            case UInt8(ascii: "f"): output.append(0x0C)
            case UInt8(ascii: "u"):
                var scalar = unit(text, position)
                position += 4
                // A pair of surrogates; one alone is no character.
                if 0xD800..<0xDC00 ~= scalar, position + 1 < text.count, text[position] == UInt8(ascii: "\\"),
                    text[position + 1] == UInt8(ascii: "u"), 0xDC00..<0xE000 ~= unit(text, position + 2)
                {
                    scalar = 0x10000 + (scalar - 0xD800) << 10 + (unit(text, position + 2) - 0xDC00)
                    position += 6
                }
                output += String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8
            default: output.append(escape)
            }
        }
    }

    /// Four hexadecimal digits; what is none of them counts as no character.
    private static func unit(_ text: UnsafeRawBufferPointer, _ start: Int) -> UInt32 {
        guard start + 4 <= text.count else { return 0xD800 }
        var value: UInt32 = 0
        for byte in text[start..<start + 4] {
            guard let digit = UInt32(String(Unicode.Scalar(byte)), radix: 16) else { return 0xD800 }
            value = value << 4 | digit
        }
        return value
    }

    /// In small letters (ASCII) and without white space: as canaries are looked for.
    static func folded(_ text: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: text.count) { output, count in
            for byte in text {
                switch byte {
                case 0x20, 0x09...0x0D: continue
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): output[count] = byte | 0x20
                default: output[count] = byte
                }
                count += 1
            }
        }
    }
}
