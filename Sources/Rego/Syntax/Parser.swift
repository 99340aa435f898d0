/// Reads a policy module or a query: hand-written descent over `Lexer`, Rego v1.
///
/// Every failure is a `SyntaxFailure` with its place. Nesting and repeated reading are bounded, so that no
/// input exhausts the stack or the clock.
struct Parser {
    static let maximumDepth = 250

    var lexer: Lexer
    var depth = 0
    var scanLimit: Int
    var closedNegation = false

    init(bytes: [UInt8], file: Int32) {
        lexer = Lexer(bytes: bytes, file: file)
        scanLimit = 200_000 + bytes.count * 40
    }

    // MARK: - Tokens

    var token: Token { lexer.token }

    mutating func advance() throws(SyntaxFailure) {
        try lexer.advance()
        if lexer.scanned > scanLimit { throw lexer.failure("expression too complex", lexer.location) }
    }

    func at(_ symbol: Token.Symbol) -> Bool { lexer.token == .symbol(symbol) }
    func at(_ keyword: Token.Keyword) -> Bool { lexer.token == .keyword(keyword) }

    /// Goes back to a saved place; the work done since still counts.
    mutating func restore(_ saved: Lexer) {
        let scanned = lexer.scanned
        lexer = saved
        lexer.scanned = scanned
    }

    mutating func expect(_ symbol: Token.Symbol, _ hint: String) throws(SyntaxFailure) {
        guard at(symbol) else { throw unexpected(hint) }
        try advance()
    }

    func unexpected(_ hint: String = "") -> SyntaxFailure {
        let what: String
        switch token {
        case .end: what = "eof token"
        case .identifier: what = "identifier token"
        case .keyword(let keyword): what = "\(keyword.rawValue) keyword"
        case .number: what = "number token"
        case .string, .rawString, .template: what = "string token"
        case .symbol(let symbol): what = "\(Parser.name(symbol)) token"
        }
        return lexer.failure("unexpected \(what)" + (hint.isEmpty ? "" : ": \(hint)"), lexer.location)
    }

    private static func name(_ symbol: Token.Symbol) -> String {
        switch symbol {
        case .assign: "assign"
        case .unify: "eq"
        case .equal: "equal"
        case .notEqual: "neq"
        case .less: "lt"
        case .lessEqual: "lte"
        case .greater: "gt"
        case .greaterEqual: "gte"
        case .plus: "plus"
        case .minus: "minus"
        case .star: "mul"
        case .slash: "div"
        case .percent: "rem"
        case .and: "and"
        case .or: "or"
        default: symbol.rawValue
        }
    }

    mutating func nested<R>(_ body: (inout Parser) throws(SyntaxFailure) -> R) throws(SyntaxFailure) -> R {
        depth += 1
        defer { depth -= 1 }
        if depth > Parser.maximumDepth { throw lexer.failure("nesting too deep", lexer.location) }
        return try body(&self)
    }

    // MARK: - Module

    mutating func module(name: String) throws(SyntaxFailure) -> ModuleSyntax {
        try advance()
        guard token != .end else { throw lexer.failure("empty module", lexer.location) }
        guard at(.package) else { throw lexer.failure("package expected", lexer.location) }
        let packageLocation = lexer.location
        try advance()
        let packagePath = try path("package name")
        var module = ModuleSyntax(
            name: name, source: lexer.bytes, packagePath: packagePath,
            packageLocation: packageLocation.through(lexer.lastEnd), imports: [], rules: [], comments: [],
            annotations: [], closedNegation: false)
        while token != .end {
            switch token {
            case .keyword(.import):
                let found = try importStatement()
                module.imports.append(found)
                if found.path.count == 3, found.path[0].isVariable("future"), found.path[2].isString("not") {
                    closedNegation = true
                }
            case .keyword(.package): throw lexer.failure("unexpected package", lexer.location)
            default: module.rules.append(try rule())
            }
        }
        module.closedNegation = closedNegation
        module.comments = lexer.comments
        try attachAnnotations(&module)
        return module
    }

