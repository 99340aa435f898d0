/// Reads JSON from bytes into values. Strict RFC 8259, except that bad UTF-8 becomes U+FFFD and the
/// last of equal keys wins; nesting is bounded.
struct JSONReader {
    static let maximumDepth = 512

    private let bytes: UnsafeBufferPointer<UInt8>
    private let pool: StringPool?
    private var at = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, pool: StringPool? = nil) {
        self.bytes = bytes
        self.pool = pool
    }

    /// Reads one document that fills all the bytes.
    static func value(_ bytes: UnsafeBufferPointer<UInt8>, pool: StringPool? = nil) throws(JSONFailure) -> Value {
        var reader = JSONReader(bytes, pool: pool)
        let value = try reader.value(0)
        reader.skipSpace()
        guard reader.at == bytes.count else { throw reader.failure("unexpected data after the document") }
        return value
    }

    static func value(_ bytes: [UInt8], pool: StringPool? = nil) throws(JSONFailure) -> Value {
        try bytes.withBytes { (buffer) throws(JSONFailure) in try value(buffer, pool: pool) }
    }

    private func failure(_ message: String) -> JSONFailure { JSONFailure(message: message, offset: at) }

    @inline(__always)
    private func peek() -> UInt8 { at < bytes.count ? bytes[at] : 0 }

    @inline(__always)
    private mutating func skipSpace() {
        while at < bytes.count {
            let byte = bytes[at]
            if byte > 32 || (byte != 32 && byte != 10 && byte != 13 && byte != 9) { return }
            at &+= 1
        }
    }

    private mutating func value(_ depth: Int) throws(JSONFailure) -> Value {
        skipSpace()
        switch peek() {
        case UInt8(ascii: "\""):
            at += 1
            return .string(try string())
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "t"):
            try word("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try word("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try word("null")
            return .null
        default: return try number()
        }
    }

    private mutating func word(_ text: StaticString) throws(JSONFailure) {
        let count = text.utf8CodeUnitCount
        guard at + count <= bytes.count else { throw failure("unexpected end of JSON input") }
        for index in 0..<count where bytes[at + index] != text.utf8Start[index] { throw failure("invalid character") }
        at += count
    }

    private mutating func number() throws(JSONFailure) -> Value {
        let start = at
        let negative = peek() == UInt8(ascii: "-")
        if negative { at += 1 }
        var magnitude: UInt64 = 0
        let first = at
        while at < bytes.count, isDigit(bytes[at]) {
            magnitude = magnitude &* 10 &+ UInt64(bytes[at] &- 48)
            at &+= 1
        }
        let digits = at - first
        let next = peek()
        if digits > 0, digits <= 18, digits == 1 || bytes[first] != 48, next != 46, next | 32 != 101 {
            if negative, magnitude == 0 { return .int(0) }
            return .int(negative ? -Int64(magnitude) : Int64(magnitude))
        }
        while at < bytes.count {
            switch bytes[at] {
            case 48...57, 43, 45, 46, 69, 101: at += 1
            default:
                return try slowNumber(start)
            }
        }
        return try slowNumber(start)
    }

    private func slowNumber(_ start: Int) throws(JSONFailure) -> Value {
        guard at > start else {
            throw failure(at < bytes.count ? "invalid character" : "unexpected end of JSON input")
        }
        guard let number = Number(json: UnsafeBufferPointer(rebasing: bytes[start..<at])) else {
            throw failure("invalid number")
        }
        return .number(number)
    }

    private mutating func array(_ depth: Int) throws(JSONFailure) -> Value {
        guard depth < JSONReader.maximumDepth else { throw failure("nesting too deep") }
        at += 1
        skipSpace()
        if peek() == UInt8(ascii: "]") {
            at += 1
            return .array([])
        }
        var items: [Value] = []
        items.reserveCapacity(4)
        while true {
            items.append(try value(depth + 1))
            skipSpace()
            let byte = peek()
            at += 1
            if byte == UInt8(ascii: ",") { continue }
            if byte == UInt8(ascii: "]") { return .array(items) }
            throw failure("expected , or ]")
        }
    }

    private mutating func object(_ depth: Int) throws(JSONFailure) -> Value {
        guard depth < JSONReader.maximumDepth else { throw failure("nesting too deep") }
        at += 1
        skipSpace()
        if peek() == UInt8(ascii: "}") {
            at += 1
            return Value.emptyObject
        }
        var keys: [Value] = []
        var values: [Value] = []
        keys.reserveCapacity(4)
        values.reserveCapacity(4)
        var sorted = true
        while true {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw failure("expected a key") }
            at += 1
            let key = try string()
            skipSpace()
            guard peek() == UInt8(ascii: ":") else { throw failure("expected :") }
            at += 1
            let value = try value(depth + 1)
            if sorted, let last = keys.last, case .string(let before) = last, before.compare(key) >= 0 {
                sorted = false
            }
            keys.append(.string(key))
            values.append(value)
            skipSpace()
            let byte = peek()
            at += 1
            if byte == UInt8(ascii: ",") { continue }
            guard byte == UInt8(ascii: "}") else { throw failure("expected , or }") }
            if sorted { return .object(ObjectBox(keys: keys, values: values)) }
            return .object(JSONReader.sorted(keys, values))
        }
    }

    private static func sorted(_ keys: [Value], _ values: [Value]) -> ObjectBox {
        if keys.count > 12 { return ObjectBox(unsorted: Array(zip(keys, values))) }
        var keys = keys
        var values = values
        for index in 1..<keys.count {
            var at = index
            while at > 0 {
                let order = keys[at - 1].compare(keys[at])
                if order < 0 { break }
                if order == 0 { return ObjectBox(unsorted: Array(zip(keys, values))) }
                keys.swapAt(at, at - 1)
                values.swapAt(at, at - 1)
                at -= 1
            }
        }
        for index in 1..<keys.count where keys[index - 1].compare(keys[index]) >= 0 {
            return ObjectBox(unsorted: Array(zip(keys, values)))
        }
        return ObjectBox(keys: keys, values: values)
    }

    /// Reads a string whose opening quote is behind.
    private mutating func string() throws(JSONFailure) -> StringBox {
        let start = at
        var ascii: UInt8 = 0
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                let slice = UnsafeBufferPointer(rebasing: bytes[start..<at])
                at &+= 1
                if ascii & 0x80 != 0, !isUTF8(slice) { return StringBox.make(String(decoding: slice, as: UTF8.self)) }
                if let pool, slice.count <= 48, let known = pool.find(slice) { return known }
                return StringBox.make(slice)
            }
            if byte == UInt8(ascii: "\\") { return try escaped(start) }
            if byte < 32 { throw failure("invalid character in string literal") }
            ascii |= byte
            at &+= 1
        }
        throw failure("unexpected end of JSON input")
    }

    private mutating func escaped(_ start: Int) throws(JSONFailure) -> StringBox {
        var result = Array(bytes[start..<at])
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""):
                let valid = result.withUnsafeBufferPointer { isUTF8($0) }
                return valid ? StringBox.make(result) : StringBox.make(String(decoding: result, as: UTF8.self))
            case UInt8(ascii: "\\"):
                let letter = peek()
                at += 1
                switch letter {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(letter)
                case UInt8(ascii: "b"): result.append(8)
                case UInt8(ascii: "f"): result.append(12)
                case UInt8(ascii: "n"): result.append(10)
                case UInt8(ascii: "r"): result.append(13)
                case UInt8(ascii: "t"): result.append(9)
                case UInt8(ascii: "u"):
                    var code = try fourHex()
                    if (0xD800...0xDBFF).contains(code), peek() == UInt8(ascii: "\\"), at + 1 < bytes.count,
                        bytes[at + 1] == UInt8(ascii: "u")
                    {
                        let saved = at
                        at += 2
                        let low = try fourHex()
                        if (0xDC00...0xDFFF).contains(low) {
                            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
                        } else {
                            at = saved
                        }
                    }
                    result.append(contentsOf: Array(String(Character(Unicode.Scalar(code) ?? "\u{FFFD}")).utf8))
                default: throw failure("invalid escape in string literal")
                }
            case 0..<32: throw failure("invalid character in string literal")
            default: result.append(byte)
            }
        }
        throw failure("unexpected end of JSON input")
    }

    private mutating func fourHex() throws(JSONFailure) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = hexValue(peek()) else { throw failure("invalid \\u escape") }
            code = code << 4 | UInt32(digit)
            at += 1
        }
        return code
    }
}

/// Why bytes are not JSON.
struct JSONFailure: Error {
    let message: String
    let offset: Int
}

/// Whether the bytes are well-formed UTF-8 (RFC 3629).
func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var at = 0
    while at < bytes.count {
        let first = bytes[at]
        if first < 0x80 {
            at += 1
            continue
        }
        let count: Int
        var low: UInt8 = 0x80
        var high: UInt8 = 0xBF
        switch first {
        case 0xC2...0xDF: count = 1
        case 0xE0:
            count = 2
            low = 0xA0
        case 0xED:
            count = 2
            high = 0x9F
        case 0xE1...0xEF: count = 2
        case 0xF0:
            count = 3
            low = 0x90
        case 0xF4:
            count = 3
            high = 0x8F
        case 0xF1...0xF3: count = 3
        default: return false
        }
        guard at + count < bytes.count else { return false }
        for index in 1...count {
            let next = bytes[at + index]
            if next < low || next > high { return false }
            low = 0x80
            high = 0xBF
        }
        at += count + 1
    }
    return true
}
