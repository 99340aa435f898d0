/// A parsed regular expression.
indirect enum RegexNode: Sendable {
    case empty
    case rune(UInt32)
    case set(UnicodeTables.Ranges)
    case any
    case anyButNewline
    case assertion(RegexAssertion)
    case capture(RegexNode, index: Int)
    case concat([RegexNode])
    case alternate([RegexNode])
    /// `max` nil: without end.
    case repeated(RegexNode, min: Int, max: Int?, greedy: Bool)

    /// Whether the node can match the empty text.
    var isNullable: Bool {
        switch self {
        case .empty, .assertion: true
        case .rune, .set, .any, .anyButNewline: false
        case .capture(let node, _): node.isNullable
        case .concat(let nodes): nodes.allSatisfy(\.isNullable)
        case .alternate(let nodes): nodes.contains(where: \.isNullable)
        case .repeated(let node, let min, _, _): min == 0 || node.isNullable
        }
    }

    /// False when nested counted repetitions multiply beyond `limit`.
    func repeatsWithin(_ limit: Int) -> Bool {
        switch self {
        case .empty, .rune, .set, .any, .anyButNewline, .assertion: return true
        case .capture(let node, _): return node.repeatsWithin(limit)
        case .concat(let nodes), .alternate(let nodes): return nodes.allSatisfy { $0.repeatsWithin(limit) }
        case .repeated(let node, let min, let max, _):
            // Plain * + ? do not multiply.
            let isCounted = min > 1 || (max ?? 0) > 1
            if !isCounted {
                if min == 0, max == 0 { return true }
                return node.repeatsWithin(limit)
            }
            let times = max ?? min
            return times <= limit && node.repeatsWithin(limit / times)
        }
    }
}

/// What a zero-width place must be.
enum RegexAssertion: UInt8, Sendable {
    case beginText, endText, beginLine, endLine, wordBoundary, noWordBoundary
}
