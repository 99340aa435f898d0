/// A set of variables of one rule, as bits.
struct VariableSet {
    private var words: [UInt64] = []

    init() {}

    func contains(_ id: Int) -> Bool {
        let word = id >> 6
        return word < words.count && words[word] & (1 << UInt64(id & 63)) != 0
    }

    mutating func insert(_ id: Int) {
        let word = id >> 6
        while words.count <= word { words.append(0) }
        words[word] |= 1 << UInt64(id & 63)
    }

    mutating func formUnion(_ other: VariableSet) {
        while words.count < other.words.count { words.append(0) }
        for index in 0..<other.words.count { words[index] |= other.words[index] }
    }

    func union(_ other: VariableSet) -> VariableSet {
        var copy = self
        copy.formUnion(other)
        return copy
    }

    func intersection(_ other: VariableSet) -> VariableSet {
        var result = VariableSet()
        result.words = zip(words, other.words).map { $0 & $1 }
        return result
    }

    func isSubset(of other: VariableSet) -> Bool {
        for index in 0..<words.count {
            let allowed = index < other.words.count ? other.words[index] : 0
            if words[index] & ~allowed != 0 { return false }
        }
        return true
    }

    /// The members, ascending.
    var members: [Int] {
        var result: [Int] = []
        for index in 0..<words.count {
            var word = words[index]
            while word != 0 {
                result.append(index << 6 | word.trailingZeroBitCount)
                word &= word - 1
            }
        }
        return result
    }

    func subtracting(_ other: VariableSet) -> VariableSet {
        var result = self
        for index in 0..<min(words.count, other.words.count) { result.words[index] &= ~other.words[index] }
        return result
    }
}
