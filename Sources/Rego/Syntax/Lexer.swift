enum Token: Equatable {
    case end
    case identifier(String)
    case keyword(Keyword)
    case number(String)
    case string([UInt8])
    case rawString([UInt8])
    /// `$"` or `` $` ``: the parser reads the parts.
    case template(raw: Bool)
    case symbol(Symbol)

    enum Keyword: String {
        case `as`, contains, `default`, `else`, every, `false`, `if`, `import`, `in`, not, null, package, some, `true`,
            with
    }

    enum Symbol: String {
        case dot = ".", comma = ",", semicolon = ";", colon = ":", assign = ":=", unify = "="
        case equal = "==", notEqual = "!=", less = "<", lessEqual = "<=", greater = ">", greaterEqual = ">="
        case plus = "+", minus = "-", star = "*", slash = "/", percent = "%", and = "&", or = "|"
        case openParenthesis = "(", closeParenthesis = ")", openBracket = "[", closeBracket = "]"
        case openBrace = "{", closeBrace = "}"
    }
}

/// Splits a policy into tokens on demand. A value: saving and restoring the place is copying it.
struct Lexer {
    let bytes: [UInt8]
    let file: Int32
    var at = 0
    var row: Int32 = 1
    var rowStart = 0

    var token: Token = .end
    var location: Location
    /// White space, a comment or a row's end stands before the token.
    var spaceBefore = false
    var newlineBefore = false
    /// Where the token before this one ended.
    var lastEnd: Int32 = 0
    var comments: [Comment] = []
    /// Tokens read, again after a restore; bounds the work on ambiguous input.
    var scanned = 0

    init(bytes: [UInt8], file: Int32) {
        self.bytes = bytes
        self.file = file
        location = Location(file: file, row: 1, column: 1, offset: 0, end: 0)
    }

    @inline(__always)
    private func byte(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

    func place(_ offset: Int) -> Location {
        Location(file: file, row: row, column: Int32(offset - rowStart + 1), offset: Int32(offset), end: Int32(offset))
    }

    func failure(_ message: String, _ location: Location? = nil) -> SyntaxFailure {
        SyntaxFailure(message: message, location: location ?? place(min(at, bytes.count)))
    }

    private mutating func skipSpace() {
        spaceBefore = false
        newlineBefore = false
        while at < bytes.count {
            switch bytes[at] {
            case 10:
                at += 1
                row += 1
                rowStart = at
                newlineBefore = true
                spaceBefore = true
            case 32, 9, 13:
                at += 1
                spaceBefore = true
            case 35:
                let start = at
                while at < bytes.count, bytes[at] != 10 { at += 1 }
                var end = at
                if end > start, bytes[end - 1] == 13 { end -= 1 }
                if (comments.last.map { Int($0.location.offset) } ?? -1) < start {
                    let own = !bytes[rowStart..<start].contains { $0 != 32 && $0 != 9 && $0 != 13 }
                    comments.append(
                        Comment(
                            text: Array(bytes[start + 1..<end]), location: place(start).through(Int32(end)), ownRow: own
                        ))
                }
                spaceBefore = true
            default: return
            }
        }
    }

    mutating func advance() throws(SyntaxFailure) {
        lastEnd = location.end
        skipSpace()
        scanned += 1
        location = place(at)
        let start = at
        token = try scan()
        location.end = Int32(at)
        _ = start
    }

    private mutating func scan() throws(SyntaxFailure) -> Token {
        guard at < bytes.count else { return .end }
        let first = bytes[at]
        if isLetter(first) { return word() }
        if isDigit(first) { return .number(try number()) }
        at += 1
        switch first {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "`"): return .rawString(try rawString())
        case UInt8(ascii: "$"):
            if byte(at) == UInt8(ascii: "\"") {
                at += 1
                return .template(raw: false)
            }
            if byte(at) == UInt8(ascii: "`") {
                at += 1
                return .template(raw: true)
            }
            throw failure("illegal $ character", place(at - 1))
        case UInt8(ascii: "."): return .symbol(.dot)
        case UInt8(ascii: ","): return .symbol(.comma)
        case UInt8(ascii: ";"): return .symbol(.semicolon)
        case UInt8(ascii: ":"): return .symbol(follow("=") ? .assign : .colon)
        case UInt8(ascii: "="): return .symbol(follow("=") ? .equal : .unify)
        case UInt8(ascii: "!"):
            if follow("=") { return .symbol(.notEqual) }
            throw failure("illegal ! character", place(at - 1))
        case UInt8(ascii: "<"): return .symbol(follow("=") ? .lessEqual : .less)
        case UInt8(ascii: ">"): return .symbol(follow("=") ? .greaterEqual : .greater)
        case UInt8(ascii: "+"): return .symbol(.plus)
        case UInt8(ascii: "-"): return .symbol(.minus)
        case UInt8(ascii: "*"): return .symbol(.star)
        case UInt8(ascii: "/"): return .symbol(.slash)
        case UInt8(ascii: "%"): return .symbol(.percent)
        case UInt8(ascii: "&"): return .symbol(.and)
        case UInt8(ascii: "|"): return .symbol(.or)
        case UInt8(ascii: "("): return .symbol(.openParenthesis)
        case UInt8(ascii: ")"): return .symbol(.closeParenthesis)
        case UInt8(ascii: "["): return .symbol(.openBracket)
        case UInt8(ascii: "]"): return .symbol(.closeBracket)
        case UInt8(ascii: "{"): return .symbol(.openBrace)
        case UInt8(ascii: "}"): return .symbol(.closeBrace)
        default:
            throw failure("illegal token", place(at - 1))
        }
    }

