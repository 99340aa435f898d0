/// A compiled glob of `glob.match`: safe to share between threads, time linear in pattern times text at worst.
struct GlobPattern: Sendable {
    private enum Form: Sendable {
        case wildcards(GlobWildcards)
        /// Classes, alternatives, or several `**`.
        case expression(RegularExpression)
    }

    private let form: Form

    /// No delimiters: `*` crosses everything.
    init(_ pattern: String, delimiters: [Unicode.Scalar]) throws(SupportError) {
        let nodes = try GlobParser.parse(pattern)
        if let wildcards = GlobWildcards(nodes, delimiters: delimiters) {
            form = .wildcards(wildcards)
        } else {
            form = .expression(try RegularExpression(GlobPattern.node(nodes, delimiters: delimiters)))
        }
    }

    func matches(_ bytes: Bytes) -> Bool {
        switch form {
        case .wildcards(let wildcards): wildcards.matches(bytes)
        case .expression(let expression): expression.isMatch(bytes)
        }
    }

    func matches(_ text: String) -> Bool { text.withBytes { matches($0) } }

    /// Escapes everything with a meaning in patterns.
    static func quoteMeta(_ text: String) -> String {
        let special = Array("*?\\[]{}".utf8)
        return String(
            decoding: text.utf8.flatMap { special.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }, as: UTF8.self)
    }

    private static func node(_ nodes: [GlobParser.Node], delimiters: [Unicode.Scalar]) -> RegexNode {
        let separators = UnicodeTables.merged(delimiters.map { $0.value...$0.value })
        let inside: RegexNode = separators.isEmpty ? .any : .set(UnicodeTables.complement(separators))
        return .concat([.assertion(.beginText), body(nodes, inside), .assertion(.endText)])
    }

    private static func body(_ nodes: [GlobParser.Node], _ inside: RegexNode) -> RegexNode {
        .concat(
            nodes.map { node in
                switch node {
                case .literal(let runes): .concat(runes.map { .rune($0) })
                case .any: .repeated(inside, min: 0, max: nil, greedy: true)
                case .anyAcross: .repeated(.any, min: 0, max: nil, greedy: true)
                case .single: inside
                case .set(let ranges, let isNegated):
                    .set(
                        isNegated
                            ? UnicodeTables.complement(UnicodeTables.merged(ranges)) : UnicodeTables.merged(ranges))
                case .alternatives(let branches): .alternate(branches.map { body($0, inside) })
                }
            })
    }
}
