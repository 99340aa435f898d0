/// `regex.globs_match`: whether two globs of characters, `.`, `[...]`, `*` and `+` have a text in common, in OPA's sense:
/// a starred piece never stands for nothing when it is all that is left of both.
enum GlobIntersection {
    /// The search below takes cubic time.
    static let maxTokens = 256

    private struct Token {
        /// nil: any character.
        var ranges: UnicodeTables.Ranges?
        /// 0, `*` or `+`.
        var flag: UInt32 = 0

        func matches(_ other: Token) -> Bool {
            guard let ranges, let others = other.ranges else {
                return !(ranges?.isEmpty ?? false) && !(other.ranges?.isEmpty ?? false)
            }
            return ranges.contains { range in others.contains { $0.overlaps(range) } }
        }
    }

    static func intersects(_ left: String, _ right: String) throws(SupportError) -> Bool {
        let (left, right) = (try tokens(left), try tokens(right))
        guard left.count <= maxTokens, right.count <= maxTokens else { throw .limit("pattern is too long") }
        guard let (first, second) = trimmed(left, right) else { return false }
        var search = Search(left: first, right: second)
        return search.normal(0, 0, leftFirst: true)
    }

    /// Cuts off matching plain ends but for one token each; nil when they do not match.
    private static func trimmed(_ left: [Token], _ right: [Token]) -> ([Token], [Token])? {
        var start = 0
        while start < left.count, start < right.count, left[start].flag == 0, right[start].flag == 0 {
            guard left[start].matches(right[start]) else { return nil }
            start += 1
        }
        if start > 0 { start -= 1 }
        var (leftEnd, rightEnd) = (left.count, right.count)
        while leftEnd > start, rightEnd > start, left[leftEnd - 1].flag == 0, right[rightEnd - 1].flag == 0 {
            guard left[leftEnd - 1].matches(right[rightEnd - 1]) else { return nil }
            leftEnd -= 1
            rightEnd -= 1
        }
        if leftEnd < left.count {
            leftEnd += 1
            rightEnd += 1
        }
        return (Array(left[start..<leftEnd]), Array(right[start..<rightEnd]))
    }

    /// Suffixes of both sides, each pair decided once.
    private struct Search {
        let left: [Token]
        let right: [Token]
        private var known: [Int: Bool] = [:]

        init(left: [Token], right: [Token]) {
            self.left = left
            self.right = right
        }

        /// `leftFirst`: of two tokens with flags, which one takes in the other's. It decides in corner cases.
        mutating func normal(_ first: Int, _ second: Int, leftFirst: Bool) -> Bool {
            var (i, j) = (first, second)
            while i < left.count, j < right.count, left[i].flag == 0, right[j].flag == 0 {
                guard left[i].matches(right[j]) else { return false }
                i += 1
                j += 1
            }
            guard i < left.count, j < right.count else { return i == left.count && j == right.count }
            let key = (i * (right.count + 1) + j) * 2 + (leftFirst ? 1 : 0)
            if let answer = known[key] { return answer }
            let isLeft = leftFirst ? left[i].flag != 0 : right[j].flag == 0
            let answer = flagged(i, j, isLeft: isLeft)
            known[key] = answer
            return answer
        }

        /// The token with a flag is the left one at `i`, or the right one at `j`.
        private mutating func flagged(_ i: Int, _ j: Int, isLeft: Bool) -> Bool {
            let (starred, other) = isLeft ? (left, right) : (right, left)
            let at = isLeft ? i : j
            var place = isLeft ? j : i
            let token = starred[at]
            if token.flag == 0x2B {
                guard token.matches(other[place]) else { return false }
                place += 1
            }
            let next = at + 1 < starred.count ? starred[at + 1] : nil
            while place < other.count {
                if let next, next.matches(other[place]) {
                    let goesOn =
                        isLeft ? normal(at + 1, place, leftFirst: true) : normal(place, at + 1, leftFirst: false)
                    if goesOn { return true }
                }
                guard token.matches(other[place]) else { return false }
                place += 1
            }
            return next == nil
        }
    }

    // MARK: Tokens

    private static func tokens(_ text: String) throws(SupportError) -> [Token] {
        let runes = GoRune.runes(text)
        var result: [Token] = []
        var position = 0
        func failure(_ at: Int, _ reason: String) -> SupportError {
            .invalid("input:\(text), pos:\(at), \(reason): the input provided is invalid")
        }
        func next() throws(SupportError) -> (rune: UInt32, isEscaped: Bool) {
            guard runes[position] == 0x5C else {
                position += 1
                return (runes[position - 1], false)
            }
            guard position + 1 < runes.count else {
                throw failure(position, "input ends with a \\ (escape) character")
            }
            position += 2
            return (runes[position - 1], true)
        }
        while position < runes.count {
            let (rune, isEscaped) = try next()
            var token = Token(ranges: [rune...rune])
            switch rune {
            case 0x2E where !isEscaped: token.ranges = nil
            case 0x2A where !isEscaped, 0x2B where !isEscaped:
                throw failure(
                    position, "flag '\(Character(UnicodeScalar(UInt8(rune))))' must be preceded by a non-flag")
            case 0x5D where !isEscaped: throw failure(position, "set-close ']' with no preceding '['")
            case 0x5B where !isEscaped:
                var ranges: UnicodeTables.Ranges = []
                var previous: UInt32?
                var isClosed = false
                while position < runes.count {
                    let (rune, isEscaped) = try next()
                    if !isEscaped, rune == 0x5D {
                        isClosed = true
                        break
                    }
                    guard !isEscaped, rune == 0x2D else {
                        ranges.append(rune...rune)
                        previous = rune
                        continue
                    }
                    guard let low = previous else {
                        throw failure(position, "range character '-' must be preceded by a Unicode character")
                    }
                    let before = position
                    guard position < runes.count else {
                        throw failure(before, "range character '-' must be followed by a Unicode character")
                    }
                    let (high, highIsEscaped) = try next()
                    if !highIsEscaped, high == 0x5D || high == 0x2D {
                        throw failure(before, "range character '-' must be followed by a Unicode character")
                    }
                    guard low <= high else {
                        let (a, b) = (String(decoding: [high], as: UTF32.self), String(decoding: [low], as: UTF32.self))
                        throw failure(position, "range is out of order: '\(a)' comes before '\(b)' in Unicode")
                    }
                    ranges.append(low...high)
                    previous = nil
                }
                if !isClosed { throw failure(position, "found [ without matching ]") }
                token.ranges = ranges
            default: break
            }
            if position < runes.count, runes[position] == 0x2A || runes[position] == 0x2B {
                token.flag = runes[position]
                position += 1
            }
            result.append(token)
        }
        return result
    }
}