    private mutating func follow(_ character: Unicode.Scalar) -> Bool {
        guard byte(at) == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func word() -> Token {
        let start = at
        while at < bytes.count, isLetter(bytes[at]) || isDigit(bytes[at]) { at += 1 }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        // A keyword directly followed by a dot and a name heads a reference: `if.foo`, `package.bar`.
        if let keyword = Token.Keyword(rawValue: text), !(byte(at) == 46 && isLetter(byte(at + 1))) {
            return .keyword(keyword)
        }
        return .identifier(text)
    }

    /// After a dot every word is a plain name.
    func wordAsName() -> String? {
        switch token {
        case .identifier(let name): name
        case .keyword(let keyword): keyword.rawValue
        default: nil
        }
    }

    private mutating func number() throws(SyntaxFailure) -> String {
        let start = at
        if bytes[at] == UInt8(ascii: "0") {
            at += 1
            if isDigit(byte(at)) {
                throw failure("unexpected number token: expected number without leading zero", place(start))
            }
        } else {
            while isDigit(byte(at)) { at += 1 }
        }
        if byte(at) == UInt8(ascii: ".") {
            at += 1
            guard isDigit(byte(at)) else { throw failure("expected fraction") }
            while isDigit(byte(at)) { at += 1 }
        }
        if byte(at) | 32 == UInt8(ascii: "e") {
            at += 1
            if byte(at) == UInt8(ascii: "+") || byte(at) == UInt8(ascii: "-") { at += 1 }
            guard isDigit(byte(at)) else { throw failure("expected exponent") }
            while isDigit(byte(at)) { at += 1 }
        }
        if isLetter(byte(at)) { throw failure("illegal number format", place(start)) }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private mutating func string() throws(SyntaxFailure) -> [UInt8] {
        let start = at - 1
        var result: [UInt8] = []
        while true {
            guard at < bytes.count, bytes[at] != 10 else { throw failure("non-terminated string", place(start)) }
            let next = bytes[at]
            if next == UInt8(ascii: "\"") {
                at += 1
                return result
            }
            if next == UInt8(ascii: "\\") {
                at += 1
                try escape(into: &result, template: false)
            } else if next < 32 {
                throw failure("invalid character in string literal")
            } else {
                result.append(next)
                at += 1
            }
        }
    }

    /// Reads what follows a backslash.
    mutating func escape(into result: inout [UInt8], template: Bool) throws(SyntaxFailure) {
        let letter = byte(at)
        at += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(letter)
        case UInt8(ascii: "b"): result.append(8)
        case UInt8(ascii: "f"): result.append(12)
        case UInt8(ascii: "n"): result.append(10)
        case UInt8(ascii: "r"): result.append(13)
        case UInt8(ascii: "t"): result.append(9)
        case UInt8(ascii: "{") where template: result.append(letter)
        case UInt8(ascii: "u"):
            var code = try fourHex()
            if (0xD800...0xDBFF).contains(code), byte(at) == UInt8(ascii: "\\"), byte(at + 1) == UInt8(ascii: "u") {
                let saved = at
                at += 2
                let low = try fourHex()
                if (0xDC00...0xDFFF).contains(low) {
                    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
                } else {
                    at = saved
                }
            }
            let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
            result.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw failure("illegal escape sequence", place(at - 1))
        }
    }

    private mutating func fourHex() throws(SyntaxFailure) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = hexValue(byte(at)) else { throw failure("non-terminated string") }
            code = code << 4 | UInt32(digit)
            at += 1
        }
        return code
    }

    private mutating func rawString() throws(SyntaxFailure) -> [UInt8] {
        let start = at
        let opening = place(start - 1)
        while at < bytes.count, bytes[at] != UInt8(ascii: "`") {
            if bytes[at] == 10 {
                row += 1
                rowStart = at + 1
            }
            at += 1
        }
        guard at < bytes.count else { throw failure("non-terminated string", opening) }
        at += 1
        return bytes[start..<at - 1].filter { $0 != 13 }
    }

    /// Reads literal text of a template up to its end (true) or to an opening brace (false).
    mutating func templateText(raw: Bool, opening: Location) throws(SyntaxFailure) -> (text: [UInt8], ended: Bool) {
        var result: [UInt8] = []
        while true {
            guard at < bytes.count else { throw failure("non-terminated string", opening) }
            let next = bytes[at]
            at += 1
            switch next {
            case raw ? UInt8(ascii: "`") : UInt8(ascii: "\""): return (result, true)
            case UInt8(ascii: "{"): return (result, false)
            case UInt8(ascii: "\\"):
                if !raw {
                    try escape(into: &result, template: true)
                } else if byte(at) == UInt8(ascii: "{") {
                    result.append(UInt8(ascii: "{"))
                    at += 1
                } else {
                    result.append(next)
                }
            case 10:
                if !raw { throw failure("non-terminated string", opening) }
                row += 1
                rowStart = at
                result.append(next)
            case 13 where raw: break
            default: result.append(next)
            }
        }
    }
}

struct SyntaxFailure: Error {
    let message: String
    let location: Location
}

@inline(__always)
func isLetter(_ byte: UInt8) -> Bool {
    (byte | 32) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_")
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
