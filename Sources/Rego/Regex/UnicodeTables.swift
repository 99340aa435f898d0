/// Case mapping, categories and scripts of Unicode 15.0, read once from `UnicodeData`.
enum UnicodeTables {
    typealias Ranges = [ClosedRange<UInt32>]

    static let maxRune: UInt32 = 0x10FFFF

    /// Simple upper case, one code point to one.
    static func upper(_ rune: UInt32) -> UInt32 {
        if rune < 0x80 { return rune >= 0x61 && rune <= 0x7A ? rune - 32 : rune }
        return upperMap.map(rune)
    }

    /// Simple lower case, one code point to one.
    static func lower(_ rune: UInt32) -> UInt32 {
        if rune < 0x80 { return rune >= 0x41 && rune <= 0x5A ? rune + 32 : rune }
        return lowerMap.map(rune)
    }

    /// All code points that fold together with `rune`, itself left out.
    static func foldPartners(_ rune: UInt32) -> [UInt32] {
        let base = foldMap.map(rune)
        var result = foldSources[base] ?? []
        if base != rune {
            result.append(base)
            result.removeAll { $0 == rune }
        }
        return result
    }

    /// Code points that have fold partners, ascending.
    static let foldable: [UInt32] = {
        var all = Set<UInt32>()
        for (base, sources) in foldSources {
            all.insert(base)
            all.formUnion(sources)
        }
        return all.sorted()
    }()

    /// The code points of a category, category alias or script; names match without regard to case, space, `_` and `-`.
    static func ranges(named name: String) -> Ranges? {
        let key = canonical(name)
        switch key {
        case "any": return [0...maxRune]
        case "ascii": return [0...0x7F]
        case "assigned": return assigned
        default: break
        }
        if let ranges = categories(key) { return ranges }
        for entry in UnicodeData.categoryAliases where canonical(entry.alias) == key {
            return categories(canonical(entry.name))
        }
        for entry in UnicodeData.scripts where canonical(entry.name) == key {
            return decodeRanges(entry.ranges)
        }
        return nil
    }

    /// Letters, marks, numbers, punctuation, symbols and the ASCII space: what Go's quoting leaves as it is.
    static func isPrintable(_ rune: UInt32) -> Bool {
        if rune < 0x80 { return rune >= 0x20 && rune < 0x7F }
        return contains(printable, rune)
    }

    /// Go's `unicode.IsSpace`.
    static func isSpace(_ rune: UInt32) -> Bool {
        switch rune {
        case 9...13, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    static func contains(_ ranges: Ranges, _ rune: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < rune { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= rune
    }

    static func union(_ parts: [Ranges]) -> Ranges { merged(parts.flatMap { $0 }) }

    /// Sorts and joins touching ranges.
    static func merged(_ ranges: Ranges) -> Ranges {
        var result: Ranges = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, range.lowerBound <= last.upperBound || range.lowerBound == last.upperBound + 1 {
                if range.upperBound > last.upperBound { result[result.count - 1] = last.lowerBound...range.upperBound }
            } else {
                result.append(range)
            }
        }
        return result
    }

    /// Everything outside of sorted, disjoint `ranges`.
    static func complement(_ ranges: Ranges) -> Ranges {
        var result: Ranges = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = range.upperBound + 1
        }
        if next <= maxRune { result.append(next...maxRune) }
        return result
    }

    private static func categories(_ key: String) -> Ranges? {
        if key == "cn" { return unassigned }
        if key == "lc" { return categories(["ll", "lu", "lt"]) }
        if key.utf8.count == 1 {
            let parts = UnicodeData.categories.filter { canonical($0.name).hasPrefix(key) }.map {
                decodeRanges($0.ranges)
            }
            if parts.isEmpty { return nil }
            return union(key == "c" ? parts + [unassigned] : parts)
        }
        let parts = categories([key])
        return parts.isEmpty ? nil : parts
    }

    private static func categories(_ keys: [String]) -> Ranges {
        union(UnicodeData.categories.filter { keys.contains(canonical($0.name)) }.map { decodeRanges($0.ranges) })
    }

    private static let assigned = union(UnicodeData.categories.map { decodeRanges($0.ranges) })
    private static let unassigned = complement(assigned)
    private static let printable = union(
        UnicodeData.categories.filter { "LMNPS".contains($0.name.first ?? "C") }.map { decodeRanges($0.ranges) })
    private static let upperMap = RuneMap(UnicodeData.upper)
    private static let lowerMap = RuneMap(UnicodeData.lower)
    private static let foldMap = RuneMap(UnicodeData.fold)
    private static let foldSources = foldMap.inverted()

    private static func canonical(_ name: String) -> String {
        String(
            decoding: name.utf8.filter { !" _-".utf8.contains($0) }.map { $0 | (isASCIIUpper($0) ? 0x20 : 0) },
            as: UTF8.self)
    }

    private static func isASCIIUpper(_ byte: UInt8) -> Bool { byte >= 0x41 && byte <= 0x5A }

    private static func decodeRanges(_ text: StaticString) -> Ranges {
        var result: Ranges = []
        let numbers = UnicodeNumbers.decode(text)
        var last: Int = 0
        var index = 0
        while index + 1 < numbers.count {
            let low = last + numbers[index]
            last = low + numbers[index + 1]
            result.append(UInt32(low)...UInt32(last))
            index += 2
        }
        return result
    }
}

/// The number lists of `UnicodeData`: base 32 digits with a continuation bit, zigzag signs.
enum UnicodeNumbers {
    static func decode(_ text: StaticString) -> [Int] {
        text.withUTF8Buffer { bytes in
            var result: [Int] = []
            var value = 0
            var shift = 0
            for byte in bytes {
                let digit = self.value(of: byte)
                value |= (digit & 31) << shift
                if digit & 32 != 0 {
                    shift += 5
                    continue
                }
                result.append((value >> 1) ^ -(value & 1))
                (value, shift) = (0, 0)
            }
            return result
        }
    }

    private static func value(of byte: UInt8) -> Int {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte - UInt8(ascii: "A")) + 10
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte - UInt8(ascii: "a")) + 36
        case UInt8(ascii: "-"): 62
        default: 63
        }
    }
}

/// A map of code points stored as runs with one distance each.
struct RuneMap: Sendable {
    private struct Run {
        let first: UInt32
        let last: UInt32
        let stride: UInt32
        let delta: Int
    }

    private let runs: [Run]

    init(_ text: StaticString) {
        let numbers = UnicodeNumbers.decode(text)
        var runs: [Run] = []
        var last = 0
        var index = 0
        while index + 3 < numbers.count {
            let first = last + numbers[index]
            let stride = numbers[index + 2]
            last = first + numbers[index + 1] * stride
            runs.append(
                Run(first: UInt32(first), last: UInt32(last), stride: UInt32(stride), delta: numbers[index + 3]))
            index += 4
        }
        self.runs = runs
    }

    func map(_ rune: UInt32) -> UInt32 {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].last < rune { low = middle + 1 } else { high = middle }
        }
        guard low < runs.count else { return rune }
        let run = runs[low]
        guard run.first <= rune, (rune - run.first) % run.stride == 0 else { return rune }
        return UInt32(Int(rune) + run.delta)
    }

    /// Target to sources.
    func inverted() -> [UInt32: [UInt32]] {
        var result: [UInt32: [UInt32]] = [:]
        for run in runs {
            for rune in Swift.stride(from: run.first, through: run.last, by: Int(run.stride)) {
                result[UInt32(Int(rune) + run.delta), default: []].append(rune)
            }
        }
        return result
    }
}
