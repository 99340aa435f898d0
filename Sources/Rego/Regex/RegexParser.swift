/// Parses RE2 syntax in Go's Perl flavour; errors carry the texts of Go's `regexp/syntax`.
struct RegexParser {
    static let maxDepth = 1000
    static let maxRepeat = 1000

    struct Flags {
        var foldCase = false
        var multiLine = false
        var dotMatchesNewline = false
        var ungreedy = false
    }

    /// One open group (or the whole expression).
    private struct Frame {
        var alternatives: [RegexNode] = []
        var items: [RegexNode] = []
        /// nil: a group that captures nothing.
        var capture: Int?
        /// To restore behind the group.
        var flags: Flags

        mutating func close() -> RegexNode {
            alternatives.append(RegexParser.sequence(items))
            return alternatives.count == 1 ? alternatives[0] : .alternate(alternatives)
        }
    }

    let bytes: [UInt8]
    var position = 0
    var flags = Flags()
    private var stack: [Frame]
    private(set) var groupNames: [String?] = [nil]

    init(_ pattern: String) {
        bytes = Array(pattern.utf8)
        stack = [Frame(flags: Flags())]
    }

    static func parse(_ pattern: String) throws(SupportError) -> (node: RegexNode, groupNames: [String?]) {
        var parser = RegexParser(pattern)
        let node = try parser.run()
        return (node, parser.groupNames)
    }

    static func sequence(_ items: [RegexNode]) -> RegexNode {
        items.isEmpty ? .empty : items.count == 1 ? items[0] : .concat(items)
    }

    private mutating func run() throws(SupportError) -> RegexNode {
        var lastRepeat: Int?
        while position < bytes.count {
            var thisRepeat: Int?
            let start = position
            switch bytes[position] {
            case UInt8(ascii: "("): try openGroup()
            case UInt8(ascii: "|"):
                position += 1
                let top = stack.count - 1
                stack[top].alternatives.append(RegexParser.sequence(stack[top].items))
                stack[top].items = []
            case UInt8(ascii: ")"): try closeGroup()
            case UInt8(ascii: "^"): push(.assertion(flags.multiLine ? .beginLine : .beginText), 1)
            case UInt8(ascii: "$"): push(.assertion(flags.multiLine ? .endLine : .endText), 1)
            case UInt8(ascii: "."): push(flags.dotMatchesNewline ? .any : .anyButNewline, 1)
            case UInt8(ascii: "["): push(.set(try bracketClass()), 0)
            case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"):
                let operation = bytes[position]
                position += 1
                let (min, max): (Int, Int?) =
                    operation == UInt8(ascii: "*") ? (0, nil) : operation == UInt8(ascii: "+") ? (1, nil) : (0, 1)
                try repeatLast(min: min, max: max, start: start, lastRepeat: lastRepeat)
                thisRepeat = start
            case UInt8(ascii: "{"):
                guard let (min, max) = counts() else {
                    literal(UInt32(UInt8(ascii: "{")))
                    position += 1
                    break
                }
                if min < 0 || min > RegexParser.maxRepeat || (max ?? 0) > RegexParser.maxRepeat
                    || max.map({ $0 >= 0 && min > $0 || $0 < 0 }) ?? false
                {
                    throw error("invalid repeat count", start..<position)
                }
                try repeatLast(min: min, max: max, start: start, lastRepeat: lastRepeat)
                thisRepeat = start
            case UInt8(ascii: "\\"): try escape()
            default: literal(nextRune())
            }
            lastRepeat = thisRepeat
        }
        guard stack.count == 1 else { throw error("missing closing )", 0..<bytes.count) }
        return stack[0].close()
    }

    // MARK: Pieces

    private mutating func push(_ node: RegexNode, _ width: Int) {
        position += width
        stack[stack.count - 1].items.append(node)
    }

    private mutating func literal(_ rune: UInt32) {
        let partners = flags.foldCase ? UnicodeTables.foldPartners(rune) : []
        if partners.isEmpty {
            push(.rune(rune), 0)
        } else {
            push(.set(UnicodeTables.merged((partners + [rune]).map { $0...$0 })), 0)
        }
    }

