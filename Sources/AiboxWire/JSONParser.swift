/// Reads one JSON document strictly: RFC 8259 and nothing more.
///
/// Refused besides what the grammar refuses: names that occur twice in one object, lone surrogates, bytes that are no
/// UTF-8, numbers that do not fit (`Int64` for integers, a finite `Double` for the rest), nesting and sizes beyond the limits.
public struct JSONParser {
    public struct Limits: Sendable {
        /// Bytes of the whole document.
        public var size: Int
        /// Arrays and objects inside each other.
        public var depth: Int
        /// Integers beyond `Int64` become the nearest `Double`, for documents of other programs that hold
        /// unsigned 64-bit masks; refused otherwise.
        public var roundsLargeIntegers: Bool

        public init(size: Int = 1 << 20, depth: Int = 64, roundsLargeIntegers: Bool = false) {
            self.size = size
            self.depth = depth
            self.roundsLargeIntegers = roundsLargeIntegers
        }
    }

    private let input: UnsafeRawBufferPointer
    private let limits: Limits
    private var position = 0

    /// Parses the whole of `bytes`; only white space may surround the value.
    public static func parse(_ bytes: some Sequence<UInt8>, limits: Limits = Limits()) throws(JSONError) -> JSONValue {
        let bytes = ContiguousArray(bytes)
        let result: Result<JSONValue, JSONError> = bytes.withUnsafeBytes { input in
            var parser = JSONParser(input: input, limits: limits)
            do throws(JSONError) { return .success(try parser.document()) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Parses a text.
    public static func parse(_ text: String, limits: Limits = Limits()) throws(JSONError) -> JSONValue {
        try parse(text.utf8, limits: limits)
    }

    private init(input: UnsafeRawBufferPointer, limits: Limits) {
        self.input = input
        self.limits = limits
    }

    private mutating func document() throws(JSONError) -> JSONValue {
        if input.count > limits.size { throw JSONError(.tooLong, at: limits.size) }
        let value = try value(depth: 0)
        skipWhiteSpace()
        if position < input.count { throw fail(.trailing) }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        skipWhiteSpace()
        guard let first = peek else { throw fail(.unexpectedEnd) }
        switch first {
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw fail(.unexpectedByte)
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        if depth > limits.depth { throw fail(.tooDeep) }
        position += 1
        var object = JSONObject()
        var names: Set<String> = []
        skipWhiteSpace()
        if take(UInt8(ascii: "}")) { return object }
        while true {
            skipWhiteSpace()
            let start = position
            guard peek == UInt8(ascii: "\"") else { throw fail(peek == nil ? .unexpectedEnd : .unexpectedByte) }
            let name = try string()
            if !names.insert(name).inserted { throw JSONError(.duplicateName, at: start) }
            skipWhiteSpace()
            try expect(UInt8(ascii: ":"))
            object.append(JSONObject.Member(name, try value(depth: depth)))
            skipWhiteSpace()
            if take(UInt8(ascii: "}")) { return object }
            try expect(UInt8(ascii: ","))
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        if depth > limits.depth { throw fail(.tooDeep) }
        position += 1
        var elements: [JSONValue] = []
        skipWhiteSpace()
        if take(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try value(depth: depth))
            skipWhiteSpace()
            if take(UInt8(ascii: "]")) { return elements }
            try expect(UInt8(ascii: ","))
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for offset in 0..<word.utf8CodeUnitCount { try expect(word.utf8Start[offset]) }
        return value
    }

    // MARK: Numbers

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        let text = String(decoding: input[start..<position], as: UTF8.self)
        if isInteger {
            if let value = Int64(text) { return .integer(value) }
            guard limits.roundsLargeIntegers else { throw JSONError(.numberOutOfRange, at: start) }
        }
        guard let value = Double(text), value.isFinite else { throw JSONError(.numberOutOfRange, at: start) }
        return .number(value)
    }

    private mutating func digits() throws(JSONError) {
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        if position == start { throw fail(peek == nil ? .unexpectedEnd : .unexpectedByte) }
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        let start = position
        position += 1
        var from = position
        var decoded: [UInt8] = []
        while true {
            switch peek {
            case nil: throw fail(.unexpectedEnd)
            case UInt8(ascii: "\""):
                decoded.append(contentsOf: input[from..<position])
                position += 1
                guard let text = String(validating: decoded, as: UTF8.self) else {
                    throw JSONError(.invalidUTF8, at: start)
                }
                return text
            case UInt8(ascii: "\\"):
                decoded.append(contentsOf: input[from..<position])
                position += 1
                try escape(into: &decoded)
                from = position
            case .some(0..<0x20): throw fail(.unexpectedByte)
            default: position += 1
            }
        }
    }

    private mutating func escape(into decoded: inout [UInt8]) throws(JSONError) {
        guard let byte = peek else { throw fail(.unexpectedEnd) }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(byte)
        case UInt8(ascii: "b"): decoded.append(0x08)
        case UInt8(ascii: "f"): decoded.append(0x0C)
        case UInt8(ascii: "n"): decoded.append(0x0A)
        case UInt8(ascii: "r"): decoded.append(0x0D)
        case UInt8(ascii: "t"): decoded.append(0x09)
        case UInt8(ascii: "u"):
            let start = position - 1
            position += 1
            var code = try fourHexadecimalDigits()
            if (0xD800..<0xDC00).contains(code), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
                let low = try fourHexadecimalDigits()
                guard (0xDC00..<0xE000).contains(low) else { throw JSONError(.loneSurrogate, at: start) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw JSONError(.loneSurrogate, at: start) }
            decoded.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            return
        default: throw fail(.unexpectedByte)
        }
        position += 1
    }

    private mutating func fourHexadecimalDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek else { throw fail(.unexpectedEnd) }
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
            default: throw fail(.unexpectedByte)
            }
            position += 1
        }
        return value
    }

    // MARK: Bytes

    private var peek: UInt8? { position < input.count ? input[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        if peek != byte { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(JSONError) {
        if !take(byte) { throw fail(peek == nil ? .unexpectedEnd : .unexpectedByte) }
    }

    private mutating func skipWhiteSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func fail(_ reason: JSONError.Reason) -> JSONError { JSONError(reason, at: position) }
}
