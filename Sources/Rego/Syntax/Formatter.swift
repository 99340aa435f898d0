/// Formats policies: spaces, indentation by tabs, blank lines. Every token and every comment stays, and every
/// row's end, so that the result means the same; formatting the result again changes nothing.
public struct Formatter: Sendable {
    public init() {}

    /// The formatted text.
    ///
    /// - Throws: `RegoErrors` if the text is no valid module; nothing is formatted then.
    public func format(_ text: [UInt8], name: String) throws(RegoErrors) -> [UInt8] {
        let diagnostics = Diagnostics(files: [name])
        do throws(SyntaxFailure) {
            var parser = Parser(bytes: text, file: 0)
            let module = try parser.module(name: name)
            let result = FormattedText(text, comments: module.comments, pieces: try Formatter.pieces(text)).bytes
            // What was written must be what was read.
            let again = try Formatter.pieces(result)
            let before = try Formatter.pieces(text)
            var check = Parser(bytes: result, file: 0)
            let comments = try check.module(name: name).comments
            guard again.map(\.source) == before.map(\.source), comments.count == module.comments.count else {
                throw SyntaxFailure(message: "formatting would change the policy", location: module.packageLocation)
            }
            return result
        } catch {
            diagnostics.report(.parse, error.location, error.message)
        }
        throw RegoErrors(diagnostics.errors)
    }

    /// A token with its bytes.
    struct Piece {
        let token: Token
        let source: [UInt8]
        let row: Int
        let endRow: Int
        let offset: Int
        let spaceBefore: Bool
    }

    static func pieces(_ text: [UInt8]) throws(SyntaxFailure) -> [Piece] {
        var parser = Parser(bytes: text, file: 0)
        try parser.advance()
        var result: [Piece] = []
        while parser.token != .end {
            let token = parser.token
            let location = parser.lexer.location
            let space = parser.lexer.spaceBefore
            var end = Int(location.end)
            if case .template(let raw) = token {
                try parser.skipTemplate(raw: raw)
                end = Int(parser.lexer.lastEnd)
            } else {
                try parser.advance()
            }
            let source = Array(text[Int(location.offset)..<end])
            result.append(
                Piece(
                    token: token, source: source, row: Int(location.row),
                    endRow: Int(location.row) + source.count { $0 == 10 }, offset: Int(location.offset),
                    spaceBefore: space))
        }
        return result
    }
}

/// Writes the pieces of one module.
private struct FormattedText {
    private(set) var bytes: [UInt8] = []
    private var stack: [(indent: Int, spaced: Bool)] = []
    private var lineIndent = 0
    private var lastRow = 0
    private var previous: Formatter.Piece?
    private var previousIsUnary = false
    private var lineIsEmpty = true
    private var seenImport = false
    private var ruleSpansRows = false

    init(_ text: [UInt8], comments: [Comment], pieces: [Formatter.Piece]) {
        var comments = comments[...]
        for (index, piece) in pieces.enumerated() {
            while let comment = comments.first, Int(comment.location.offset) < piece.offset {
                write(comment)
                comments = comments.dropFirst()
            }
            write(piece, next: index + 1 < pieces.count ? pieces[index + 1] : nil)
        }
        for comment in comments { write(comment) }
        endLine()
        while bytes.count > 1, bytes[bytes.count - 1] == 10, bytes[bytes.count - 2] == 10 { bytes.removeLast() }
    }

    private mutating func endLine() {
        while let last = bytes.last, last == 32 || last == 9 { bytes.removeLast() }
        if !bytes.isEmpty, bytes.last != 10 { bytes.append(10) }
        lineIsEmpty = true
    }

    /// Begins a row; one blank row stays where there were any.
    private mutating func beginLine(row: Int, indent: Int, blank: Bool = false) {
        endLine()
        let opens = previous.map { FormattedText.isOpen($0.token) } ?? false
        if !bytes.isEmpty, blank || (row > lastRow + 1 && !opens) {
            if bytes.count < 2 || bytes[bytes.count - 2] != 10 { bytes.append(10) }
        }
        lineIndent = indent
        bytes.append(contentsOf: Array(repeating: 9, count: indent))
        lineIsEmpty = false
    }

    private mutating func write(_ comment: Comment) {
        let row = Int(comment.location.row)
        if comment.ownRow || bytes.isEmpty {
            let indent = stack.last.map { $0.indent + 1 } ?? 0
            beginLine(row: row, indent: indent)
        } else {
            while let last = bytes.last, last == 32 { bytes.removeLast() }
            bytes.append(32)
        }
        bytes.append(UInt8(ascii: "#"))
        var text = comment.text
        while let last = text.last, last == 32 || last == 9 || last == 13 { text.removeLast() }
        bytes.append(contentsOf: text)
        lastRow = row
        previousComment = true
    }

    private var previousComment = false