    /// A query: literals separated by semicolons or row ends.
    mutating func query() throws(SyntaxFailure) -> [Literal] {
        try advance()
        let literals = try literals(until: .end)
        guard token == .end else { throw unexpected() }
        return literals
    }

    /// A single term, as `input_term` gives it.
    mutating func singleTerm() throws(SyntaxFailure) -> Term {
        try advance()
        let term = try infixTerm(pairs: true)
        guard token == .end else { throw unexpected() }
        return term
    }

    /// A package or import path: a name, then dots and bracketed strings.
    private mutating func path(_ what: String) throws(SyntaxFailure) -> [Term] {
        let start = lexer.location
        let term: Term
        switch token {
        case .identifier, .keyword(.contains): term = try primary()
        default: throw unexpected(what == "package name" ? "" : "expected path")
        }
        switch term.kind {
        case .variable: return [term]
        case .ref(let head, let rest):
            guard case .variable = head.kind else { break }
            for part in rest {
                guard case .string = part.kind else {
                    throw lexer.failure("unexpected \(what): path elements must be strings", start)
                }
            }
            return [head] + rest
        default: break
        }
        throw lexer.failure("unexpected \(what)", start)
    }

    private mutating func importStatement() throws(SyntaxFailure) -> ImportSyntax {
        let start = lexer.location
        try advance()
        let pathStart = lexer.location
        let path = try path("import path")
        guard case .variable(let root) = path[0].kind else { throw unexpected() }
        switch root {
        case "data", "input": break
        case "rego":
            guard path.count == 2, path[1].isString("v1") else {
                throw lexer.failure("invalid import `\(path.dotted)`, must be `rego.v1`", pathStart)
            }
        case "future":
            guard path.count >= 2, path.count <= 3, path[1].isString("keywords") else {
                throw lexer.failure("invalid import, must be `future.keywords`", pathStart)
            }
            if path.count == 3,
                !["and", "contains", "every", "if", "in", "not", "or"].contains(where: path[2].isString)
            {
                throw lexer.failure(
                    "unexpected keyword, must be one of [and contains every if in not or]", pathStart)
            }
        default:
            throw lexer.failure(
                "unexpected import path, must begin with one of: {data, future, input, rego}, got: \(root)", pathStart)
        }
        var alias: String?
        if at(.as) {
            try advance()
            guard case .identifier(let name) = token, name != "input", name != "data" else {
                throw unexpected("expected var")
            }
            alias = name
            try advance()
            if !lexer.spaceBefore, at(.dot) || at(.openBracket) { throw unexpected("expected var") }
            if root == "future" {
                throw lexer.failure("`future` imports cannot be aliased", pathStart)
            }
        }
        return ImportSyntax(path: path, alias: alias, location: start.through(lexer.lastEnd))
    }

    // MARK: - Bodies

    /// Reads literals up to `end` (not consumed). `.end` stands for the end of input.
    mutating func literals(until end: Token) throws(SyntaxFailure) -> [Literal] {
        if token == end { throw lexer.failure("found empty body", lexer.location) }
        var result: [Literal] = []
        while true {
            result.append(try literal())
            if at(.semicolon) {
                try advance()
                continue
            }
            if token == end { return result }
            if !lexer.newlineBefore {
                throw unexpected("expected \\n or ; or \(end == .end ? "eof" : Parser.text(end))")
            }
        }
    }

    private static func text(_ token: Token) -> String {
        if case .symbol(let symbol) = token { return symbol.rawValue }
        return "eof"
    }

    /// `{ literals }`
    mutating func block() throws(SyntaxFailure) -> [Literal] {
        try nested { (parser) throws(SyntaxFailure) in
            try parser.expect(.openBrace, "expected {")
            let body = try parser.literals(until: .symbol(.closeBrace))
            try parser.advance()
            return body
        }
    }

