/// A replacement text cut into literal parts and group references, by the rules of Go's `Regexp.Expand`.
struct RegexReplacement {
    private enum Piece {
        case text([UInt8])
        /// The first of these groups that took part.
        case groups([Int])
    }

    private var pieces: [Piece] = []

    init(_ template: String, groupNames: [String?]) {
        var text: [UInt8] = []
        let bytes = Array(template.utf8)
        var position = 0
        let dollar = UInt8(ascii: "$")
        while position < bytes.count {
            guard bytes[position] == dollar else {
                text.append(bytes[position])
                position += 1
                continue
            }
            position += 1
            if position < bytes.count, bytes[position] == dollar {
                text.append(dollar)
                position += 1
            } else if let (name, end) = RegexReplacement.name(bytes, position) {
                pieces.append(.text(text))
                text = []
                pieces.append(.groups(RegexReplacement.groups(name, groupNames)))
                position = end
            } else {
                text.append(dollar)
            }
        }
        pieces.append(.text(text))
    }

    func append(_ slots: [Int], _ source: Bytes, to result: inout [UInt8]) {
        for piece in pieces {
            switch piece {
            case .text(let text): result += text
            case .groups(let groups):
                if let group = groups.first(where: { slots[$0 * 2] >= 0 }) {
                    result += source[slots[group * 2]..<slots[group * 2 + 1]]
                }
            }
        }
    }

    /// The longest run of letters, digits and `_`, in braces or not.
    private static func name(_ bytes: [UInt8], _ start: Int) -> (name: String, end: Int)? {
        let isBraced = start < bytes.count && bytes[start] == UInt8(ascii: "{")
        let first = isBraced ? start + 1 : start
        var end = first
        bytes.withBytes { bytes in
            while end < bytes.count {
                let (rune, width) = GoRune.decode(bytes, end)
                guard isNameRune(rune) else { break }
                end += width
            }
        }
        if end == first { return nil }
        let name = String(decoding: bytes[first..<end], as: UTF8.self)
        if !isBraced { return (name, end) }
        return end < bytes.count && bytes[end] == UInt8(ascii: "}") ? (name, end + 1) : nil
    }

    private static func isNameRune(_ rune: UInt32) -> Bool {
        if rune < 0x80 { return RuneContext.isWord(rune) }
        guard let category = Unicode.Scalar(rune)?.properties.generalCategory else { return false }
        switch category {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber:
            return true
        default: return false
        }
    }

    private static func groups(_ name: String, _ names: [String?]) -> [Int] {
        let isNumber = name.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        let hasLeadingZero = name.utf8.count > 1 && name.utf8.first == 0x30
        if isNumber, !hasLeadingZero, name.utf8.count <= 9, let number = Int(name) {
            return number < names.count ? [number] : []
        }
        return names.indices.filter { names[$0] == name }
    }
}
