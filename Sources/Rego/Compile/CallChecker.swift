/// Checks what is called: that it is a function, and takes as many arguments.
struct CallChecker {
    let tree: RuleTree
    let builtins: Builtins
    let diagnostics: Diagnostics

    func check(_ body: [LiteralNode]) {
        for literal in body {
            switch literal.kind {
            case .term(let node): check(node)
            case .unify(let left, let right):
                check(left)
                check(right)
            case .call(let call): check(call, statement: true)
            case .every(let every):
                check(every.domain)
                check(every.body)
            case .notBody(let node): check(node.body)
            }
            for with in literal.with {
                if case .value(let node) = with.replacement { check(node) }
                checkWith(with)
            }
        }
    }

    private func check(_ call: CallNode, statement: Bool) {
        for argument in call.arguments { check(argument) }
        if case .builtin(builtins.print) = call.callee, !statement {
            diagnostics.report(.type, call.location, "print used as value")
        } else if case .builtin(let index) = call.callee, !statement {
            let spec = builtins.specs[index]
            if call.arguments.count != spec.arity {
                diagnostics.report(.type, call.location, "\(spec.name): arity mismatch")
            }
        }
        guard case .function(let path) = call.callee else { return }
        guard let node = tree.find(path), let arity = node.rules.first?.arguments?.count else {
            diagnostics.report(.type, call.location, "undefined function \(call.name)")
            return
        }
        let count = call.arguments.count
        if count != arity, !(statement && count == arity + 1) {
            diagnostics.report(
                .type, call.location,
                "function \(node.name) has arity \(arity), got \(count) argument"
                    + (count == 1 ? "" : "s"))
        }
    }

    func check(_ node: Node) {
        switch node {
        case .constant, .local: break
        case .array(let items), .set(let items): for item in items { check(item) }
        case .object(let pairs):
            for (key, value) in pairs {
                check(key)
                check(value)
            }
        case .ref(let base, let path, _):
            if case .node(let inner) = base { check(inner) }
            for part in path { check(part) }
        case .call(let call): check(call, statement: false)
        case .comprehension(let comprehension):
            check(comprehension.body)
            if let key = comprehension.key { check(key) }
            check(comprehension.value)
        }
    }

    /// A built-in's bare name means the function only where a function is replaced.
    private func checkNoFunction(_ with: WithNode) {
        guard case .callee(.builtin(let index)) = with.replacement else { return }
        let name = builtins.specs[index].name.split(separator: ".").first ?? ""
        diagnostics.report(.unsafe, with.location, "var \(name) is unsafe")
    }

    /// The replacement of a function must take as many arguments; rules are replaced as a whole.
    private func checkWith(_ with: WithNode) {
        func arity(_ path: [Value]) -> Int? { tree.find(path)?.rules.first?.arguments?.count }
        var target: Int?
        var name = ""
        switch with.target {
        case .input:
            checkNoFunction(with)
            return
        case .builtin(let index):
            target = builtins.specs[index].arity
            name = builtins.specs[index].name
            if index == builtins.print { return }
        case .data(let path), .function(let path):
            target = arity(path)
            name = path.reduce("data") { $0 + pathPart($1) }
            var node = tree.root
            for key in path.dropLast() {
                guard let child = node.child(key) else { break }
                node = child
                if !node.rules.isEmpty {
                    diagnostics.report(
                        .compile, with.location, "with keyword cannot partially replace virtual document(s)")
                    return
                }
            }
        }
        guard let target else {
            checkNoFunction(with)
            return
        }
        var replacement: Int?
        switch with.replacement {
        case .callee(.builtin(let index)): replacement = builtins.specs[index].arity
        case .callee(.function(let path)): replacement = arity(path)
        case .value(.ref(.data, let path, _)):
            var keys: [Value] = []
            for part in path { if case .constant(let key) = part { keys.append(key) } }
            if keys.count == path.count { replacement = arity(keys) }
        default: break
        }
        if let replacement, replacement != target {
            diagnostics.report(.type, with.location, "\(name): arity mismatch")
        }
    }
}
