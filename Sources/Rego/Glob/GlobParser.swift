/// Reads glob syntax: `*`, `**`, `?`, `[abc]`, `[!abc]`, `[a-c]`, `{a,b}` and `\`, with the leniency and the errors of OPA's glob.
struct GlobParser {
    static let maxDepth = 100

    /// A piece of a pattern.
    indirect enum Node: Sendable {
        case literal([UInt32])
        /// Any text without delimiters.
        case any
        /// Any text.
        case anyAcross
        /// One character that is no delimiter.
        case single
        case set([ClosedRange<UInt32>], isNegated: Bool)
        case alternatives([[Node]])
    }

    private let runes: [UInt32]
    private var position = 0

    init(_ pattern: String) { runes = GoRune.runes(pattern) }

    static func parse(_ pattern: String) throws(SupportError) -> [Node] {
        var parser = GlobParser(pattern)
        return try parser.sequence(depth: 0)
    }

    /// Up to the end, or to `,` or `}` inside of braces (left unread).
    private mutating func sequence(depth: Int) throws(SupportError) -> [Node] {
        var nodes: [Node] = []
        while position < runes.count {
            switch runes[position] {
            case GlobParser.star:
                position += 1
                if position < runes.count, runes[position] == GlobParser.star {
                    position += 1
                    nodes.append(.anyAcross)
                } else {
                    nodes.append(.any)
                }
            case 0x3F:
                position += 1
                nodes.append(.single)
            case 0x5B:
                position += 1
                nodes.append(try set())
            case 0x7B:
                position += 1
                nodes.append(try alternatives(depth: depth + 1))
            case 0x2C where depth > 0, 0x7D where depth > 0: return nodes
            default:
                let text = literal(
                    stopsAt: depth > 0
                        ? [0x3F, GlobParser.star, 0x5B, 0x7B, 0x7D, 0x2C] : [0x3F, GlobParser.star, 0x5B, 0x7B])
                if !text.isEmpty { nodes.append(.literal(text)) }
            }
        }
        return nodes
    }

    private mutating func alternatives(depth: Int) throws(SupportError) -> Node {
        guard depth <= GlobParser.maxDepth else { throw .limit("pattern nests too deeply") }
        var branches: [[Node]] = []
        while true {
            branches.append(try sequence(depth: depth))
            // A missing `}` is forgiven.
            guard position < runes.count else { break }
            position += 1
            if runes[position - 1] == 0x7D { break }
        }
        return .alternatives(branches)
    }

    private mutating func literal(stopsAt breakers: [UInt32]) -> [UInt32] {
        var text: [UInt32] = []
        var isEscaped = false
        while position < runes.count {
            let rune = runes[position]
            if !isEscaped {
                if rune == 0x5C {
                    isEscaped = true
                    position += 1
                    continue
                }
                if breakers.contains(rune) { break }
            }
            isEscaped = false
            text.append(rune)
            position += 1
        }
        return text
    }

    /// Behind `[`: one range or one list, not both.
    private mutating func set() throws(SupportError) -> Node {
        var isNegated = false
        if position < runes.count, runes[position] == 0x21 {
            isNegated = true
            position += 1
        }
        guard position < runes.count else { throw GlobParser.unexpectedEnd }
        if position + 1 < runes.count, runes[position + 1] == 0x2D {
            let low = runes[position]
            guard position + 2 < runes.count else { throw GlobParser.unexpectedEnd }
            let high = runes[position + 2]
            position += 3
            guard position < runes.count else { throw GlobParser.unexpectedEnd }
            guard runes[position] == 0x5D else { throw .invalid("expected close range character") }
            if high < low {
                throw .invalid(
                    "hi character '\(GlobParser.text(high))' should be greater than lo '\(GlobParser.text(low))'")
            }
            position += 1
            return .set([low...high], isNegated: isNegated)
        }
        let members = literal(stopsAt: [0x5D])
        guard position < runes.count else { throw GlobParser.unexpectedEnd }
        position += 1
        if members.isEmpty { throw .invalid("could not parse range") }
        return .set(members.map { $0...$0 }, isNegated: isNegated)
    }

    private static let star: UInt32 = 0x2A
    private static let unexpectedEnd = SupportError.invalid("unexpected end of input")

    private static func text(_ rune: UInt32) -> String {
        var bytes: [UInt8] = []
        GoRune.append(rune, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
