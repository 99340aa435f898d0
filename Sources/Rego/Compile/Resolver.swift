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
    /// The variables that the pattern of `some ... in` has declared so far.
    var patternLocals: [String: Int] = [:]
    var literals: [Location] = []
    var metadata: Metadata?

    enum Global {
        case rule([Value])
        case imported(RefBase, [Value])
    }

    init(
        diagnostics: Diagnostics, builtins: Builtins, strings: StringPool, globals: [String: Global],
        closedNegation: Bool
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

    mutating func call(_ name: Term, _ arguments: [Term], _ location: Location) -> Node {
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

    mutating func comprehension(
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
    mutating func template(_ parts: [TemplatePart], _ location: Location) -> Node {
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
}
