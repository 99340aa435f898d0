/// Turns written rules into nodes: names become slots or absolute paths, scopes are checked.
///
/// Follows the language's rules: `:=` and `some` declare in their body, and hide rules and imports there from
/// its first literal on; a name that is neither declared nor a rule nor an import is one variable of the whole rule.
struct Resolver {
    enum Occurrence { case argument, assigned, declared, seen }

    struct Scope {
        var locals: [String: Int] = [:]
        var occurrences: [String: Occurrence] = [:]
        /// Names that `:=` and `some` declare anywhere in this body.
        var hidden: Set<String> = []
    }

    let diagnostics: Diagnostics
    let builtins: Builtins
    let strings: StringPool
    /// Rule names and imports of the module: name to absolute path.
    let globals: [String: Global]
    let closedNegation: Bool
    var variables = Variables()
    var scopes: [Scope] = []
    var literals: [Location] = []
    var metadata: Metadata?

    enum Global {
        case rule([Value])
        case imported(RefBase, [Value])
    }

    init(
        diagnostics: Diagnostics, builtins: Builtins, strings: StringPool, globals: [String: Global], closedNegation: Bool
    ) {
        self.diagnostics = diagnostics
        self.builtins = builtins
        self.strings = strings
        self.globals = globals
        self.closedNegation = closedNegation
    }

    // MARK: - Names

    func declared(_ name: String) -> Int? {
        for scope in scopes.reversed() {
            if let id = scope.locals[name] { return id }
        }
        return nil
    }

    func isHidden(_ name: String) -> Bool { scopes.contains { $0.hidden.contains(name) } }

    mutating func declare(_ name: String, _ occurrence: Occurrence, _ location: Location) -> Int {
        if name == "_" { return variables.fresh("_") }
        if name == "input" || name == "data" {
            diagnostics.report(
                .compile, location,
                "\(occurrence == .argument ? "args" : "variables") must not shadow \(name) "
                    + "(use a different variable name)")
        }
        switch scopes[scopes.count - 1].occurrences[name] {
        case .seen: diagnostics.report(.compile, location, "var \(name) referenced above")
        case .assigned: diagnostics.report(.compile, location, "var \(name) assigned above")
        case .declared: diagnostics.report(.compile, location, "var \(name) declared above")
        case .argument: diagnostics.report(.compile, location, "arg \(name) redeclared")
        case nil: break
        }
        let id = variables.fresh(name)
        scopes[scopes.count - 1].locals[name] = id
        scopes[scopes.count - 1].occurrences[name] = occurrence
        return id
    }

    mutating func variable(_ name: String, _ location: Location) -> Node {
        if name == "_" { return .local(variables.fresh("_")) }
        if name == "input" { return .ref(.input, [], location) }
        if name == "data" { return .ref(.data, [], location) }
        if let id = declared(name) { return .local(id) }
        if !isHidden(name), let global = globals[name] {
            switch global {
            case .rule(let path): return .ref(.data, path.map(Node.constant), location)
            case .imported(let base, let path): return .ref(base, path.map(Node.constant), location)
            }
        }
        if scopes[scopes.count - 1].occurrences[name] == nil { scopes[scopes.count - 1].occurrences[name] = .seen }
        if let id = variables.implicit[name] { return .local(id) }
        let id = variables.fresh(name)
        variables.implicit[name] = id
        return .local(id)
    }

    // MARK: - Terms

