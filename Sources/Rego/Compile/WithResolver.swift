extension Resolver {
    mutating func resolve(_ modifier: WithModifier) -> WithNode? {
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
                    "with keyword replacing built-in function: replacement of internal function \"\(builtin.name)\" invalid"
                )
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
