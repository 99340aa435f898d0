/// Globs of literals, `?`, `*` and at most one `**`: matched without memory, remembering the last stars only.
struct GlobWildcards: Sendable {
    private enum Piece: Sendable {
        case literal([UInt8])
        case single
        case any
        case anyAcross
    }

    /// More pieces go to the automaton, which does not multiply pattern and text.
    private static let maxPieces = 16

    private let pieces: [Piece]
    private let delimiters: [UInt32]
    /// One ASCII delimiter or none is the usual case.
    private let asciiDelimiters: (UInt64, UInt64)
    private let hasWideDelimiters: Bool

    /// nil for patterns that need more.
    init?(_ nodes: [GlobParser.Node], delimiters: [Unicode.Scalar]) {
        guard nodes.count <= GlobWildcards.maxPieces else { return nil }
        var pieces: [Piece] = []
        var stars = 0
        for node in nodes {
            switch node {
            case .literal(let runes):
                var bytes: [UInt8] = []
                for rune in runes { GoRune.append(rune, to: &bytes) }
                pieces.append(.literal(bytes))
            case .single: pieces.append(.single)
            case .any:
                // A `*` behind `**` would have to be tried again for every place of the `**`.
                if stars > 0, !delimiters.isEmpty { return nil }
                pieces.append(.any)
            case .anyAcross:
                stars += 1
                if stars > 1 { return nil }
                pieces.append(.anyAcross)
            case .set, .alternatives: return nil
            }
        }
        self.pieces = pieces
        self.delimiters = delimiters.map(\.value)
        var ascii: (UInt64, UInt64) = (0, 0)
        for delimiter in self.delimiters where delimiter < 128 {
            if delimiter < 64 { ascii.0 |= 1 << UInt64(delimiter) } else { ascii.1 |= 1 << UInt64(delimiter - 64) }
        }
        asciiDelimiters = ascii
        hasWideDelimiters = self.delimiters.contains { $0 >= 128 }
    }

    func matches(_ bytes: Bytes) -> Bool {
        var piece = 0
        var position = 0
        // Where to go on when a piece fails: behind the last star, one character later.
        var retryPiece = -1
        var retryPosition = 0
        var retryCrosses = false
        // The `**` before that star.
        var outerPiece = -1
        var outerPosition = 0
        while true {
            if piece < pieces.count {
                switch pieces[piece] {
                case .literal(let text):
                    if text.withBytes({ GoText.matches(bytes, $0, at: position) }) {
                        position += text.count
                        piece += 1
                        continue
                    }
                case .single:
                    if position < bytes.count, !isDelimiter(bytes, position) {
                        position += GoRune.decode(bytes, position).width
                        piece += 1
                        continue
                    }
                case .any, .anyAcross:
                    let crosses = if case .anyAcross = pieces[piece] { true } else { delimiters.isEmpty }
                    piece += 1
                    if piece == pieces.count, crosses { return true }
                    if crosses {
                        (outerPiece, outerPosition) = (-1, 0)
                    } else if retryCrosses {
                        (outerPiece, outerPosition) = (retryPiece, retryPosition)
                    }
                    (retryPiece, retryPosition, retryCrosses) = (piece, position, crosses)
                    continue
                }
            } else if position == bytes.count {
                return true
            }
            // Give the last star one character more.
            if retryPiece >= 0, retryPosition < bytes.count, retryCrosses || !isDelimiter(bytes, retryPosition) {
                retryPosition += GoRune.decode(bytes, retryPosition).width
            } else if outerPiece >= 0, outerPosition < bytes.count {
                outerPosition += GoRune.decode(bytes, outerPosition).width
                (retryPiece, retryPosition, retryCrosses) = (outerPiece, outerPosition, true)
                (outerPiece, outerPosition) = (-1, 0)
            } else {
                return false
            }
            (piece, position) = (retryPiece, retryPosition)
        }
    }

    @inline(__always)
    private func isDelimiter(_ bytes: Bytes, _ position: Int) -> Bool {
        let byte = bytes[position]
        if byte < 64 { return asciiDelimiters.0 >> UInt64(byte) & 1 == 1 }
        if byte < 128 { return asciiDelimiters.1 >> UInt64(byte - 64) & 1 == 1 }
        return hasWideDelimiters && delimiters.contains(GoRune.decode(bytes, position).rune)
    }
}