    mutating func resolve(_ term: Term) -> Node {
        switch term.kind {
        case .null: return .constant(.null)
        case .bool(let value): return .constant(.bool(value))
        case .number(let text): return .constant(Number(json: text).map { Value.number($0) } ?? .int(0))
        case .string(let bytes, _): return .constant(.string(strings.intern(bytes)))
        case .variable(let name): return variable(name, term.location)
        case .ref(let head, let rest):
            let path = rest.map { resolve($0) }
            let base = resolve(head)
            if case .ref(let inner, let start, let location) = base {
                return .ref(inner, start + path, location.through(term.location.end))
            }
            return .ref(.node(base), path, term.location)
        case .call(let name, let arguments, _):
            return call(name, arguments, term.location)
        case .array(let items): return Node.array(items.map { resolve($0) }).folded()
        case .set(let items): return Node.set(items.map { resolve($0) }).folded()
        case .object(let pairs):
            return Node.object(pairs.map { (key: resolve($0.key), value: resolve($0.value)) }).folded()
        case .arrayComprehension(let value, let body):
            return comprehension(.array, nil, value, body, term.location)
        case .setComprehension(let value, let body):
            return comprehension(.set, nil, value, body, term.location)
        case .objectComprehension(let key, let value, let body):
            return comprehension(.object, key, value, body, term.location)
        case .template(let parts, _): return template(parts, term.location)
        }
    }

    private mutating func call(_ name: Term, _ arguments: [Term], _ location: Location) -> Node {
        let nodes = arguments.map { resolve($0) }
        guard let (callee, text) = callee(name) else { return .constant(.null) }
        if case .builtin(let index) = callee {
            if index == builtins.metadataChain, let metadata { return .constant(metadata.chain()) }
            if index == builtins.metadataRule, let metadata { return .constant(metadata.ofRule()) }
        }
        return .call(CallNode(callee: callee, name: text, arguments: nodes, location: location))
    }

    /// What is called: a rule's function, or a built-in by its dotted name.
    mutating func callee(_ name: Term, report: Bool = true) -> (Callee, String)? {
        var path: [Term]
        switch name.kind {
        case .variable: path = [name]
        case .ref(let head, let rest): path = [head] + rest
        default:
            if report { diagnostics.report(.type, name.location, "undefined function") }
            return nil
        }
        guard case .variable(let first) = path[0].kind else {
            if report { diagnostics.report(.type, name.location, "undefined function") }
            return nil
        }
        var tail: [Value] = []
        for part in path.dropFirst() {
            guard case .string(let bytes, _) = part.kind else {
                if !report { return nil }
                diagnostics.report(.type, name.location, "undefined function \(path.dotted)")
                return nil
            }
            tail.append(.string(strings.intern(bytes)))
        }
        if first == "data" { return (.function(tail), path.dotted) }
        if declared(first) == nil, !isHidden(first), let global = globals[first] {
            switch global {
            case .rule(let prefix): return (.function(prefix + tail), path.dotted)
            case .imported(.data, let prefix): return (.function(prefix + tail), path.dotted)
            default: break
            }
        }
        if let index = builtins.index[path.dotted] { return (.builtin(index), path.dotted) }
        if report { diagnostics.report(.type, name.location, "undefined function \(path.dotted)") }
        return nil
    }

    private mutating func comprehension(
        _ kind: ComprehensionNode.Kind, _ key: Term?, _ value: Term, _ body: [Literal], _ location: Location
    ) -> Node {
        scopes.append(Scope(hidden: Resolver.declaredNames(body)))
        defer { scopes.removeLast() }
        let literals = self.body(body, used: ([key].compactMap { $0 }) + [value])
        let keyNode = key.map { resolve($0) }
        let valueNode = resolve(value)
        return .comprehension(
            ComprehensionNode(kind: kind, key: keyNode, value: valueNode, body: literals, location: location))
    }

    /// `$"a {x}"` is `internal.template_string(["a ", {t | t = x}])`: an undefined part is an empty set.
    private mutating func template(_ parts: [TemplatePart], _ location: Location) -> Node {
        var nodes: [Node] = []
        for part in parts {
            switch part {
            case .text(let bytes): nodes.append(.constant(.string(strings.intern(bytes))))
            case .expression(let literal):
                guard case .term(let term) = literal.kind else { continue }
                let with = literal.with.compactMap { resolve($0) }
                let node = resolve(term)
                if !with.isEmpty {
                    let result = variables.fresh("")
                    var inner = LiteralNode(kind: .unify(.local(result), node), location: term.location)
                    inner.with = with
                    nodes.append(
                        .comprehension(
                            ComprehensionNode(
                                kind: .set, key: nil, value: .local(result), body: [inner], location: term.location)))
                } else if case .constant(let value) = node {
                    nodes.append(.constant(.set(SetBox(sorted: [value]))))
                } else if case .local = node {
                    nodes.append(.set([node]))
                } else {
                    let result = variables.fresh("")
                    nodes.append(
                        .comprehension(
                            ComprehensionNode(
                                kind: .set, key: nil, value: .local(result),
                                body: [LiteralNode(kind: .unify(.local(result), node), location: term.location)],
                                location: term.location)))
                }
            }
        }
        return .call(
            CallNode(
                callee: .builtin(builtins.templateString), name: "internal.template_string",
                arguments: [Node.array(nodes).folded()], location: location))
    }

