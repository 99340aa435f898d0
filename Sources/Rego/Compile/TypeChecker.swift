/// Finds what can never work: comparisons of unlike types, operands a built-in never takes, lookups that
/// must fail, functions used as values. Input and base documents may be anything.
struct TypeChecker {
    let tree: RuleTree
    let builtins: Builtins
    var diagnostics: Diagnostics
    private var types: [Int: RegoType] = [:]
    /// The arguments that functions take, as far as their bodies tell.
    private var parameters: [Int: [RegoType]] = [:]

    init(tree: RuleTree, builtins: Builtins, diagnostics: Diagnostics) {
        self.tree = tree
        self.builtins = builtins
        self.diagnostics = diagnostics
    }

    /// What `with` replaces around the expression that is being checked.
    private var replaced: [[Value]] = []
    /// The names of the variables of the body that is being checked.
    var names: [String] = []

    typealias Environment = [Int: RegoType]

    mutating func check(_ order: [TreeNode]) {
        for node in order {
            var values: [RegoType] = []
            var pairs: [RegoType] = []
            for rule in node.rules {
                names = rule.variables.names
                for (index, clause) in rule.clauses.enumerated() {
                    var environment: Environment = [:]
                    check(clause.body, &environment)
                    if let arguments = rule.arguments, !rule.isDefault { addParameters(arguments, environment, node) }
                    let type = self.type(clause.value, environment)
                    if rule.isPartialSet, rule.tail.isEmpty {
                        values.append(.set(type))
                    } else if !rule.tail.isEmpty {
                        var nested = rule.isPartialSet ? RegoType.set(type) : type
                        for part in rule.tail.reversed() where index >= 0 {
                            nested = .object([], rest: (self.type(part, environment), nested))
                        }
                        pairs.append(nested)
                    } else {
                        values.append(type)
                    }
                }
            }
            if !pairs.isEmpty {
                types[node.id] = merged(pairs)
            } else if node.rules.first?.isPartialSet == true {
                types[node.id] = .set(.joined(values.map { $0.element ?? .any }))
            } else {
                types[node.id] = .joined(values)
            }
            types[node.id] = types[node.id]?.limited(16)
        }
    }

    private mutating func addParameters(_ arguments: [Node], _ environment: Environment, _ node: TreeNode) {
        let found = arguments.map { type($0, environment) }
        if let known = parameters[node.id], known.count == found.count {
            parameters[node.id] = zip(known, found).map { RegoType.joined([$0, $1]) }
        } else {
            parameters[node.id] = found
        }
    }

    private func merged(_ objects: [RegoType]) -> RegoType {
        var keys: [RegoType] = []
        var values: [RegoType] = []
        for case .object(_, let rest?) in objects {
            keys.append(rest.key)
            values.append(rest.value)
        }
        return .object([], rest: (.joined(keys), .joined(values)))
    }

    // MARK: - Bodies

    mutating func check(_ body: [LiteralNode], _ environment: inout Environment) {
        for literal in body { check(literal, &environment) }
    }

    private mutating func check(_ literal: LiteralNode, _ environment: inout Environment) {
        for with in literal.with { if case .value(let node) = with.replacement { terms(node, &environment) } }
        // A document that `with` replaces may have another type than its rules give it.
        let outer = replaced
        defer { replaced = outer }
        for case .data(let path) in literal.with.map(\.target) { replaced.append(path) }
        switch literal.kind {
        case .term(let node): terms(node, &environment)
        case .unify(let left, let right):
            terms(left, &environment)
            terms(right, &environment)
            unify(left, right, &environment, literal.location)
            bind(left, &environment, self.type(right, environment))
            bind(right, &environment, self.type(left, environment))
        case .call(let call):
            for argument in call.arguments { terms(argument, &environment) }
            let mocked = literal.with.contains {
                switch $0.target {
                case .builtin, .function: true
                case .data(let path): tree.find(path)?.isFunction == true
                case .input: false
                }
            }
            if case .builtin(let index) = call.callee, builtins.specs[index].name == "equal", call.arguments.count == 2
            {
                unify(call.arguments[0], call.arguments[1], &environment, call.location)
                bind(call.arguments[0], &environment, self.type(call.arguments[1], environment))
                bind(call.arguments[1], &environment, self.type(call.arguments[0], environment))
            } else {
                self.call(call, &environment, mocked: mocked)
            }
        case .every(let every):
            terms(every.domain, &environment)
            let domain = self.type(every.domain, environment)
            var inner = environment
            if let key = every.key { inner[key] = domain.keys ?? .any }
            // The members are checked one by one; their types are not compared.
            inner[every.value] = .any
            check(every.body, &inner)
        case .notBody(let node):
            var inner = environment
            check(node.body, &inner)
        }
    }

