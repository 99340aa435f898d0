extension Parser {
    private static let precedence: [Token.Symbol: Int] = [
        .equal: 1, .notEqual: 1, .less: 1, .lessEqual: 1, .greater: 1, .greaterEqual: 1,
        .or: 2, .and: 3, .plus: 4, .minus: 4, .star: 5, .slash: 5, .percent: 5,
    ]

    /// The built-in behind an operator.
    static let operatorNames: [String: String] = [
        "==": "equal", "!=": "neq", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "|": "or", "&": "and",
        "+": "plus", "-": "minus", "*": "mul", "/": "div", "%": "rem",
    ]

    /// A term with operators. `pairs` allows `key, value in collection`, which lists cannot have.
    /// `first` is an operand already read.
    mutating func infixTerm(pairs: Bool, first: Term? = nil) throws(SyntaxFailure) -> Term {
        var left = try climb(1, first)
        while true {
            if pairs, at(.comma) {
                let saved = lexer
                if let middle = try? memberValue() {
                    let inToken = lexer.location
                    try advance()
                    let domain = try climb(1, nil)
                    left = member([left, middle, domain], inToken)
                    continue
                }
                restore(saved)
            }
            guard at(.in) else { return left }
            let inToken = lexer.location
            try advance()
            let domain = try climb(1, nil)
            left = member([left, domain], inToken)
        }
    }

    /// After a comma: the value of `key, value in`, with `in` next.
    private mutating func memberValue() throws(SyntaxFailure) -> Term {
        try advance()
        let middle = try climb(1, nil)
        guard at(.in) else { throw unexpected() }
        return middle
    }

    private func member(_ arguments: [Term], _ inToken: Location) -> Term {
        let name = Term(
            .ref(
                Term(.variable("internal"), inToken),
                [Term.string(arguments.count == 2 ? "member_2" : "member_3", inToken)]), inToken)
        return Term(
            .call(name, arguments, infix: "in"),
            arguments[0].location.through(arguments[arguments.count - 1].location.end))
    }

    private mutating func climb(_ minimum: Int, _ first: Term?) throws(SyntaxFailure) -> Term {
        depth += 1
        defer { depth -= 1 }
        if depth > Parser.maximumDepth { throw lexer.failure("nesting too deep", lexer.location) }
        var left: Term
        if let first { left = first } else { left = try primary() }
        var chained = 0
        while case .symbol(let symbol) = token, let level = Parser.precedence[symbol], level >= minimum {
            chained += 1
            if chained > Parser.maximumDepth { throw lexer.failure("nesting too deep", lexer.location) }
            let place = lexer.location
            try advance()
            let right = try climb(level + 1, nil)
            let name = Term(.variable(Parser.operatorNames[symbol.rawValue] ?? ""), place)
            left = Term(
                .call(name, [left, right], infix: symbol.rawValue), left.location.through(right.location.end))
        }
        return left
    }

    /// An operand: a scalar, variable, composite or parenthesised term with the dots, brackets and calls
    /// that directly follow it.
    mutating func primary() throws(SyntaxFailure) -> Term {
        depth += 1
        defer { depth -= 1 }
        if depth > Parser.maximumDepth { throw lexer.failure("nesting too deep", lexer.location) }
        let start = lexer.location
        var term: Term
        switch token {
        case .keyword(.null):
            try advance()
            term = Term(.null, start)
        case .keyword(.true):
            try advance()
            term = Term(.bool(true), start)
        case .keyword(.false):
            try advance()
            term = Term(.bool(false), start)
        case .number(let text):
            try advance()
            term = Term(.number(text), start)
        case .symbol(.minus):
            try advance()
            guard case .number(let text) = token else { throw unexpected("expected number") }
            try advance()
            term = Term(.number("-" + text), start)
        case .string(let bytes):
            try advance()
            term = Term(.string(bytes, raw: false), start)
        case .rawString(let bytes):
            try advance()
            term = Term(.string(bytes, raw: true), start)
        case .template(let raw): term = try template(raw: raw)
        case .identifier(let name):
            try advance()
            if name == "set", at(.openParenthesis), !lexer.spaceBefore {
                let saved = lexer
                try advance()
                if at(.closeParenthesis) {
                    try advance()
                    term = Term(.set([]), start)
                } else {
                    restore(saved)
                    term = Term(.variable(name), start)
                }
            } else {
                term = Term(.variable(name), start)
            }
        case .keyword(.contains):
            try advance()
            term = Term(.variable("contains"), start)
        case .symbol(.openBracket): term = try array()
        case .symbol(.openBrace): term = try braces()
        case .symbol(.openParenthesis):
            try advance()
            term = try infixTerm(pairs: true)
            guard at(.closeParenthesis) else { throw unexpected("non-terminated expression") }
            try advance()
            term.parenthesized = true
            term.location = start
        default: throw unexpected()
        }
        term.location.end = lexer.lastEnd
        return try suffixes(of: term)
    }

    private mutating func suffixes(of head: Term) throws(SyntaxFailure) -> Term {
        var term = head
        var operands: [Term] = []
        func finished() -> Term {
            operands.isEmpty ? term : Term(.ref(term, operands), head.location.through(lexer.lastEnd))
        }
        while !lexer.spaceBefore {
            switch token {
            case .symbol(.dot):
                try checkRefHead(term)
                try advance()
                guard !lexer.spaceBefore, let name = lexer.wordAsName() else { throw unexpected("expected identifier") }
                operands.append(Term.string(name, lexer.location))
                try advance()
            case .symbol(.openBracket):
                try checkRefHead(term)
                try advance()
                let operand = try infixTerm(pairs: true)
                guard at(.closeBracket) else { throw unexpected("expected ]") }
                try advance()
                operands.append(operand)
            case .symbol(.openParenthesis):
                try checkRefHead(term)
                let name = finished()
                try advance()
                let arguments = try list(until: .closeParenthesis)
                term = Term(.call(name, arguments, infix: nil), head.location.through(lexer.lastEnd))
                operands = []
            default: return finished()
            }
            if operands.count > Parser.maximumDepth { throw lexer.failure("nesting too deep", lexer.location) }
        }
        return finished()
    }

    private func checkRefHead(_ term: Term) throws(SyntaxFailure) {
        switch term.kind {
        case .null, .bool, .number, .string, .template:
            throw lexer.failure("illegal ref (head cannot be \(Parser.kindName(term)))", term.location)
        case .ref where term.parenthesized: break
        default: break
        }
    }

    /// Terms between commas up to `end`, which is consumed. A trailing comma is allowed.
    private mutating func list(until end: Token.Symbol, first: Term? = nil) throws(SyntaxFailure) -> [Term] {
        var items: [Term] = []
        if let first {
            items.append(first)
            if at(end) {
                try advance()
                return items
            }
            try expect(.comma, "expected \",\" or \"\(end.rawValue)\"")
        }
        while !at(end) {
            items.append(try infixTerm(pairs: false))
            if at(.comma) {
                try advance()
            } else if !at(end) {
                throw unexpected("expected \",\" or \"\(end.rawValue)\"")
            }
        }
        try advance()
        return items
    }

    /// The body of a comprehension after `|`, where there is one; nil restores the place before `|`.
    private mutating func comprehensionBody(until end: Token.Symbol) throws(SyntaxFailure) -> [Literal]? {
        let saved = lexer
        try advance()
        do {
            let body = try literals(until: .symbol(end))
            try advance()
            return body
        } catch {
            // Either a broken comprehension or a union such as `{a | b, c}`: only the latter parses again.
            let failed = error
            let reached = lexer.location.offset
            restore(saved)
            var attempt = self
            let union = try? attempt.unionAfterOr(until: end)
            restore(saved)
            lexer.scanned = max(lexer.scanned, attempt.lexer.scanned)
            if union == nil || reached < saved.location.offset { throw failed }
            return nil
        }
    }

    private mutating func unionAfterOr(until end: Token.Symbol) throws(SyntaxFailure) -> Bool {
        try advance()
        _ = try infixTerm(pairs: false)
        guard at(end) || at(.comma) || at(.colon) else { throw unexpected() }
        return true
    }

    private mutating func array() throws(SyntaxFailure) -> Term {
        let start = lexer.location
        try advance()
        if at(.closeBracket) {
            try advance()
            return Term(.array([]), start)
        }
        // A leading comma is allowed for compatibility; a comprehension cannot follow it.
        let comma = at(.comma)
        if comma { try advance() }
        let first = try primary()
        if !comma, at(.or), let body = try comprehensionBody(until: .closeBracket) {
            return Term(.arrayComprehension(first, body), start)
        }
        let item = try infixTerm(pairs: false, first: first)
        return Term(.array(try list(until: .closeBracket, first: item)), start)
    }

    private mutating func braces() throws(SyntaxFailure) -> Term {
        let start = lexer.location
        try advance()
        if at(.closeBrace) {
            try advance()
            return Term(.object([]), start)
        }
        let comma = at(.comma)
        if comma { try advance() }
        let head = try primary()
        if !comma, at(.or), let body = try comprehensionBody(until: .closeBrace) {
            return Term(.setComprehension(head, body), start)
        }
        let first = try infixTerm(pairs: false, first: head)
        if at(.closeBrace) || at(.comma) {
            return Term(.set(try list(until: .closeBrace, first: first)), start)
        }
        guard at(.colon) else { throw unexpected("non-terminated set") }
        try advance()
        let valueHead = try primary()
        if at(.or), let body = try comprehensionBody(until: .closeBrace) {
            return Term(.objectComprehension(key: first, value: valueHead, body), start)
        }
        var pairs = [(key: first, value: try infixTerm(pairs: false, first: valueHead))]
        while !at(.closeBrace) {
            try expect(.comma, "non-terminated object")
            if at(.closeBrace) { break }
            let key = try infixTerm(pairs: false)
            try expect(.colon, "expected :")
            pairs.append((key: key, value: try infixTerm(pairs: false)))
        }
        try advance()
        return Term(.object(pairs), start)
    }

    /// `$"text {term} text"`; the opening quote is the current token.
    mutating func template(raw: Bool) throws(SyntaxFailure) -> Term {
        let start = lexer.location
        var parts: [TemplatePart] = []
        while true {
            let (text, ended) = try lexer.templateText(raw: raw, opening: start)
            if !text.isEmpty { parts.append(.text(text)) }
            if ended { break }
            try advance()
            if at(.closeBrace) { throw lexer.failure("invalid template-string expression: empty", lexer.location) }
            let term = try infixTerm(pairs: true)
            if at(.assign) {
                throw unexpected("unexpected assignment (':=') in template-string expression")
            }
            let literal = try finish(Literal(kind: .term(term), location: term.location))
            guard at(.closeBrace) else { throw unexpected("expected } in template-string expression") }
            parts.append(.expression(literal))
            // The lexer stands right behind the brace: the text goes on there.
        }
        lexer.location.end = Int32(lexer.at)
        try advance()
        return Term(.template(parts, raw: raw), start)
    }
}