    // MARK: - Bodies

    /// The names that a body declares on its own level.
    static func declaredNames(_ body: [Literal]) -> Set<String> {
        var names: Set<String> = []
        for literal in body {
            switch literal.kind {
            case .assign(let left, _): patternNames(left, into: &names)
            case .some(let symbols): for symbol in symbols { patternNames(symbol, into: &names) }
            case .someIn(let key, let value, _):
                if let key { patternNames(key, into: &names) }
                patternNames(value, into: &names)
            default: break
            }
        }
        return names
    }

    private static func patternNames(_ term: Term, into names: inout Set<String>) {
        switch term.kind {
        case .variable(let name): names.insert(name)
        case .array(let items): for item in items { patternNames(item, into: &names) }
        case .object(let pairs): for pair in pairs { patternNames(pair.value, into: &names) }
        default: break
        }
    }

    /// Resolves the literals of the innermost scope. `used` are the terms of the head, which may be
    /// the only ones to use a variable that `some` declares.
    mutating func body(_ body: [Literal], used: [Term], every: [(String, Location)] = []) -> [LiteralNode] {
        var result: [LiteralNode] = []
        var declarations: [(name: String, id: Int, location: Location)] = []
        let before = diagnostics.errors.count
        for literal in body {
            if case .some(let symbols) = literal.kind {
                for symbol in symbols {
                    guard case .variable(let name) = symbol.kind else { continue }
                    declarations.append((name, declare(name, .declared, literal.location), literal.location))
                }
                continue
            }
            result.append(self.literal(literal))
        }
        if diagnostics.errors.count == before, !declarations.isEmpty || !every.isEmpty {
            var found: Set<Int> = []
            for literal in result { literal.forEachLocalDeep { found.insert($0) } }
            var names: Set<String> = []
            for term in used { Resolver.allNames(term, into: &names) }
            for (name, id, location) in declarations where !found.contains(id) && !names.contains(name) && name != "_" {
                diagnostics.report(.compile, location, "declared var \(name) unused")
            }
            for (name, location) in every where name != "_" {
                if let id = scopes[scopes.count - 1].locals[name], !found.contains(id) {
                    diagnostics.report(.compile, location, "declared var \(name) unused")
                }
            }
        }
        return result
    }

    private static func allNames(_ term: Term, into names: inout Set<String>) {
        switch term.kind {
        case .variable(let name): names.insert(name)
        case .ref(let head, let rest): for part in [head] + rest { allNames(part, into: &names) }
        case .call(_, let arguments, _): for argument in arguments { allNames(argument, into: &names) }
        case .array(let items), .set(let items): for item in items { allNames(item, into: &names) }
        case .object(let pairs):
            for pair in pairs {
                allNames(pair.key, into: &names)
                allNames(pair.value, into: &names)
            }
        case .template(let parts, _):
            for case .expression(let literal) in parts { allNames([literal], into: &names) }
        case .arrayComprehension(let value, let body), .setComprehension(let value, let body):
            allNames(value, into: &names)
            allNames(body, into: &names)
        case .objectComprehension(let key, let value, let body):
            allNames(key, into: &names)
            allNames(value, into: &names)
            allNames(body, into: &names)
        default: break
        }
    }

