/// Which rules need which: finds recursion, and an order in which every rule follows what it needs.
struct DependencyGraph {
    let tree: RuleTree
    /// Tree nodes with rules, dependencies first.
    private(set) var order: [TreeNode] = []
    private var edges: [[Int]]

    init(tree: RuleTree) {
        self.tree = tree
        edges = Array(repeating: [], count: tree.nodes.count)
        for node in tree.nodes where !node.rules.isEmpty {
            var found: Set<Int> = []
            for rule in node.rules { DependencyGraph.collect(rule, tree, &found) }
            edges[node.id] = found.sorted()
        }
    }

    private static func collect(_ rule: RuleNode, _ tree: RuleTree, _ found: inout Set<Int>) {
        for argument in rule.arguments ?? [] { collect(argument, tree, &found) }
        for part in rule.tail { collect(part, tree, &found) }
        for clause in rule.clauses {
            collect(clause.body, tree, &found)
            collect(clause.value, tree, &found)
        }
    }

    static func collect(_ body: [LiteralNode], _ tree: RuleTree, _ found: inout Set<Int>) {
        for literal in body {
            switch literal.kind {
            case .term(let node): collect(node, tree, &found)
            case .unify(let left, let right):
                collect(left, tree, &found)
                collect(right, tree, &found)
            case .call(let call): collect(.call(call), tree, &found)
            case .every(let every):
                collect(every.domain, tree, &found)
                collect(every.body, tree, &found)
            case .notBody(let node): collect(node.body, tree, &found)
            }
            for with in literal.with {
                switch with.target {
                case .data(let path), .function(let path): collect(path: path.map(Node.constant), tree, &found)
                default: break
                }
                switch with.replacement {
                case .value(let node): collect(node, tree, &found)
                case .callee(.function(let path)): collect(path: path.map(Node.constant), tree, &found)
                default: break
                }
            }
        }
    }

    private static func collect(_ node: Node, _ tree: RuleTree, _ found: inout Set<Int>) {
        switch node {
        case .constant, .local: break
        case .array(let items), .set(let items): for item in items { collect(item, tree, &found) }
        case .object(let pairs):
            for (key, value) in pairs {
                collect(key, tree, &found)
                collect(value, tree, &found)
            }
        case .ref(let base, let path, _):
            if case .data = base { collect(path: path, tree, &found) }
            if case .node(let inner) = base { collect(inner, tree, &found) }
            for part in path { collect(part, tree, &found) }
        case .call(let call):
            if case .function(let path) = call.callee { collect(path: path.map(Node.constant), tree, &found) }
            for argument in call.arguments { collect(argument, tree, &found) }
        case .comprehension(let node):
            collect(node.body, tree, &found)
            if let key = node.key { collect(key, tree, &found) }
            collect(node.value, tree, &found)
        }
    }

    /// Every node whose rules a reference along `path` may evaluate.
    private static func collect(path: [Node], _ tree: RuleTree, _ found: inout Set<Int>) {
        var level = [tree.root]
        for part in path {
            var next: [TreeNode] = []
            for node in level {
                if !node.rules.isEmpty { found.insert(node.id) }
                if case .constant(let key) = part {
                    if let child = node.child(key) { next.append(child) }
                } else {
                    next.append(contentsOf: node.ordered.map(\.node))
                }
            }
            level = next
        }
        while let node = level.popLast() {
            if !node.rules.isEmpty { found.insert(node.id) }
            level.append(contentsOf: node.ordered.map(\.node))
        }
    }

    /// Tarjan's components, without recursion of our own; fills `order`.
    mutating func check(_ diagnostics: Diagnostics) {
        let count = edges.count
        var index = Array(repeating: -1, count: count)
        var low = Array(repeating: 0, count: count)
        var onStack = Array(repeating: false, count: count)
        var stack: [Int] = []
        var counter = 0
        for start in 0..<count where index[start] < 0 && !tree.nodes[start].rules.isEmpty {
            var work: [(node: Int, edge: Int)] = [(start, 0)]
            while let (node, edge) = work.last {
                if edge == 0 {
                    index[node] = counter
                    low[node] = counter
                    counter += 1
                    stack.append(node)
                    onStack[node] = true
                }
                if edge < edges[node].count {
                    work[work.count - 1].edge += 1
                    let target = edges[node][edge]
                    if index[target] < 0 {
                        work.append((target, 0))
                    } else if onStack[target] {
                        low[node] = min(low[node], index[target])
                    }
                    // An edge count of zero marks a first visit; empty nodes never come back here.
                    continue
                }
                work.removeLast()
                if let parent = work.last?.node { low[parent] = min(low[parent], low[node]) }
                if low[node] == index[node] {
                    var component: [Int] = []
                    while let top = stack.popLast() {
                        onStack[top] = false
                        component.append(top)
                        if top == node { break }
                    }
                    if component.count > 1 || edges[node].contains(node) { report(component, diagnostics) }
                    order.append(contentsOf: component.map { tree.nodes[$0] })
                }
            }
        }
    }

    private func report(_ component: [Int], _ diagnostics: Diagnostics) {
        let members = Set(component)
        for start in component.sorted() {
            // The shortest way back to the start, breadth first.
            var previous: [Int: Int] = [:]
            var open = [start]
            var at = 0
            search: while at < open.count {
                let node = open[at]
                at += 1
                for target in edges[node] where members.contains(target) {
                    if target == start {
                        var path = [start]
                        var step = node
                        while step != start {
                            path.append(step)
                            step = previous[step] ?? start
                        }
                        path.append(start)
                        let names = path.reversed().map { tree.nodes[$0].name }.joined(separator: " -> ")
                        let node = tree.nodes[start]
                        diagnostics.report(
                            .recursion, node.rules[0].location, "rule \(node.name) is recursive: \(names)")
                        break search
                    }
                    if previous[target] == nil {
                        previous[target] = node
                        open.append(target)
                    }
                }
            }
        }
    }
}
