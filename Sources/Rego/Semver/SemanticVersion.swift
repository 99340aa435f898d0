/// Semantic versions with OPA's tolerance: a leading `v`, leading zeros, and empty suffixes.
enum SemanticVersion {
    private struct Version {
        var numbers: [Int64]
        var preRelease: [ArraySlice<UInt8>]
    }

    static func isValid(_ text: String) -> Bool { parse(text) != nil }

    /// -1, 0 or 1 by the precedence rules of semver.org 2.0.0, section 11; build metadata does not count.
    static func compare(_ left: String, _ right: String) throws(SupportError) -> Int {
        guard let a = parse(left) else { throw invalid(1, left) }
        guard let b = parse(right) else { throw invalid(2, right) }
        for (x, y) in zip(a.numbers, b.numbers) where x != y { return x < y ? -1 : 1 }
        if a.preRelease.isEmpty != b.preRelease.isEmpty { return a.preRelease.isEmpty ? 1 : -1 }
        for (x, y) in zip(a.preRelease, b.preRelease) {
            let order = compare(x, y)
            if order != 0 { return order }
        }
        return a.preRelease.count == b.preRelease.count ? 0 : a.preRelease.count < b.preRelease.count ? -1 : 1
    }

    private static func invalid(_ position: Int, _ text: String) -> SupportError {
        .invalid("operand \(position): string \(GoText.quote(text)) is not a valid SemVer")
    }

    /// Numbers come before words, numbers by value, words by bytes.
    private static func compare(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Int {
        let leftIsNumber = left.allSatisfy(isDigit)
        if leftIsNumber != right.allSatisfy(isDigit) { return leftIsNumber ? -1 : 1 }
        var (left, right) = (left, right)
        if leftIsNumber {
            left = left.drop { $0 == UInt8(ascii: "0") }
            right = right.drop { $0 == UInt8(ascii: "0") }
            if left.count != right.count { return left.count < right.count ? -1 : 1 }
        }
        if left.elementsEqual(right) { return 0 }
        return left.lexicographicallyPrecedes(right) ? -1 : 1
    }

    private static func parse(_ text: String) -> Version? {
        var rest = Array(text.utf8)[...]
        if rest.first == UInt8(ascii: "v") { rest = rest.dropFirst() }
        if let mark = rest.firstIndex(of: UInt8(ascii: "+")) {
            guard identifiers(rest[(mark + 1)...]) != nil else { return nil }
            rest = rest[..<mark]
        }
        var preRelease: [ArraySlice<UInt8>] = []
        if let mark = rest.firstIndex(of: UInt8(ascii: "-")) {
            guard let parts = identifiers(rest[(mark + 1)...]) else { return nil }
            preRelease = parts
            rest = rest[..<mark]
        }
        let parts = rest.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        var numbers: [Int64] = []
        for part in parts {
            guard !part.isEmpty, part.allSatisfy(isDigit), let number = Int64(String(decoding: part, as: UTF8.self))
            else { return nil }
            numbers.append(number)
        }
        return Version(numbers: numbers, preRelease: preRelease)
    }

    /// Dotted words of letters, digits and `-`; nothing at all is fine too.
    private static func identifiers(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(isIdentifier) } ? parts : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private static func isIdentifier(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || (byte != UInt8(ascii: "_") && RuneContext.isWord(UInt32(byte)))
    }
}