    private static func allNames(_ body: [Literal], into names: inout Set<String>) {
        for literal in body {
            switch literal.kind {
            case .term(let term): allNames(term, into: &names)
            case .assign(let left, let right), .unify(let left, let right):
                allNames(left, into: &names)
                allNames(right, into: &names)
            case .some: break
            case .someIn(let key, let value, let domain):
                if let key { allNames(key, into: &names) }
                allNames(value, into: &names)
                allNames(domain, into: &names)
            case .every(_, _, let domain, let body):
                allNames(domain, into: &names)
                allNames(body, into: &names)
            case .notBody(let body): allNames(body, into: &names)
            }
        }
    }

    private mutating func literal(_ literal: Literal) -> LiteralNode {
        let source = literals.count
        literals.append(literal.location)
        let with = literal.with.compactMap { resolve($0) }
        var node: LiteralNode
        switch literal.kind {
        case .term(let term):
            let resolved = resolve(term)
            if case .call(let call) = resolved, case .builtin(builtins.print) = call.callee,
                case .call(_, let arguments, _) = term.kind
            {
                node = LiteralNode(kind: .call(printed(call, arguments)), location: literal.location)
            } else if case .call(let call) = resolved {
                node = LiteralNode(kind: statement(call), location: literal.location)
            } else {
                node = LiteralNode(kind: .term(resolved), location: literal.location)
            }
        case .assign(let left, let right):
            let value = resolve(right)
            let pattern = assignmentPattern(left, top: true)
            node = LiteralNode(kind: .unify(pattern, value), location: literal.location)
        case .unify(let left, let right):
            node = LiteralNode(kind: .unify(resolve(left), resolve(right)), location: literal.location)
        case .some: node = LiteralNode(kind: .term(.constant(.bool(true))), location: literal.location)
        case .someIn(let key, let value, let domain):
            let domainNode = resolve(domain)
            let keyNode = key.map { declarePattern($0, literal.location) } ?? .local(variables.fresh("_"))
            var same: Node?
            if let key, case .variable(let name) = key.kind, name != "_", value.isVariable(name) { same = keyNode }
            let valueNode = same ?? declarePattern(value, literal.location)
            let element: Node
            if case .ref(let base, let path, let location) = domainNode {
                element = .ref(base, path + [keyNode], location)
            } else {
                element = .ref(.node(domainNode), [keyNode], literal.location)
            }
            node = LiteralNode(kind: .unify(valueNode, element), location: literal.location)
        case .every(let key, let value, let domain, let body):
            let domainNode = resolve(domain)
            scopes.append(Scope(hidden: Resolver.declaredNames(body)))
            var every: [(String, Location)] = []
            var keyID: Int?
            if let key, case .variable(let name) = key.kind {
                keyID = declare(name, .declared, literal.location)
                every.append((name, literal.location))
            }
            var valueID = 0
            if case .variable(let name) = value.kind {
                valueID = declare(name, .declared, literal.location)
                every.append((name, literal.location))
            }
            let inner = self.body(body, used: [], every: every)
            scopes.removeLast()
            node = LiteralNode(
                kind: .every(EveryNode(key: keyID, value: valueID, domain: domainNode, body: inner)),
                location: literal.location)
        case .notBody(let body):
            scopes.append(Scope(hidden: Resolver.declaredNames(body)))
            let inner = self.body(body, used: [])
            scopes.removeLast()
            node = LiteralNode(kind: .notBody(NotNode(body: inner)), location: literal.location)
        }
        node.with = with
        node.source = source
        if literal.negated, closedNegation {
            let inner = LiteralNode(kind: node.kind, location: literal.location)
            node.kind = .notBody(NotNode(body: [inner]))
        } else {
            node.negated = literal.negated
        }
        return node
    }

    /// `print(a, b)` is `internal.print([{t | t = a}, {t | t = b}])`: undefined arguments print as such.
    private func printed(_ call: CallNode, _ terms: [Term]) -> CallNode {
        var parts: [Node] = []
        for (node, term) in zip(call.arguments, terms) {
            switch node {
            case .constant(let value): parts.append(.constant(.set(SetBox(sorted: [value]))))
            case .local: parts.append(.set([node]))
            default:
                let result = variables.fresh("")
                let literal = LiteralNode(kind: .unify(.local(result), node), location: term.location)
                parts.append(
                    .comprehension(
                        ComprehensionNode(
                            kind: .set, key: nil, value: .local(result), body: [literal], location: term.location)))
            }
        }
        return CallNode(
            callee: .builtin(builtins.internalPrint), name: "internal.print", arguments: [Node.array(parts).folded()],
            location: call.location)
    }