    private mutating func repeatLast(min: Int, max: Int?, start: Int, lastRepeat: Int?) throws(SupportError) {
        var greedy = !flags.ungreedy
        if position < bytes.count, bytes[position] == UInt8(ascii: "?") {
            position += 1
            greedy.toggle()
        }
        if let lastRepeat { throw error("invalid nested repetition operator", lastRepeat..<position) }
        guard let last = stack[stack.count - 1].items.popLast() else {
            throw error("missing argument to repetition operator", start..<position)
        }
        let node = RegexNode.repeated(last, min: min, max: max, greedy: greedy)
        if min > 1 || (max ?? 0) > 1, !node.repeatsWithin(RegexParser.maxRepeat) {
            throw error("invalid repeat count", start..<position)
        }
        stack[stack.count - 1].items.append(node)
    }

    /// `{n}`, `{n,}` or `{n,m}`; nil (and no step) when it is none of them. Huge counts are -1.
    private mutating func counts() -> (min: Int, max: Int?)? {
        let start = position
        position += 1
        guard let min = integer(), position < bytes.count else {
            position = start
            return nil
        }
        var max: Int? = min
        if bytes[position] == UInt8(ascii: ",") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "}") {
                max = nil
            } else if let value = integer() {
                max = value
            } else {
                position = start
                return nil
            }
        }
        guard position < bytes.count, bytes[position] == UInt8(ascii: "}") else {
            position = start
            return nil
        }
        position += 1
        return (min, max)
    }

    private mutating func integer() -> Int? {
        let start = position
        var value = 0
        while position < bytes.count, bytes[position] >= UInt8(ascii: "0"), bytes[position] <= UInt8(ascii: "9") {
            if value >= 0 { value = value * 10 + Int(bytes[position] - UInt8(ascii: "0")) }
            if value >= 100_000_000 { value = -1 }
            position += 1
        }
        if position == start { return nil }
        // Leading zeros make it a literal.
        if position - start > 1, bytes[start] == UInt8(ascii: "0") { return nil }
        return value
    }

    // MARK: Groups

    private mutating func openGroup() throws(SupportError) {
        if stack.count > RegexParser.maxDepth { throw error("expression nests too deeply", 0..<bytes.count) }
        if position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "?") {
            try perlGroup()
            return
        }
        position += 1
        open(name: nil)
    }

    private mutating func open(name: String?) {
        stack.append(Frame(capture: groupNames.count, flags: flags))
        groupNames.append(name)
    }

    private mutating func closeGroup() throws(SupportError) {
        guard stack.count > 1, var frame = stack.popLast() else {
            throw error("unexpected )", 0..<bytes.count)
        }
        flags = frame.flags
        let node = frame.close()
        push(frame.capture.map { .capture(node, index: $0) } ?? node, 1)
    }

    /// `(?flags)`, `(?flags:`, `(?P<name>`, `(?<name>`.
    private mutating func perlGroup() throws(SupportError) {
        let start = position
        let left = bytes.count - start
        let isNamedP = left > 4 && bytes[start + 2] == UInt8(ascii: "P") && bytes[start + 3] == UInt8(ascii: "<")
        let isNamed = left > 3 && bytes[start + 2] == UInt8(ascii: "<")
        if isNamedP || isNamed {
            guard let end = bytes[start...].firstIndex(of: UInt8(ascii: ">")) else {
                throw error("invalid named capture", start..<bytes.count)
            }
            let name = bytes[(start + (isNamedP ? 4 : 3))..<end]
            let isWord = name.allSatisfy { RuneContext.isWord(UInt32($0)) }
            let text = String(decoding: name, as: UTF8.self)
            guard !name.isEmpty, isWord else { throw error("invalid named capture", start..<(end + 1)) }
            position = end + 1
            open(name: text)
            return
        }
        position += 2
        var new = flags
        var on = true
        var sawFlag = false
        loop: while position < bytes.count {
            let rune = nextRune()
            switch rune {
            case UInt32(UInt8(ascii: "i")): new.foldCase = on
            case UInt32(UInt8(ascii: "m")): new.multiLine = on
            case UInt32(UInt8(ascii: "s")): new.dotMatchesNewline = on
            case UInt32(UInt8(ascii: "U")): new.ungreedy = on
            case UInt32(UInt8(ascii: "-")):
                if !on { break loop }
                on = false
                sawFlag = false
                continue
            case UInt32(UInt8(ascii: ":")), UInt32(UInt8(ascii: ")")):
                if !on, !sawFlag { break loop }
                if rune == UInt32(UInt8(ascii: ":")) { stack.append(Frame(capture: nil, flags: flags)) }
                flags = new
                return
            default: break loop
            }
            sawFlag = true
        }
        throw error("invalid or unsupported Perl syntax", start..<position)
    }

    // MARK: Escapes

    private mutating func escape() throws(SupportError) {
        if position + 1 < bytes.count {
            switch bytes[position + 1] {
            case UInt8(ascii: "A"): return push(.assertion(.beginText), 2)
            case UInt8(ascii: "b"): return push(.assertion(.wordBoundary), 2)
            case UInt8(ascii: "B"): return push(.assertion(.noWordBoundary), 2)
            case UInt8(ascii: "z"): return push(.assertion(.endText), 2)
            case UInt8(ascii: "C"): throw error("invalid escape sequence", position..<(position + 2))
            case UInt8(ascii: "Q"):
                position += 2
                while position < bytes.count {
                    if bytes[position] == UInt8(ascii: "\\"), position + 1 < bytes.count,
                        bytes[position + 1] == UInt8(ascii: "E")
                    {
                        position += 2
                        return
                    }
                    literal(nextRune())
                }
                return
            default: break
            }
        }
        if let ranges = try unicodeClass() ?? perlClass() {
            push(.set(ranges), 0)
        } else {
            literal(try escapedRune())
        }
    }

    /// A single escaped character.
    mutating func escapedRune() throws(SupportError) -> UInt32 {
        let start = position
        position += 1
        guard position < bytes.count else { throw error("trailing backslash at end of expression", 0..<0) }
        let rune = nextRune()
        switch rune {
        case 0x31...0x37:
            // A single digit would be a backreference.
            guard let digit = octalDigit() else { break }
            var value = (rune - 0x30) * 8 + digit
            if let digit = octalDigit() { value = value * 8 + digit }
            return value
        case 0x30:
            var value: UInt32 = 0
            for _ in 0..<2 {
                guard let digit = octalDigit() else { break }
                value = value * 8 + digit
            }
            return value
        case UInt32(UInt8(ascii: "x")):
            if let value = hexEscape() { return value }
        case UInt32(UInt8(ascii: "a")): return 7
        case UInt32(UInt8(ascii: "f")): return 12
        case UInt32(UInt8(ascii: "n")): return 10
        case UInt32(UInt8(ascii: "r")): return 13
        case UInt32(UInt8(ascii: "t")): return 9
        case UInt32(UInt8(ascii: "v")): return 11
        default:
            if rune < 0x80, !RuneContext.isWord(rune) || rune == 0x5F { return rune }
        }
        throw error("invalid escape sequence", start..<position)
    }

    private mutating func octalDigit() -> UInt32? {
        guard position < bytes.count, bytes[position] & 0xF8 == 0x30 else { return nil }
        position += 1
        return UInt32(bytes[position - 1] & 7)
    }

    /// Behind `\x`: two digits, or any in braces.
    private mutating func hexEscape() -> UInt32? {
        guard position < bytes.count else { return nil }
        if bytes[position] != UInt8(ascii: "{") {
            let high = hexDigit()
            guard position < bytes.count else { return nil }
            let low = hexDigit()
            guard let high, let low else { return nil }
            return high * 16 + low
        }
        position += 1
        var value: UInt32 = 0
        var count = 0
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "}") {
                position += 1
                return count > 0 ? value : nil
            }
            guard let digit = hexDigit() else { return nil }
            value = value * 16 + digit
            if value > UnicodeTables.maxRune { return nil }
            count += 1
        }
        return nil
    }

    /// Always steps over one character.
    private mutating func hexDigit() -> UInt32? {
        let rune = nextRune()
        guard rune < 0x80, let digit = BigInt.digit(UInt8(rune)), digit < 16 else { return nil }
        return UInt32(digit)
    }

    // MARK: Text

    /// The next code point; the position must be inside.
    mutating func nextRune() -> UInt32 {
        let (rune, width) = bytes.withBytes { GoRune.decode($0, position) }
        position += width
        return rune
    }

    func error(_ reason: String, _ range: Range<Int>) -> SupportError {
        .invalid("error parsing regexp: \(reason): `\(String(decoding: bytes[range], as: UTF8.self))`")
    }
}
