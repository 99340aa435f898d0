/// Character classes: `[...]`, `\d`, `\pL`, `[[:alpha:]]`.
extension RegexParser {
    /// At `[`.
    mutating func bracketClass() throws(SupportError) -> UnicodeTables.Ranges {
        let start = position
        position += 1
        var ranges: UnicodeTables.Ranges = []
        var isNegated = false
        if position < bytes.count, bytes[position] == UInt8(ascii: "^") {
            isNegated = true
            position += 1
        }
        var isFirst = true
        while position >= bytes.count || bytes[position] != UInt8(ascii: "]") || isFirst {
            isFirst = false
            if let named = try namedClass() {
                ranges += named
                continue
            }
            if let escape = try unicodeClass() ?? perlClass() {
                ranges += escape
                continue
            }
            let rangeStart = position
            let low = try classRune(classStart: start)
            var high = low
            if position + 1 < bytes.count, bytes[position] == UInt8(ascii: "-"),
                bytes[position + 1] != UInt8(ascii: "]")
            {
                position += 1
                high = try classRune(classStart: start)
                if high < low { throw error("invalid character class range", rangeStart..<position) }
            }
            ranges.append(low...high)
        }
        position += 1
        ranges = flags.foldCase ? RegexParser.folded(ranges) : UnicodeTables.merged(ranges)
        return isNegated ? UnicodeTables.complement(ranges) : ranges
    }

    private mutating func classRune(classStart: Int) throws(SupportError) -> UInt32 {
        guard position < bytes.count else { throw error("missing closing ]", classStart..<bytes.count) }
        return bytes[position] == UInt8(ascii: "\\") ? try escapedRune() : nextRune()
    }

    /// `[:name:]` or `[:^name:]`.
    private mutating func namedClass() throws(SupportError) -> UnicodeTables.Ranges? {
        guard bytes.count - position > 2, bytes[position] == UInt8(ascii: "["),
            bytes[position + 1] == UInt8(ascii: ":")
        else { return nil }
        var end = position + 2
        while end + 1 < bytes.count, !(bytes[end] == UInt8(ascii: ":") && bytes[end + 1] == UInt8(ascii: "]")) {
            end += 1
        }
        guard end + 1 < bytes.count else { return nil }
        var name = String(decoding: bytes[(position + 2)..<end], as: UTF8.self)
        let isNegated = name.hasPrefix("^")
        if isNegated { name.removeFirst() }
        guard let ranges = RegexParser.posixClass(name) else {
            throw error("invalid character class range", position..<(end + 2))
        }
        position = end + 2
        return group(ranges, isNegated: isNegated)
    }

    /// `\d`, `\s`, `\w` and their negations.
    mutating func perlClass() -> UnicodeTables.Ranges? {
        guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\") else { return nil }
        let letter = bytes[position + 1]
        let ranges: UnicodeTables.Ranges
        switch letter | 0x20 {
        case UInt8(ascii: "d"): ranges = [0x30...0x39]
        case UInt8(ascii: "s"): ranges = [9...10, 12...13, 0x20...0x20]
        case UInt8(ascii: "w"): ranges = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
        default: return nil
        }
        position += 2
        return group(ranges, isNegated: letter & 0x20 == 0)
    }

    /// `\pL`, `\p{Greek}`, `\P{^Greek}`.
    mutating func unicodeClass() throws(SupportError) -> UnicodeTables.Ranges? {
        guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] | 0x20 == UInt8(ascii: "p")
        else { return nil }
        let start = position
        var isNegated = bytes[position + 1] == UInt8(ascii: "P")
        position += 2
        var name: ArraySlice<UInt8>
        if position < bytes.count, bytes[position] == UInt8(ascii: "{") {
            guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "}")) else {
                throw error("invalid character class range", start..<bytes.count)
            }
            name = bytes[(position + 1)..<end]
            position = end + 1
        } else {
            let nameStart = position
            if position < bytes.count { _ = nextRune() }
            name = bytes[nameStart..<position]
        }
        let sequence = start..<position
        if name.first == UInt8(ascii: "^") {
            isNegated.toggle()
            name = name.dropFirst()
        }
        guard let ranges = UnicodeTables.ranges(named: String(decoding: name, as: UTF8.self)) else {
            throw error("invalid character class range", sequence)
        }
        return group(ranges, isNegated: isNegated)
    }

    private func group(_ ranges: UnicodeTables.Ranges, isNegated: Bool) -> UnicodeTables.Ranges {
        let closed = flags.foldCase ? RegexParser.folded(ranges) : ranges
        return isNegated ? UnicodeTables.complement(closed) : closed
    }

    /// Merged, with everything that differs in case only.
    static func folded(_ ranges: UnicodeTables.Ranges) -> UnicodeTables.Ranges {
        let merged = UnicodeTables.merged(ranges)
        var added: UnicodeTables.Ranges = []
        let foldable = UnicodeTables.foldable
        for range in merged {
            var low = 0
            var high = foldable.count
            while low < high {
                let middle = (low + high) / 2
                if foldable[middle] < range.lowerBound { low = middle + 1 } else { high = middle }
            }
            while low < foldable.count, foldable[low] <= range.upperBound {
                for partner in UnicodeTables.foldPartners(foldable[low]) { added.append(partner...partner) }
                low += 1
            }
        }
        return added.isEmpty ? merged : UnicodeTables.merged(merged + added)
    }

    private static func posixClass(_ name: String) -> UnicodeTables.Ranges? {
        switch name {
        case "alnum": [0x30...0x39, 0x41...0x5A, 0x61...0x7A]
        case "alpha": [0x41...0x5A, 0x61...0x7A]
        case "ascii": [0...0x7F]
        case "blank": [9...9, 0x20...0x20]
        case "cntrl": [0...0x1F, 0x7F...0x7F]
        case "digit": [0x30...0x39]
        case "graph": [0x21...0x7E]
        case "lower": [0x61...0x7A]
        case "print": [0x20...0x7E]
        case "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]
        case "space": [9...13, 0x20...0x20]
        case "upper": [0x41...0x5A]
        case "word": [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
        case "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66]
        default: nil
        }
    }
}