    /// `eq(a, b)` as a statement is `a = b`.
    private func statement(_ call: CallNode) -> LiteralNode.Kind {
        if case .builtin(let index) = call.callee, index == builtins.eq || index == builtins.assign, call.arguments.count == 2 {
            return .unify(call.arguments[0], call.arguments[1])
        }
        return .call(call)
    }

    /// The left side of `:=`.
    private mutating func assignmentPattern(_ term: Term, top: Bool) -> Node {
        switch term.kind {
        case .variable(let name): return .local(declare(name, .assigned, term.location))
        case .array(let items): return .array(items.map { assignmentPattern($0, top: false) })
        case .object(let pairs):
            return .object(pairs.map { (key: resolve($0.key), value: assignmentPattern($0.value, top: false)) })
        case .null, .bool, .number, .string:
            if !top { return resolve(term) }
            diagnostics.report(.compile, term.location, "cannot assign to \(Parser.kindName(term))")
        default: diagnostics.report(.compile, term.location, "cannot assign to \(Parser.kindName(term))")
        }
        return .constant(.null)
    }

    /// The key or value of `some key, value in`: its variables are declared, other terms are compared.
    private mutating func declarePattern(_ term: Term, _ location: Location) -> Node {
        switch term.kind {
        case .variable(let name): return .local(declare(name, .declared, location))
        case .array(let items): return Node.array(items.map { declarePattern($0, location) }).folded()
        case .object(let pairs):
            return Node.object(pairs.map { (key: resolve($0.key), value: declarePattern($0.value, location)) }).folded()
        default: return resolve(term)
        }
    }

    // MARK: - With

    private mutating func resolve(_ modifier: WithModifier) -> WithNode? {
        var path: [Term]
        switch modifier.target.kind {
        case .variable: path = [modifier.target]
        case .ref(let head, let rest): path = [head] + rest
        default: path = []
        }
        func bad() -> WithNode? {
            diagnostics.report(
                .type, modifier.location, "with keyword target must reference existing input, data, or a function")
            return nil
        }
        guard case .variable(let first)? = path.first?.kind else { return bad() }
        var tail: [Value] = []
        for part in path.dropFirst() {
            guard case .constant(let value) = resolve(part) else { return bad() }
            tail.append(value)
        }
        let target: WithNode.Target
        if first == "input" {
            target = .input(tail)
        } else if first == "data" {
            target = .data(tail)
        } else if declared(first) == nil, let global = globals[first] {
            switch global {
            case .rule(let prefix): target = .data(prefix + tail)
            case .imported(.input, let prefix): target = .input(prefix + tail)
            case .imported(_, let prefix): target = .data(prefix + tail)
            }
        } else if let index = builtins.index[path.dotted] {
            let builtin = builtins.specs[index]
            if builtin.isRelation {
                diagnostics.report(
                    .compile, modifier.location,
                    "with keyword replacing built-in function: target must not be a relation")
                return nil
            }
            if builtin.name.hasPrefix("internal.") || builtin.infix || index == builtins.eq {
                diagnostics.report(
                    .compile, modifier.location,
                    "with keyword replacing built-in function: replacement of internal function \"\(builtin.name)\" invalid")
                return nil
            }
            target = .builtin(index)
        } else {
            return bad()
        }
        // A built-in's bare name as the value stands for the function.
        switch modifier.value.kind {
        case .variable, .ref:
            if let (callee, _) = callee(modifier.value, report: false), case .builtin = callee {
                return WithNode(target: target, replacement: .callee(callee), location: modifier.location)
            }
        default: break
        }
        return WithNode(target: target, replacement: .value(resolve(modifier.value)), location: modifier.location)
    }
}