    private static func isOpen(_ token: Token) -> Bool {
        switch token {
        case .symbol(.openBrace), .symbol(.openBracket), .symbol(.openParenthesis): true
        default: false
        }
    }

    private static func isClose(_ token: Token) -> Bool {
        switch token {
        case .symbol(.closeBrace), .symbol(.closeBracket), .symbol(.closeParenthesis): true
        default: false
        }
    }

    /// Ends an operand: what follows is infix, a suffix or a block.
    private static func isOperand(_ token: Token) -> Bool {
        switch token {
        case .identifier, .number, .string, .rawString, .template: true
        case .keyword(.true), .keyword(.false), .keyword(.null), .keyword(.contains): true
        default: isClose(token)
        }
    }

    private static func isInfix(_ token: Token) -> Bool {
        guard case .symbol(let symbol) = token else { return false }
        switch symbol {
        case .assign, .unify, .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual, .plus, .minus, .star,
            .slash, .percent, .and, .or:
            return true
        default: return false
        }
    }

    private func continues(_ piece: Formatter.Piece) -> Bool {
        if case .keyword(.with) = piece.token { return true }
        if FormattedText.isInfix(piece.token), let previous, FormattedText.isOperand(previous.token) { return true }
        guard let previous else { return false }
        if FormattedText.isInfix(previous.token) { return true }
        switch previous.token {
        case .keyword(.if), .keyword(.in), .keyword(.with), .keyword(.as), .keyword(.not), .keyword(.contains),
            .keyword(.some), .keyword(.every):
            return true
        case .symbol(.colon): return true
        default: return false
        }
    }

    private mutating func write(_ piece: Formatter.Piece, next: Formatter.Piece?) {
        let closes = FormattedText.isClose(piece.token)
        let newLine = previous == nil || piece.row > lastRow || previousComment
        let statement = stack.isEmpty && newLine && !continues(piece) && !closes && piece.token != .keyword(.else)
        let closing = closes ? stack.popLast() : nil
        if newLine {
            var indent = closing?.indent ?? stack.last.map { $0.indent + 1 } ?? 0
            if !closes, continues(piece) { indent += 1 }
            var blank = false
            if statement, let previous, !previousComment {
                let isImport = piece.token == .keyword(.import)
                if !isImport, !seenRule { blank = previous.row > 0 }
                if isImport, !seenImport { blank = true }
                if seenRule, ruleSpansRows { blank = true }
            }
            beginLine(row: piece.row, indent: indent, blank: blank)
        } else if needsSpace(piece, closing: closing) {
            bytes.append(32)
        }
        if statement {
            if piece.token == .keyword(.import) {
                seenImport = true
            } else if piece.token != .keyword(.package) {
                seenRule = true
            }
            statementRow = piece.row
            ruleSpansRows = false
        }
        if piece.endRow > statementRow { ruleSpansRows = seenRule }
        if piece.token == .symbol(.minus) {
            previousIsUnary = !(previous.map { FormattedText.isOperand($0.token) } ?? false)
        } else {
            previousIsUnary = false
        }
        bytes.append(contentsOf: piece.source)
        if FormattedText.isOpen(piece.token) {
            var spaced = false
            if piece.token == .symbol(.openBrace), let next {
                switch previous?.token {
                case .keyword(.if)?, .keyword(.not)?: spaced = next.spaceBefore
                case let token?: spaced = FormattedText.isOperand(token)
                case nil: break
                }
                if next.token == .symbol(.closeBrace) { spaced = false }
            }
            stack.append((indent: lineIndent, spaced: spaced))
        }
        previous = piece
        previousComment = false
        lastRow = piece.endRow
    }

    private var seenRule = false
    private var statementRow = 0

    private func needsSpace(
        _ piece: Formatter.Piece, closing: (indent: Int, spaced: Bool)?
    ) -> Bool {
        guard let previous else { return false }
        if let closing { return closing.spaced && !FormattedText.isOpen(previous.token) }
        if FormattedText.isOpen(previous.token) { return stack.last?.spaced ?? false }
        switch piece.token {
        case .symbol(.comma), .symbol(.semicolon), .symbol(.colon): return false
        case .symbol(.dot): return piece.spaceBefore && previous.token != .symbol(.dot)
        case .symbol(.openParenthesis), .symbol(.openBracket):
            // Directly behind an operand they are a call or a lookup; with a space they are not.
            if FormattedText.isOperand(previous.token) { return piece.spaceBefore }
        default: break
        }
        if previous.token == .symbol(.dot) { return false }
        if previous.token == .symbol(.minus), previousIsUnary { return false }
        return true
    }
}

extension Parser {
    /// Passes over a template string whose opening quote is the current token.
    mutating func skipTemplate(raw: Bool) throws(SyntaxFailure) {
        _ = try template(raw: raw)
    }
}
