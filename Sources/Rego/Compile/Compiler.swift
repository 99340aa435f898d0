/// Compiles modules to a program, stage by stage; a stage with errors is the last.
struct Compiler {
    let diagnostics: Diagnostics
    let strings: StringPool
    let builtins: Builtins
    var modules: [ModuleSyntax] = []
    let tree = RuleTree()
    var rules: [RuleNode] = []
    var types: TypeChecker?

    init(files: [String], strings: StringPool, builtins: Builtins = .all) {
        diagnostics = Diagnostics(files: files)
        self.strings = strings
        self.builtins = builtins
    }

    static func compile(
        _ sources: [(name: String, text: [UInt8])], strings: StringPool, probes: ProbeTable? = nil
    ) throws(RegoErrors) -> (Program, Compiler) {
        var compiler = Compiler(files: sources.map(\.name), strings: strings)
        try compiler.parse(sources)
        try compiler.resolve()
        let found = compiler.diagnostics.errors.count
        compiler.tree.checkConflicts(
            compiler.diagnostics,
            packages: compiler.modules.map { (compiler.packagePath($0), $0.packageLocation) })
        if compiler.diagnostics.errors.count > found {
            throw RegoErrors(Array(compiler.diagnostics.errors[found...].prefix(10)))
        }
        try compiler.diagnostics.check()
        compiler.checkFunctions()
        try compiler.diagnostics.check()
        compiler.expandCalls()
        try compiler.diagnostics.check()
        compiler.checkHeads()
        try compiler.diagnostics.check()
        compiler.checkSafety()
        try compiler.diagnostics.check()
        var graph = DependencyGraph(tree: compiler.tree)
        graph.check(compiler.diagnostics)
        try compiler.diagnostics.check()
        var nesting = NestingCheck(tree: compiler.tree, diagnostics: compiler.diagnostics)
        nesting.check(graph.order)
        try compiler.diagnostics.check()
        var types = TypeChecker(tree: compiler.tree, builtins: compiler.builtins, diagnostics: compiler.diagnostics)
        types.check(graph.order)
        compiler.types = types
        try compiler.diagnostics.check()
        let program = Program(
            tree: compiler.tree, files: compiler.diagnostics.files, builtins: compiler.builtins, strings: strings)
        compiler.plan(program, graph.order, probes)
        return (program, compiler)
    }

    // MARK: - Stages

    private mutating func parse(_ sources: [(name: String, text: [UInt8])]) throws(RegoErrors) {
        for (index, source) in sources.enumerated() {
            do throws(SyntaxFailure) {
                guard source.text.withUnsafeBufferPointer({ isUTF8($0) }) else {
                    throw SyntaxFailure(
                        message: "illegal utf-8 character",
                        location: Location(file: Int32(index), row: 1, column: 1, offset: 0, end: 1))
                }
                var parser = Parser(bytes: source.text, file: Int32(index))
                modules.append(try parser.module(name: source.name))
            } catch {
                diagnostics.report(.parse, error.location, error.message)
            }
        }
        try diagnostics.check()
    }

    func packagePath(_ module: ModuleSyntax) -> [Value] {
        module.packagePath.map { term in
            switch term.kind {
            case .variable(let name): .string(strings.intern(name))
            case .string(let bytes, _): .string(strings.intern(bytes))
            default: .null
            }
        }
    }

    private mutating func resolve() throws(RegoErrors) {
        var names: [[Value]: Set<String>] = [:]
        for module in modules {
            let path = packagePath(module)
            for rule in module.rules {
                guard case .variable(let name) = rule.head.ref[0].kind else { continue }
                names[path, default: []].insert(name)
            }
        }
        for (index, module) in modules.enumerated() {
            let path = packagePath(module)
            var globals: [String: Resolver.Global] = [:]
            for name in names[path] ?? [] { globals[name] = .rule(path + [.string(strings.intern(name))]) }
            imports(module, &globals)
            for syntax in module.rules {
                let rule = RuleNode(module: index, index: rules.count, syntax: syntax)
                var resolver = Resolver(
                    diagnostics: diagnostics, builtins: builtins, strings: strings, globals: globals,
                    closedNegation: module.closedNegation)
                resolver.metadata = Metadata(
                    modules: modules, module: index, rule: syntax, path: path, strings: strings)
                resolver.rule(rule, package: path)
                rules.append(rule)
                tree.insert(path: rule.path).rules.append(rule)
            }
            _ = tree.insert(path: path)
        }
        if diagnostics.errors.contains(where: { $0.code == .compile }) {
            throw RegoErrors(diagnostics.errors.filter { $0.code == .compile })
        }
        // Calls of functions that are not there come up only after conflicts between rules.
        if !diagnostics.errors.allSatisfy({ $0.message.hasPrefix("undefined function") }) { try diagnostics.check() }
    }