    private func bind(_ pattern: Node, _ environment: inout Environment, _ type: RegoType) {
        switch pattern {
        case .local(let id):
            if environment[id] == nil { environment[id] = type.limited(16) }
        case .array(let items):
            for (index, item) in items.enumerated() {
                bind(item, &environment, type.at(.int(Int64(index))) ?? .any)
            }
        case .object(let pairs):
            for (key, value) in pairs {
                var found: RegoType?
                if case .constant(let name) = key { found = type.at(name) }
                bind(value, &environment, found ?? .any)
            }
        default: break
        }
    }

    private func unify(_ left: Node, _ right: Node, _ environment: inout Environment, _ location: Location) {
        if case .array(let first) = left, case .array(let second) = right, first.count == second.count {
            for (a, b) in zip(first, second) { unify(a, b, &environment, location) }
            return
        }
        let first = type(left, environment)
        let second = type(right, environment)
        if !first.overlaps(second) { diagnostics.report(.type, location, "match error") }
    }

    private func call(_ call: CallNode, _ environment: inout Environment, mocked: Bool) {
        switch call.callee {
        case .function(let path):
            guard let node = tree.find(path), let arity = node.rules.first?.arguments?.count else { return }
            for (parameter, argument) in zip(parameters[node.id] ?? [], call.arguments) {
                if !parameter.overlaps(type(argument, environment)) {
                    diagnostics.report(.type, call.location, "\(node.name): invalid argument(s)")
                    return
                }
                bind(argument, &environment, parameter)
            }
            if call.arguments.count > arity, let output = call.arguments.last {
                let result = mocked ? .any : types[node.id] ?? .any
                let expected = type(output, environment)
                if !expected.overlaps(result) { diagnostics.report(.type, call.location, "match error") }
                bind(output, &environment, result)
            }
        case .builtin(let index):
            let spec = builtins.specs[index]
            if index == builtins.print { return }
            if spec.isDeprecated {
                diagnostics.report(
                    .type, call.location, "deprecated built-in function calls in expression: \(spec.name)")
                return
            }
            let count = call.arguments.count
            if count != spec.arity, count != spec.arity + 1 {
                diagnostics.report(.type, call.location, "\(spec.name): arity mismatch")
                return
            }
            for (parameter, argument) in zip(spec.parameters, call.arguments) {
                if !parameter.accepts(type(argument, environment)) {
                    diagnostics.report(.type, call.location, "\(spec.name): invalid argument(s)")
                    return
                }
                bind(argument, &environment, parameter)
            }
            if count > spec.arity, let output = call.arguments.last {
                let result: RegoType = mocked ? .any : spec.result
                if !type(output, environment).overlaps(result) {
                    diagnostics.report(.type, call.location, "match error")
                    return
                }
                bind(output, &environment, result)
            }
        }
    }

    // MARK: - Terms

    /// Checks the references and closures inside a term; binds variables in brackets.
    private mutating func terms(_ node: Node, _ environment: inout Environment) {
        switch node {
        case .constant, .local, .call: break
        case .array(let items), .set(let items): for item in items { terms(item, &environment) }
        case .object(let pairs):
            for (key, value) in pairs {
                terms(key, &environment)
                terms(value, &environment)
            }
        case .comprehension(let comprehension):
            var inner = environment
            check(comprehension.body, &inner)
            if let key = comprehension.key { terms(key, &inner) }
            terms(comprehension.value, &inner)
            resultTypes[ObjectIdentifier(comprehension)] = comprehensionType(comprehension, inner)
        case .ref(let base, let path, let location):
            if case .node(let inner) = base { terms(inner, &environment) }
            for part in path { terms(part, &environment) }
            reference(base, path, location, &environment)
        }
    }

    private var resultTypes: [ObjectIdentifier: RegoType] = [:]

    private func comprehensionType(_ node: ComprehensionNode, _ environment: Environment) -> RegoType {
        let value = type(node.value, environment)
        switch node.kind {
        case .array: return .array([], rest: value)
        case .set: return .set(value)
        case .object: return .object([], rest: (node.key.map { type($0, environment) } ?? .any, value))
        }
    }

