/// Quoted and block scalars.
extension YAMLParser {
    /// At a quote; ends behind the closing one.
    mutating func quoted() throws(SupportError) -> String {
        let quote = bytes[position]
        let isDouble = quote == UInt8(ascii: "\"")
        position += 1
        var text: [UInt8] = []
        while true {
            guard let next = byte else { throw error("found unexpected end of stream") }
            position += 1
            if next == quote {
                guard !isDouble, byte == quote else { break }
                position += 1
                text.append(quote)
            } else if isDouble, next == UInt8(ascii: "\\") {
                try escape(&text)
            } else if next == 10 || next == 13 {
                fold(&text)
            } else {
                text.append(next)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A line end inside of quotes: one is a space, more are one less.
    private mutating func fold(_ text: inout [UInt8]) {
        while text.last == 32 || text.last == 9 { text.removeLast() }
        var breaks = 1
        while let next = byte, next == 32 || next == 9 || next == 10 || next == 13 {
            if next == 10 { breaks += 1 }
            position += 1
        }
        text += breaks > 1 ? Array(repeating: 10, count: breaks - 1) : [32]
    }

    private mutating func escape(_ text: inout [UInt8]) throws(SupportError) {
        guard let letter = byte else { throw error("found unexpected end of stream") }
        position += 1
        var digits = 0
        switch letter {
        case UInt8(ascii: "0"): text.append(0)
        case UInt8(ascii: "a"): text.append(7)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "t"), 9: text.append(9)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "v"): text.append(11)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "e"): text.append(27)
        case 32, UInt8(ascii: "\""), UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: "'"): text.append(letter)
        case UInt8(ascii: "N"): GoRune.append(0x85, to: &text)
        case UInt8(ascii: "_"): GoRune.append(0xA0, to: &text)
        case UInt8(ascii: "L"): GoRune.append(0x2028, to: &text)
        case UInt8(ascii: "P"): GoRune.append(0x2029, to: &text)
        case UInt8(ascii: "x"): digits = 2
        case UInt8(ascii: "u"): digits = 4
        case UInt8(ascii: "U"): digits = 8
        case 10, 13: while byte == 32 || byte == 9 { position += 1 }
        default: throw error("found unknown escape character")
        }
        if digits == 0 { return }
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let next = byte, let digit = BigInt.digit(next), digit < 16 else {
                throw error("did not find expected hexdecimal number")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        guard value <= 0x10FFFF, !(0xD800...0xDFFF).contains(value) else {
            throw error("found invalid Unicode character escape code")
        }
        GoRune.append(value, to: &text)
    }

    /// At `|` or `>`; the text is indented by at least `minimum`.
    mutating func blockScalar(_ minimum: Int) throws(SupportError) -> String {
        let folds = bytes[position] == UInt8(ascii: ">")
        position += 1
        var chomp: UInt8?
        var indent: Int?
        while let next = byte, next != 10, next != 13 {
            position += 1
            switch next {
            case UInt8(ascii: "+"), UInt8(ascii: "-"): chomp = next
            case UInt8(ascii: "1")...UInt8(ascii: "9"): indent = max(0, minimum - 1) + Int(next - UInt8(ascii: "0"))
            case 32, 9: break
            case UInt8(ascii: "#"): while let next = byte, next != 10, next != 13 { position += 1 }
            default: throw error("did not find expected comment or line break")
            }
        }
        if byte == 13 { position += 1 }
        if byte == 10 { position += 1 }
        var lines: [ArraySlice<UInt8>] = []
        while position < bytes.count {
            let end = bytes[position...].firstIndex(of: 10) ?? bytes.count
            var line = bytes[position..<end]
            if line.last == 13 { line = line.dropLast() }
            let spaces = line.prefix { $0 == 32 }.count
            if spaces == line.count, spaces <= indent ?? Int.max {
                lines.append([])
            } else {
                let needed = indent ?? spaces
                if indent == nil {
                    guard spaces >= minimum, spaces > 0 || minimum == 0 else { break }
                    indent = spaces
                }
                if spaces < needed { break }
                lines.append(line.dropFirst(needed))
            }
            position = min(end + 1, bytes.count)
        }
        return YAMLParser.join(lines, folds: folds, chomp: chomp)
    }

    private static func join(_ lines: [ArraySlice<UInt8>], folds: Bool, chomp: UInt8?) -> String {
        var lines = lines
        var trailing = 0
        while let last = lines.last, last.isEmpty {
            lines.removeLast()
            trailing += 1
        }
        var text: [UInt8] = []
        for (index, line) in lines.enumerated() {
            if index > 0 {
                let previous = lines[index - 1]
                // Folding joins plain lines; indented ones and those around them keep their ends.
                let keeps = !folds || line.first == 32 || line.first == 9
                let keepsPrevious = previous.first == 32 || previous.first == 9
                if keeps || keepsPrevious || line.isEmpty {
                    text.append(10)
                } else if !previous.isEmpty {
                    text.append(32)
                }
            }
            text += line
        }
        if chomp != UInt8(ascii: "-"), !lines.isEmpty { text.append(10) }
        if chomp == UInt8(ascii: "+") { text += Array(repeating: 10, count: trailing) }
        return String(decoding: text, as: UTF8.self)
    }
}
