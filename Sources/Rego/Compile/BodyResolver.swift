extension Resolver {
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

    static func patternNames(_ term: Term, into names: inout Set<String>) {
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

    static func allNames(_ term: Term, into names: inout Set<String>) {
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

    static func allNames(_ body: [Literal], into names: inout Set<String>) {
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

    mutating func literal(_ literal: Literal) -> LiteralNode {
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
            patternLocals = [:]
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
    func printed(_ call: CallNode, _ terms: [Term]) -> CallNode {
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
    func statement(_ call: CallNode) -> LiteralNode.Kind {
        if case .builtin(let index) = call.callee, index == builtins.eq || index == builtins.assign,
            call.arguments.count == 2
        {
            return .unify(call.arguments[0], call.arguments[1])
        }
        return .call(call)
    }

    /// The left side of `:=`.
    mutating func assignmentPattern(_ term: Term, top: Bool) -> Node {
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
    mutating func declarePattern(_ term: Term, _ location: Location) -> Node {
        switch term.kind {
        case .variable(let name):
            // A name that occurs twice in one pattern is one variable.
            if let id = patternLocals[name] { return .local(id) }
            let id = declare(name, .declared, location)
            if name != "_" { patternLocals[name] = id }
            return .local(id)
        case .array(let items): return Node.array(items.map { declarePattern($0, location) }).folded()
        case .object(let pairs):
            return Node.object(pairs.map { (key: resolve($0.key), value: declarePattern($0.value, location)) }).folded()
        default: return resolve(term)
        }
    }
}