    private func reference(
        _ base: RefBase, _ path: [Node], _ location: Location, _ environment: inout Environment
    ) {
        var at = 0
        var current: RegoType
        switch base {
        case .input: current = .any
        case .node(let node): current = type(node, environment)
        case .data:
            if isReplaced(path) { return }
            current = .any
            var node = tree.root
            while at < path.count {
                guard case .constant(let key) = path[at], let child = node.child(key) else { break }
                node = child
                at += 1
                if !node.rules.isEmpty { break }
            }
            if node.isFunction {
                if at <= path.count {
                    diagnostics.report(
                        .type, location, "function \(refText(base, path)) used as reference, not called")
                }
                return
            }
            current = documentType(node, isWhole: at == path.count)
        }
        while at < path.count {
            let next: RegoType?
            if case .constant(let key) = path[at] {
                next = current.at(key)
            } else {
                let keys = current.keys
                if let keys, case .local(let id) = path[at], environment[id] == nil {
                    environment[id] = keys
                    next = current.element
                } else if let keys {
                    bind(path[at], &environment, keys)
                    next = keys.overlaps(type(path[at], environment)) ? current.element : nil
                } else {
                    next = nil
                }
            }
            guard let found = next else {
                diagnostics.report(.type, location, "undefined ref: \(refText(base, path))")
                return
            }
            current = found
            at += 1
        }
    }

    private func refText(_ base: RefBase, _ path: [Node]) -> String {
        var text: String
        switch base {
        case .input: text = "input"
        case .data: text = "data"
        case .node(.constant(let value)): text = value.text
        case .node(let node): text = name(node)
        }
        for part in path {
            if case .constant(let key) = part { text += pathPart(key) } else { text += "[\(name(part))]" }
        }
        return text
    }

    private func name(_ node: Node) -> String {
        guard case .local(let id) = node, id < names.count, !names[id].isEmpty, !names[id].hasPrefix("$") else {
            return "_"
        }
        return names[id]
    }

    func type(_ node: Node, _ environment: Environment) -> RegoType {
        switch node {
        case .constant(let value): return .constant(value)
        case .local(let id): return environment[id] ?? .any
        case .array(let items): return .array(items.map { type($0, environment) }, rest: nil)
        case .set(let items): return .set(.joined(items.map { type($0, environment) }))
        case .object(let pairs):
            var known: [(key: Value, type: RegoType)] = []
            var keys: [RegoType] = []
            var values: [RegoType] = []
            for (key, value) in pairs {
                if case .constant(let name) = key {
                    known.append((name, type(value, environment)))
                } else {
                    keys.append(type(key, environment))
                    values.append(type(value, environment))
                }
            }
            return .object(known, rest: keys.isEmpty ? nil : (.joined(keys), .joined(values)))
        case .comprehension(let node):
            return resultTypes[ObjectIdentifier(node)] ?? comprehensionType(node, environment)
        case .call: return .any
        case .ref(let base, let path, _): return referenceType(base, path, environment)
        }
    }

    /// Whether `with` replaces the document at a path, or one above or below it.
    private func isReplaced(_ path: [Node]) -> Bool {
        if replaced.isEmpty { return false }
        return replaced.contains { target in
            for (part, key) in zip(path, target) {
                guard case .constant(let found) = part else { return true }
                if !found.equals(key) { return false }
            }
            return true
        }
    }

    /// The type of the rules at a node; with rules below it, it is an object with any other keys as well.
    private func documentType(_ node: TreeNode, isWhole: Bool) -> RegoType {
        if node.isFunction { return .any }
        if !node.ordered.isEmpty { return isWhole && node !== tree.root ? .object([], rest: (.any, .any)) : .any }
        return node.rules.isEmpty ? .any : types[node.id] ?? .any
    }

    private func referenceType(_ base: RefBase, _ path: [Node], _ environment: Environment) -> RegoType {
        var at = 0
        var current: RegoType = .any
        switch base {
        case .input: return .any
        case .node(let node): current = type(node, environment)
        case .data:
            if isReplaced(path) { return .any }
            var node = tree.root
            while at < path.count {
                guard case .constant(let key) = path[at], let child = node.child(key) else { break }
                node = child
                at += 1
                if !node.rules.isEmpty { break }
            }
            current = documentType(node, isWhole: at == path.count)
        }
        while at < path.count {
            let next: RegoType?
            if case .constant(let key) = path[at] { next = current.at(key) } else { next = current.element }
            guard let next else { return .any }
            current = next
            at += 1
        }
        return current
    }
}
