#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension GoText {
    /// The byte offset of the first occurrence at or after `start`; an empty needle is found at once.
    static func find(_ bytes: Bytes, _ needle: Bytes, from start: Int) -> Int? {
        if needle.isEmpty { return start <= bytes.count ? start : nil }
        guard bytes.count - start >= needle.count, let base = bytes.baseAddress, let part = needle.baseAddress else {
            return nil
        }
        let last = bytes.count - needle.count
        var position = start
        var falseStarts = 0
        while position <= last {
            guard let hit = memchr(base + position, Int32(part[0]), last - position + 1) else { return nil }
            position = UnsafeRawPointer(hit) - UnsafeRawPointer(base)
            if memcmp(base + position, part, needle.count) == 0 { return position }
            position += 1
            falseStarts += 1
            // Repetitive text would make this quadratic.
            if falseStarts > 64 + (position - start) / 16 { return findLinear(bytes, needle, from: position) }
        }
        return nil
    }

    /// Knuth, Morris and Pratt's search.
    private static func findLinear(_ bytes: Bytes, _ needle: Bytes, from start: Int) -> Int? {
        var fallback = [Int](repeating: 0, count: needle.count)
        var length = 0
        for index in 1..<needle.count {
            while length > 0, needle[index] != needle[length] { length = fallback[length - 1] }
            if needle[index] == needle[length] { length += 1 }
            fallback[index] = length
        }
        length = 0
        for position in start..<bytes.count {
            while length > 0, bytes[position] != needle[length] { length = fallback[length - 1] }
            if bytes[position] == needle[length] { length += 1 }
            if length == needle.count { return position - length + 1 }
        }
        return nil
    }

    static func matches(_ bytes: Bytes, _ needle: Bytes, at position: Int) -> Bool {
        guard position >= 0, bytes.count - position >= needle.count else { return false }
        guard let base = bytes.baseAddress, let part = needle.baseAddress else { return needle.isEmpty }
        return memcmp(base + position, part, needle.count) == 0
    }

    static func contains(_ text: String, _ needle: String) -> Bool {
        text.withBytes { bytes in needle.withBytes { find(bytes, $0, from: 0) != nil } }
    }

    /// The position in code points, -1 when absent.
    static func indexOf(_ text: String, _ search: String) throws(SupportError) -> Int {
        if search.isEmpty { throw .invalid("empty search character") }
        return text.withBytes { bytes in
            search.withBytes { needle in
                guard let hit = find(bytes, needle, from: 0) else { return -1 }
                return GoRune.count(UnsafeBufferPointer(rebasing: bytes[..<hit]))
            }
        }
    }

    /// All positions in code points, overlapping ones too.
    static func indexesOf(_ text: String, _ search: String) throws(SupportError) -> [Int] {
        if search.isEmpty { throw .invalid("empty search character") }
        return text.withBytes { bytes in
            search.withBytes { needle in
                var result: [Int] = []
                var rune = 0
                var position = 0
                while let hit = find(bytes, needle, from: position) {
                    rune += GoRune.count(UnsafeBufferPointer(rebasing: bytes[position..<hit]))
                    result.append(rune)
                    rune += 1
                    position = hit + GoRune.decode(bytes, hit).width
                }
                return result
            }
        }
    }

    /// Non-overlapping occurrences; an empty needle lies around every code point.
    static func count(_ text: String, _ search: String) -> Int {
        if search.isEmpty { return scalarCount(text) + 1 }
        return text.withBytes { bytes in
            search.withBytes { needle in
                var count = 0
                var position = 0
                while let hit = find(bytes, needle, from: position) {
                    count += 1
                    position = hit + needle.count
                }
                return count
            }
        }
    }

    /// An empty separator splits between code points.
    static func split(_ text: String, _ separator: String) -> [String] {
        text.withBytes { bytes in
            separator.withBytes { needle in
                var result: [String] = []
                if needle.isEmpty {
                    var position = 0
                    while position < bytes.count {
                        let width = GoRune.decode(bytes, position).width
                        result.append(slice(bytes, position..<(position + width)))
                        position += width
                    }
                    return result
                }
                var position = 0
                while let hit = find(bytes, needle, from: position) {
                    result.append(slice(bytes, position..<hit))
                    position = hit + needle.count
                }
                result.append(slice(bytes, position..<bytes.count))
                return result
            }
        }
    }

    /// `strings.split_n`: the first `count` parts, or the last ones when negative.
    static func splitN(_ text: String, _ separator: String, _ count: Int) -> [String] {
        if count == 0 { return [] }
        let parts = split(text, separator)
        if count.magnitude >= UInt(parts.count) { return parts }
        return count > 0 ? Array(parts.prefix(count)) : Array(parts.suffix(-count))
    }

    static func replace(_ text: String, _ old: String, _ new: String) throws(SupportError) -> String {
        if !old.isEmpty, !contains(text, old) { return text }
        return try replaceN([(old, new)], in: text)
    }

    /// All replacements in one pass: at each place the first pair that matches wins. `pairs` come sorted by key.
    static func replaceN(_ pairs: [(String, String)], in text: String) throws(SupportError) -> String {
        let table = pairs.map { (old: Array($0.0.utf8), new: Array($0.1.utf8)) }
        // Pairs by their first byte; an empty key competes everywhere.
        var byFirst = [[Int]](repeating: [], count: 256)
        var emptyKey: Int?
        for (index, pair) in table.enumerated() {
            if let first = pair.old.first { byFirst[Int(first)].append(index) } else { emptyKey = index }
        }
        let result: [UInt8]? = text.withBytes { bytes in
            var result: [UInt8] = []
            result.reserveCapacity(bytes.count)
            var position = 0
            var wasEmpty = false
            while position <= bytes.count {
                var match: Int?
                if let emptyKey, !wasEmpty { match = emptyKey }
                if position < bytes.count {
                    for index in byFirst[Int(bytes[position])] where match.map({ index < $0 }) ?? true {
                        if table[index].old.withBytes({ matches(bytes, $0, at: position) }) {
                            match = index
                            break
                        }
                    }
                }
                wasEmpty = match.map { table[$0].old.isEmpty } ?? false
                if let match {
                    result += table[match].new
                    if result.count > maxBytes { return nil }
                    position += table[match].old.count
                } else {
                    if position < bytes.count { result.append(bytes[position]) }
                    position += 1
                }
            }
            return result
        }
        guard let result else { throw .limit("replacement result is too large") }
        return string(repairing: result)
    }
}
