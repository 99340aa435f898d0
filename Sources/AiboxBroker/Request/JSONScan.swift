import AiboxWire

/// Reads the members of a JSON object without building the rest of the document: prompts are megabytes long.
///
/// Strict (RFC 8259): what two readers could take for two different documents is no document here.
struct JSONScan {
    struct Member: Sendable, Equatable {
        var name: String
        /// The value's bytes in the document.
        var value: Range<Int>
    }

    enum Failure: Error, Sendable, Equatable {
        case malformed(at: Int)
        case tooDeep
        case repeated(String)
        case noObject
    }

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    static let depthLimit = 512

    /// The members of the document's object, in the order written.
    static func members(of bytes: UnsafeRawBufferPointer) throws(Failure) -> [Member] {
        var scan = JSONScan(bytes: bytes)
        return try scan.document()
    }

    private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func document() throws(Failure) -> [Member] {
        skipSpace()
        guard take(UInt8(ascii: "{")) else { throw .noObject }
        var members: [Member] = []
        var names: Set<String> = []
        skipSpace()
        if !take(UInt8(ascii: "}")) {
            repeat {
                skipSpace()
                let name = try name()
                if !names.insert(name).inserted { throw .repeated(name) }
                skipSpace()
                try expect(UInt8(ascii: ":"))
                skipSpace()
                let start = position
                try value()
                members.append(Member(name: name, value: start..<position))
                skipSpace()
            } while take(UInt8(ascii: ","))
            try expect(UInt8(ascii: "}"))
        }
        skipSpace()
        if position < bytes.count { throw .malformed(at: position) }
        return members
    }

    private mutating func name() throws(Failure) -> String {
        let start = position
        try string()
        guard case .string(let name)? = try? JSONParser.parse(bytes[start..<position]) else {
            throw .malformed(at: start)
        }
        return name
    }

    /// Skips one value, whatever lies in it. A loop: nesting costs no stack.
    private mutating func value() throws(Failure) {
        var open: [UInt8] = []
        next: while true {
            skipSpace()
            guard let byte = peek else { throw .malformed(at: position) }
            switch byte {
            case UInt8(ascii: "{"):
                position += 1
                if open.count == Self.depthLimit { throw .tooDeep }
                skipSpace()
                if !take(UInt8(ascii: "}")) {
                    open.append(UInt8(ascii: "}"))
                    try memberName()
                    continue next
                }
            case UInt8(ascii: "["):
                position += 1
                if open.count == Self.depthLimit { throw .tooDeep }
                skipSpace()
                if !take(UInt8(ascii: "]")) {
                    open.append(UInt8(ascii: "]"))
                    continue next
                }
            case UInt8(ascii: "\""): try string()
            case UInt8(ascii: "t"): try word("true")
            case UInt8(ascii: "f"): try word("false")
            case UInt8(ascii: "n"): try word("null")
            default: try number()
            }
            while let closing = open.last {
                skipSpace()
                if take(UInt8(ascii: ",")) {
                    if closing == UInt8(ascii: "}") { try memberName() }
                    continue next
                }
                try expect(closing)
                open.removeLast()
            }
            return
        }
    }

    private mutating func memberName() throws(Failure) {
        skipSpace()
        try string()
        skipSpace()
        try expect(UInt8(ascii: ":"))
    }

    private mutating func string() throws(Failure) {
        try expect(UInt8(ascii: "\""))
        while let byte = peek {
            position += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte == UInt8(ascii: "\\") {
                guard let escape = peek, Self.escapes[Int(escape)] else { throw .malformed(at: position) }
                position += 1
            } else if byte < 0x20 {
                throw .malformed(at: position - 1)
            }
        }
        throw .malformed(at: position)
    }

    private static let escapes: [Bool] = (0..<256).map { "\"\\/bfnrtu".utf8.contains(UInt8($0)) }

    private mutating func number() throws(Failure) {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        if position == start { throw .malformed(at: start) }
    }

    private mutating func digits() throws(Failure) {
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        if position == start { throw .malformed(at: start) }
    }

    private mutating func word(_ word: StaticString) throws(Failure) {
        for offset in 0..<word.utf8CodeUnitCount { try expect(word.utf8Start[offset]) }
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        if peek != byte { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(Failure) {
        if !take(byte) { throw .malformed(at: position) }
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }
}
