/// A term as written.
struct Term: Sendable {
    indirect enum Kind: Sendable {
        case null
        case bool(Bool)
        /// The digits as written.
        case number(String)
        case string([UInt8], raw: Bool)
        case variable(String)
        /// A head (variable, call or composite) and what follows in dots and brackets.
        case ref(Term, [Term])
        /// The operator is a variable or a ref; `infix` calls are written between their operands.
        case call(Term, [Term], infix: String?)
        case array([Term])
        case set([Term])
        case object([(key: Term, value: Term)])
        case arrayComprehension(Term, [Literal])
        case setComprehension(Term, [Literal])
        case objectComprehension(key: Term, value: Term, [Literal])
        case template([TemplatePart], raw: Bool)
    }

    var kind: Kind
    var location: Location
    /// Written between parentheses; kept for the formatter.
    var parenthesized = false

    init(_ kind: Kind, _ location: Location) {
        self.kind = kind
        self.location = location
    }

    static func string(_ text: String, _ location: Location) -> Term {
        Term(.string(Array(text.utf8), raw: false), location)
    }
}

enum TemplatePart: Sendable {
    case text([UInt8])
    /// A term, perhaps with modifiers.
    case expression(Literal)
}

struct WithModifier: Sendable {
    var target: Term
    var value: Term
    var location: Location
}

/// One expression of a body.
struct Literal: Sendable {
    indirect enum Kind: Sendable {
        case term(Term)
        case assign(Term, Term)
        case unify(Term, Term)
        case some([Term])
        case someIn(key: Term?, value: Term, domain: Term)
        case every(key: Term?, value: Term, domain: Term, body: [Literal])
        /// `not { ... }`, only with `import future.keywords.not`.
        case notBody([Literal])
    }

    var kind: Kind
    var negated = false
    var with: [WithModifier] = []
    var location: Location
}

struct RuleHead: Sendable {
    /// Variable or string first; the others any term.
    var ref: [Term]
    var arguments: [Term]?
    /// What `contains` adds to the set.
    var key: Term?
    var value: Term?
    /// `:=` rather than `=`.
    var assigned = false
    var location: Location

    var isPartialSet: Bool { key != nil }
}

struct ElseBranch: Sendable {
    var value: Term?
    var assigned: Bool
    var body: [Literal]?
    var braces: Bool
    var location: Location
}

struct RuleSyntax: Sendable {
    var isDefault = false
    var head: RuleHead
    /// Nil where no body is written.
    var body: [Literal]?
    /// The body stands between braces.
    var braces = false
    var elseBranches: [ElseBranch] = []
    var location: Location
    /// Index into the module's annotations; annotations directly before the rule.
    var annotations: [Int] = []
}

struct ImportSyntax: Sendable {
    var path: [Term]
    var alias: String?
    var location: Location
}

struct Comment: Sendable {
    /// Without the `#`.
    var text: [UInt8]
    var location: Location
    /// Nothing but space stands before it in its row.
    var ownRow: Bool
}

struct ModuleSyntax: Sendable {
    var name: String
    var source: [UInt8]
    var packagePath: [Term]
    var packageLocation: Location
    var imports: [ImportSyntax]
    var rules: [RuleSyntax]
    var comments: [Comment]
    var annotations: [Annotation]
    /// `import future.keywords.not`: `not` covers the calls and references within its expression.
    var closedNegation: Bool
}

/// One `# METADATA` block.
struct Annotation: Sendable {
    var scope: String
    var value: YAMLNode
    var location: Location
}
