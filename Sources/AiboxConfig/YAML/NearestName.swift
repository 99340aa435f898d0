/// Finds the name that a person probably meant.
public enum NearestName {
    /// The candidate with the smallest edit distance to `name`, if that is small against the name's length: one
    /// change in three characters, at least one. The first of equals.
    public static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
        let letters = Array(name.utf8.prefix(100))
        let limit = max(1, letters.count / 3)
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let distance = distance(letters, Array(candidate.utf8))
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// `; did you mean X?`, or nothing.
    public static func hint(_ name: String, among candidates: some Sequence<String>) -> String {
        of(name, among: candidates).map { "; did you mean \($0)?" } ?? ""
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one into the other (the restricted
    /// Damerau-Levenshtein distance); letters that differ in case only count as equal.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        let left = left.map(lowercased)
        let right = right.map(lowercased)
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for i in left.indices {
            var current = [i + 1] + [Int](repeating: 0, count: right.count)
            for j in right.indices {
                let change = left[i] == right[j] ? 0 : 1
                var cost = min(last[j] + change, last[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    cost = min(cost, beforeLast[j - 1] + 1)
                }
                current[j + 1] = cost
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
    }
}
