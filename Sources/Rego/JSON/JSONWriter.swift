/// Writes values as JSON bytes: sets as sorted arrays, keys that are not strings as their JSON text.
struct JSONWriter {
    /// Go's encoder writes `<`, `>`, `&` and the line separators as escapes.
    enum Escaping { case minimal, html }

    /// Values share their parts, so that a small one may be endless as text.
    static let limit = 1 << 28

    private(set) var bytes: [UInt8] = []
    /// The text grew over the limit and ends somewhere.
    private(set) var isTruncated = false
    private let escaping: Escaping

    init(escaping: Escaping = .minimal) {
        self.escaping = escaping
        bytes.reserveCapacity(256)
    }

    static func bytes(_ value: Value, escaping: Escaping = .minimal) -> [UInt8] {
        var writer = JSONWriter(escaping: escaping)
        writer.write(value)
        return writer.bytes
    }

    mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func write(_ value: Value) {
        if isTruncated { return }
        if bytes.count > JSONWriter.limit {
            isTruncated = true
            return
        }
        switch value {
        case .undefined, .null: raw("null")
        case .bool(true): raw("true")
        case .bool(false): raw("false")
        case .int(let number): integer(number)
        case .number(let box): bytes.append(contentsOf: box.text.utf8)
        case .string(let box): box.withBytes { string($0) }
        case .array(let box): list(box.items)
        case .set(let box): list(box.items)
        case .object(let box):
            bytes.append(UInt8(ascii: "{"))
            for index in 0..<box.count where !isTruncated {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                key(box.keys[index])
                bytes.append(UInt8(ascii: ":"))
                write(box.values[index])
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    mutating func key(_ key: Value) {
        if case .string(let box) = key {
            box.withBytes { string($0) }
        } else {
            JSONWriter.bytes(key, escaping: escaping).withUnsafeBufferPointer { string($0) }
        }
    }

    private mutating func list(_ items: [Value]) {
        bytes.append(UInt8(ascii: "["))
        for index in 0..<items.count where !isTruncated {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            write(items[index])
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func integer(_ number: Int64) {
        if number >= 0, number < 10 {
            bytes.append(48 + UInt8(number))
        } else {
            bytes.append(contentsOf: String(number).utf8)
        }
    }

    mutating func string(_ text: UnsafeBufferPointer<UInt8>) {
        var ascii: UInt8 = 0
        for byte in text { ascii |= byte }
        if ascii & 0x80 != 0, !isUTF8(text) {
            var repaired = String(decoding: text, as: UTF8.self)
            repaired.withUTF8 { string($0) }
            return
        }
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        var at = 0
        func flush(_ bytes: inout [UInt8], _ end: Int) {
            if end > start { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<end])) }
        }
        while at < text.count {
            let byte = text[at]
            if byte >= 32, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                if escaping == .minimal || (byte != 60 && byte != 62 && byte != 38 && byte != 0xE2) {
                    at += 1
                    continue
                }
                if byte == 0xE2 {
                    // U+2028 and U+2029
                    if at + 2 < text.count, text[at + 1] == 0x80, text[at + 2] & 0xFE == 0xA8 {
                        flush(&bytes, at)
                        raw(text[at + 2] == 0xA8 ? "\\u2028" : "\\u2029")
                        at += 3
                        start = at
                    } else {
                        at += 1
                    }
                    continue
                }
            }
            flush(&bytes, at)
            switch byte {
            case UInt8(ascii: "\""): raw("\\\"")
            case UInt8(ascii: "\\"): raw("\\\\")
            case 8: raw("\\b")
            case 9: raw("\\t")
            case 10: raw("\\n")
            case 12: raw("\\f")
            case 13: raw("\\r")
            default:
                let digits = Array("0123456789abcdef".utf8)
                raw("\\u00")
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            }
            at += 1
            start = at
        }
        flush(&bytes, text.count)
        bytes.append(UInt8(ascii: "\""))
    }
}