    private func imports(_ module: ModuleSyntax, _ globals: inout [String: Resolver.Global]) {
        var seen: [String: String] = [:]
        for statement in module.imports {
            guard case .variable(let root) = statement.path[0].kind else { continue }
            let keys: [Value] = statement.path.dropFirst().map { term in
                if case .string(let bytes, _) = term.kind { return .string(strings.intern(bytes)) }
                return .null
            }
            let name: String
            if let alias = statement.alias {
                name = alias
            } else if case .string(let box)? = keys.last {
                name = box.string
            } else {
                name = root
            }
            if let earlier = seen[name] {
                diagnostics.report(.compile, statement.location, "import must not shadow import \(earlier)")
            }
            seen[name] = root + keys.map { pathPart($0) }.joined()
            switch root {
            case "data" where !keys.isEmpty: globals[name] = .imported(.data, keys)
            case "input" where !keys.isEmpty: globals[name] = .imported(.input, keys)
            case "data" where statement.alias != nil: globals[name] = .imported(.data, [])
            case "input" where statement.alias != nil: globals[name] = .imported(.input, [])
            default: break
            }
        }
    }

    /// Calls of rules that are no functions, and wrong numbers of arguments.
    private func checkFunctions() {
        let checker = CallChecker(tree: tree, builtins: builtins, diagnostics: diagnostics)
        for rule in rules {
            for argument in rule.arguments ?? [] { checker.check(argument) }
            for part in rule.tail { checker.check(part) }
            for clause in rule.clauses {
                checker.check(clause.body)
                checker.check(clause.value)
            }
        }
    }

    /// The same for a query.
    func checkFunctions(_ body: [LiteralNode], _ diagnostics: Diagnostics) {
        CallChecker(tree: tree, builtins: builtins, diagnostics: diagnostics).check(body)
    }

    func expander(_ variables: Variables, _ diagnostics: Diagnostics) -> CallExpander {
        CallExpander(variables: variables, builtins: builtins, diagnostics: diagnostics) { path in
            self.tree.find(path)?.isFunction == true
        }
    }

    private func expandCalls() {
        for rule in rules {
            let expander = self.expander(rule.variables, diagnostics)
            for index in rule.clauses.indices {
                var clause = rule.clauses[index]
                clause.body = expander.expand(clause.body)
                clause.value = moved(clause.value, rule, expander, &clause)
                if index == 0 {
                    rule.tail = rule.tail.map { moved($0, rule, expander, &clause) }
                }
                rule.clauses[index] = clause
            }
        }
    }

    /// Head terms that look something up or call do so at the end of the body.
    private func moved(
        _ node: Node, _ rule: RuleNode, _ expander: CallExpander, _ clause: inout ClauseNode
    ) -> Node {
        if node.isPlain { return node }
        var extras: [LiteralNode] = []
        let lifted = expander.lift(node, &extras, clause.location)
        clause.body.append(contentsOf: extras)
        if lifted.isPlain { return lifted }
        let result = rule.variables.fresh("")
        clause.body.append(LiteralNode(kind: .unify(.local(result), lifted), location: clause.location))
        return .local(result)
    }

    func arity(_ callee: Callee) -> Int? {
        switch callee {
        case .builtin(let index): index == builtins.print ? nil : builtins.specs[index].arity
        case .function(let path): tree.find(path)?.rules.first?.arguments?.count
        }
    }

    /// Variables of heads that their bodies do not even name.
    private func checkHeads() {
        for rule in rules {
            let safety = Safety(variables: rule.variables, diagnostics: diagnostics, arity: arity)
            var known = VariableSet()
            for argument in rule.arguments ?? [] { argument.forEachLocal { known.insert($0) } }
            for (index, clause) in rule.clauses.enumerated() {
                var named = known
                for literal in clause.body { literal.forEachLocal { named.insert($0) } }
                safety.checkHead((index == 0 ? rule.tail : []) + [clause.value], named, clause.location)
            }
        }
    }

    private func checkSafety() {
        for rule in rules {
            let safety = Safety(variables: rule.variables, diagnostics: diagnostics, arity: arity)
            var bound = VariableSet()
            for argument in rule.arguments ?? [] { argument.forEachLocal { bound.insert($0) } }
            for index in rule.clauses.indices {
                let before = diagnostics.errors.count
                let after = safety.order(&rule.clauses[index].body, bound: bound)
                if diagnostics.errors.count > before { continue }
                safety.checkHead(
                    (index == 0 ? rule.tail : []) + [rule.clauses[index].value], after, rule.clauses[index].location)
            }
        }
    }

    // MARK: - Plans

    private func plan(_ program: Program, _ order: [TreeNode], _ probes: ProbeTable?) {
        // Evaluations only read the tree: what it computes lazily is computed now.
        for node in tree.nodes { _ = node.ordered }
        for node in order {
            let kind: RuleSet.Kind
            if node.isFunction {
                kind = .function
            } else if node.isDynamic {
                kind = .partialObject
            } else if node.rules.contains(where: \.isPartialSet) {
                kind = .partialSet
            } else {
                kind = .complete
            }
            let ruleSet = RuleSet(
                id: program.ruleSets.count, node: node, kind: kind, arity: node.rules.first?.arguments?.count ?? 0)
            node.ruleSet = ruleSet
            program.ruleSets.append(ruleSet)
        }
        for ruleSet in program.ruleSets {
            RulePlanner(program: program, ruleSet: ruleSet, probes: probes).plan()
        }
    }
}