    mutating func literal() throws(SyntaxFailure) -> Literal {
        let start = lexer.location
        var negated = false
        if at(.not) {
            try advance()
            negated = true
            if closedNegation, at(.openBrace) {
                let saved = lexer
                if let body = try? block() {
                    return try finish(Literal(kind: .notBody(body), location: start))
                }
                restore(saved)
            }
        }
        var kind: Literal.Kind
        switch token {
        case .keyword(.some):
            if negated { throw lexer.failure("illegal negation of 'some'", lexer.location) }
            kind = try someLiteral()
        case .keyword(.every):
            if negated { throw lexer.failure("illegal negation of 'every'", lexer.location) }
            kind = try everyLiteral()
        default:
            let left = try infixTerm(pairs: true)
            if at(.assign) {
                try advance()
                kind = .assign(left, try infixTerm(pairs: true))
            } else if at(.unify) {
                try advance()
                kind = .unify(left, try infixTerm(pairs: true))
            } else {
                kind = .term(left)
            }
        }
        var literal = Literal(kind: kind, location: start)
        literal.negated = negated
        return try finish(literal)
    }

    /// Adds the `with` modifiers that follow.
    mutating func finish(_ literal: Literal) throws(SyntaxFailure) -> Literal {
        var literal = literal
        while at(.with) {
            let start = lexer.location
            try advance()
            guard lexer.wordAsName() != nil, !(lexer.token == .keyword(.with)) else {
                throw unexpected("expected ident")
            }
            if case .keyword(let keyword) = token, keyword != .contains { throw unexpected("expected ident") }
            let target = try primary()
            switch target.kind {
            case .variable: break
            case .ref(let head, _): if case .variable = head.kind { break } else { throw unexpected("expected ident") }
            default: throw unexpected("expected with target")
            }
            guard at(.as) else { throw unexpected("expected as keyword") }
            try advance()
            let value = try infixTerm(pairs: false)
            literal.with.append(WithModifier(target: target, value: value, location: start.through(lexer.lastEnd)))
        }
        literal.location.end = max(lexer.lastEnd, literal.location.end)
        return literal
    }

    private mutating func someLiteral() throws(SyntaxFailure) -> Literal.Kind {
        let saved = lexer
        try advance()
        if let term = try? infixTerm(pairs: true) {
            if case .call(_, let arguments, let infix) = term.kind, let infix, !term.parenthesized {
                guard infix == "in" else {
                    throw lexer.failure("expected `x in xs` or `x, y in xs` expression", term.location)
                }
                return arguments.count == 2
                    ? .someIn(key: nil, value: arguments[0], domain: arguments[1])
                    : .someIn(key: arguments[0], value: arguments[1], domain: arguments[2])
            }
            if case .call = term.kind {
                throw lexer.failure("expected `x in xs` or `x, y in xs` expression", term.location)
            }
        }
        restore(saved)
        var symbols: [Term] = []
        repeat {
            try advance()
            guard case .identifier(let name) = token else { throw unexpected("expected var") }
            symbols.append(Term(.variable(name), lexer.location))
            try advance()
        } while at(.comma)
        return .some(symbols)
    }

    private mutating func everyLiteral() throws(SyntaxFailure) -> Literal.Kind {
        try advance()
        let term = try infixTerm(pairs: true)
        guard case .call(_, let arguments, infix: "in") = term.kind else {
            throw unexpected("expected `x[, y] in xs { ... }` expression")
        }
        let key = arguments.count == 3 ? arguments[0] : nil
        let value = arguments[arguments.count - 2]
        if let key, !key.isVariable { throw lexer.failure("expected key to be a variable", key.location) }
        guard value.isVariable else { throw lexer.failure("expected value to be a variable", value.location) }
        guard at(.openBrace) else { throw unexpected("missing body") }
        let body = try block()
        return .every(key: key, value: value, domain: arguments[arguments.count - 1], body: body)
    }
}

extension Term {
    var isVariable: Bool {
        if case .variable = kind { return true }
        return false
    }

    func isVariable(_ name: String) -> Bool {
        if case .variable(name) = kind { return true }
        return false
    }

    func isString(_ text: String) -> Bool {
        if case .string(let bytes, _) = kind { return bytes == Array(text.utf8) }
        return false
    }
}

extension [Term] {
    /// The path with dots, for messages.
    var dotted: String {
        map { term in
            switch term.kind {
            case .variable(let name): name
            case .string(let bytes, _): String(decoding: bytes, as: UTF8.self)
            default: "_"
            }
        }.joined(separator: ".")
    }
}
