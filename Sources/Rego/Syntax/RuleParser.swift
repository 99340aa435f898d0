extension Parser {
    /// One rule with its else branches.
    mutating func rule() throws(SyntaxFailure) -> RuleSyntax {
        let start = lexer.location
        var isDefault = false
        if at(.default) {
            isDefault = true
            try advance()
        }
        guard case .identifier = token else { throw notARule() }
        let head = try ruleHead()
        var rule = RuleSyntax(head: head, location: start)
        rule.isDefault = isDefault
        if isDefault {
            try checkDefault(rule)
            rule.location = start.through(lexer.lastEnd)
            return rule
        }
        if at(.if) {
            try advance()
            (rule.body, rule.braces) = try ruleBody()
        } else if at(.openBrace) {
            let what = head.arguments == nil ? "rule" : "function"
            throw lexer.failure("`if` keyword is required before \(what) body", start)
        } else if head.value == nil, !head.isPartialSet, head.arguments == nil {
            // Only a function's head may stand alone: `f("*", _)` is true for all it fits.
            if at(.semicolon) { throw lexer.failure("multiple expressions cannot be used for rule head", start) }
            switch head.ref.count {
            case 1: throw lexer.failure("var cannot be used for rule name", start)
            case 2: throw lexer.failure("`contains` keyword is required for partial set rules", start)
            default: throw lexer.failure("rule must have value assignment and/or body declaration", start)
            }
        } else if head.value == nil, head.arguments != nil, at(.else) {
            throw unexpected()
        }
        while at(.else) {
            if head.ref.dropFirst().contains(where: { Parser.hasVariable($0) }) {
                throw lexer.failure("else keyword cannot be used on rules with variables in head", lexer.location)
            }
            if head.isPartialSet || (rule.body == nil && rule.elseBranches.isEmpty) { throw unexpected() }
            rule.elseBranches.append(try elseBranch())
        }
        if at(.openBrace) { throw lexer.failure("`if` keyword is required before rule body", start) }
        rule.location = start.through(lexer.lastEnd)
        return rule
    }

    private mutating func notARule() -> SyntaxFailure {
        switch token {
        case .keyword(.contains): return lexer.failure("contains keyword cannot be used for rule name", lexer.location)
        case .keyword(.true), .keyword(.false):
            return lexer.failure("boolean cannot be used for rule name", lexer.location)
        case .keyword(.null): return lexer.failure("null cannot be used for rule name", lexer.location)
        case .string, .rawString: return lexer.failure("string cannot be used for rule name", lexer.location)
        case .number: return lexer.failure("number cannot be used for rule name", lexer.location)
        case .symbol(.openBracket): return lexer.failure("array cannot be used for rule name", lexer.location)
        case .keyword(.not):
            return lexer.failure("negated expressions cannot be used for rule head", lexer.location)
        case .keyword(.some):
            return lexer.failure("'some' declarations cannot be used for rule head", lexer.location)
        case .symbol(.openBrace): return lexer.failure("object cannot be used for rule name", lexer.location)
        default: return unexpected()
        }
    }

    /// Whether a part of a head may have several values.
    private static func hasVariable(_ term: Term) -> Bool {
        switch term.kind {
        case .variable: true
        case .array(let items), .set(let items): items.contains { hasVariable($0) }
        case .object(let pairs): pairs.contains { hasVariable($0.key) || hasVariable($0.value) }
        default: false
        }
    }

    private mutating func ruleHead() throws(SyntaxFailure) -> RuleHead {
        let start = lexer.location
        let term = try primary()
        var head = RuleHead(ref: [], location: start)
        switch term.kind {
        case .variable: head.ref = [term]
        case .ref(let first, let rest) where first.isVariable: head.ref = [first] + rest
        case .call(let name, let arguments, infix: nil):
            // `p() := 1` is the rule `p`.
            head.arguments = arguments.isEmpty ? nil : arguments
            switch name.kind {
            case .ref(let first, let rest) where first.isVariable: head.ref = [first] + rest
            case .variable: head.ref = [name]
            default: throw lexer.failure("rule head ref invalid", start)
            }
        default: throw lexer.failure("expected rule head name", start)
        }
        switch token {
        case .keyword(.contains):
            if head.arguments != nil {
                throw unexpected("the contains keyword can only be used with multi-value rule definitions")
            }
            try advance()
            head.key = try infixTerm(pairs: true)
        case .symbol(.assign), .symbol(.unify):
            head.assigned = at(.assign)
            try advance()
            head.value = try infixTerm(pairs: true)
        default: break
        }
        head.location = start.through(lexer.lastEnd)
        return head
    }

    /// What follows `if`: one literal, or a block. A set in braces is a block.
    private mutating func ruleBody() throws(SyntaxFailure) -> (body: [Literal], braces: Bool) {
        guard at(.openBrace) else {
            if token == .end { throw unexpected("rule body expected") }
            return ([try literal()], false)
        }
        let saved = lexer
        do {
            let single = try literal()
            let isSet: Bool
            if case .term(let term) = single.kind, case .set = term.kind { isSet = true } else { isSet = false }
            let ends = token == .end || lexer.newlineBefore || at(.else)
            if !isSet, ends { return ([single], false) }
        } catch {}
        restore(saved)
        return (try block(), true)
    }

    private mutating func elseBranch() throws(SyntaxFailure) -> ElseBranch {
        let start = lexer.location
        try advance()
        var branch = ElseBranch(value: nil, assigned: false, body: nil, braces: false, location: start)
        if at(.assign) || at(.unify) {
            branch.assigned = at(.assign)
            try advance()
            branch.value = try infixTerm(pairs: true)
        } else if at(.openBrace) {
            throw lexer.failure("`if` keyword is required before rule body", start)
        } else if !at(.if) {
            throw unexpected("expected else value term or rule body")
        }
        if at(.if) {
            try advance()
            (branch.body, branch.braces) = try ruleBody()
        } else if at(.openBrace) {
            throw lexer.failure("`if` keyword is required before rule body", start)
        }
        branch.location = start.through(lexer.lastEnd)
        return branch
    }

    private func checkDefault(_ rule: RuleSyntax) throws(SyntaxFailure) {
        if rule.head.key != nil {
            throw lexer.failure("illegal default rule (must have a value)", rule.location)
        }
        if let value = rule.head.value, let found = Parser.variablePart(value) {
            throw lexer.failure("illegal default rule (value cannot contain \(found))", rule.location)
        }
        if at(.if) || at(.openBrace) { throw unexpected("default rules have no body") }
        var seen: Set<String> = []
        for argument in rule.head.arguments ?? [] {
            guard case .variable(let name) = argument.kind else {
                throw lexer.failure(
                    "illegal default rule (arguments cannot contain \(Parser.kindName(argument)))", rule.location)
            }
            if name != "_", !seen.insert(name).inserted {
                throw lexer.failure("illegal default rule (arguments cannot be repeated \(name))", rule.location)
            }
        }
    }

    /// What a default value may not contain: variables, refs and calls outside comprehensions.
    private static func variablePart(_ term: Term) -> String? {
        switch term.kind {
        case .variable(let name): name == "input" || name == "data" ? "ref" : "var"
        case .ref: "ref"
        case .call: "call"
        case .array(let items), .set(let items): items.lazy.compactMap(variablePart).first
        case .object(let pairs): pairs.lazy.compactMap { variablePart($0.key) ?? variablePart($0.value) }.first
        case .template(let parts, _):
            parts.lazy.compactMap { part in
                if case .expression(let literal) = part, case .term(let term) = literal.kind {
                    return variablePart(term)
                }
                return nil
            }.first
        default: nil
        }
    }

    static func kindName(_ term: Term) -> String {
        switch term.kind {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .variable: "var"
        case .ref: "ref"
        case .call: "call"
        case .array: "array"
        case .set: "set"
        case .object: "object"
        case .arrayComprehension: "arraycomprehension"
        case .setComprehension: "setcomprehension"
        case .objectComprehension: "objectcomprehension"
        case .template: "templatestring"
        }
    }
}
