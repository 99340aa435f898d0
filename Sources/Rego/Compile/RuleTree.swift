/// The virtual documents by path: packages and rules.
final class TreeNode: @unchecked Sendable {
    // Unchecked: built while compiling, read only afterwards.
    let id: Int
    let path: [Value]
    weak var parent: TreeNode?
    private(set) var children: [Value: TreeNode] = [:]
    /// The children in Rego's order of their keys; fixed once the tree is complete.
    lazy var ordered: [(key: Value, node: TreeNode)] =
        children.sorted { $0.key.compare($1.key) < 0 }.map { (key: $0.key, node: $0.value) }
    var rules: [RuleNode] = []
    /// The plan of the rules at this node, once made.
    var ruleSet: RuleSet?

    init(id: Int, path: [Value], parent: TreeNode?) {
        self.id = id
        self.path = path
        self.parent = parent
    }

    func child(_ key: Value) -> TreeNode? { children[key] }

    func attach(_ child: TreeNode, _ key: Value) { children[key] = child }

    /// Rules whose head goes on behind this node with something that is not constant.
    var isDynamic: Bool { rules.contains { !$0.tail.isEmpty } }
    var isFunction: Bool { rules.first?.arguments != nil }

    var name: String { "data" + path.map { pathPart($0) }.joined() }
}

/// A path's part as references are written: `.name` or `["odd name"]`.
func pathPart(_ key: Value) -> String {
    if case .string(let box) = key {
        let bytes = box.bytes
        if let first = bytes.first, isLetter(first), bytes.allSatisfy({ isLetter($0) || isDigit($0) }) {
            return "." + box.string
        }
    }
    return "[" + key.text + "]"
}

final class RuleTree: @unchecked Sendable {
    // Unchecked: as TreeNode.
    let root = TreeNode(id: 0, path: [], parent: nil)
    private(set) var nodes: [TreeNode] = []

    init() { nodes = [root] }

    func insert(path: [Value]) -> TreeNode {
        var node = root
        for key in path {
            if let child = node.child(key) {
                node = child
            } else {
                let child = TreeNode(id: nodes.count, path: node.path + [key], parent: node)
                nodes.append(child)
                node.attach(child, key)
                node = child
            }
        }
        return node
    }

    func find(_ path: [Value]) -> TreeNode? {
        var node = root
        for key in path {
            guard let child = node.child(key) else { return nil }
            node = child
        }
        return node
    }

    /// Rules that cannot stand together.
    func checkConflicts(_ diagnostics: Diagnostics, packages: [(path: [Value], location: Location)]) {
        for node in nodes where !node.rules.isEmpty {
            let first = node.rules[0]
            let hasComplete = node.rules.contains { $0.tail.isEmpty && !$0.isPartialSet }
            let hasPartial = node.rules.contains { !$0.tail.isEmpty || $0.isPartialSet }
            let ground = node.rules.first { $0.tail.isEmpty }
            if let ground, !node.ordered.isEmpty {
                let others = node.ordered.flatMap { $0.node.allRules }
                if !others.isEmpty {
                    let text = others.map {
                        "rule \($0.pathText) at \(diagnostics.files[$0.module]):\($0.location.row)"
                    }
                    diagnostics.report(
                        .type, ground.location, "rule \(node.name) conflicts with:\n  " + text.joined(separator: "\n  ")
                    )
                    continue
                }
            }
            let kinds = Set(node.rules.map(\.isPartialSet))
            let arities = Set(node.rules.map { $0.arguments?.count ?? -1 })
            if kinds.count > 1 || arities.count > 1 || (hasComplete && hasPartial) {
                diagnostics.report(.type, first.location, "conflicting rules \(node.name) found")
            } else if node.rules.filter(\.isDefault).count > 1 {
                diagnostics.report(.type, first.location, "multiple default rules \(node.name) found")
            }
        }
        for (path, location) in packages {
            var node = root
            for (index, key) in path.enumerated() {
                guard let child = node.child(key) else { break }
                node = child
                if let rule = node.rules.first(where: { $0.tail.isEmpty }), index >= 0 {
                    diagnostics.report(
                        .type, location,
                        "package \(path.reduce("data") { $0 + pathPart($1) }) conflicts with rule \(node.name) defined at "
                            + "\(diagnostics.files[rule.module]):\(rule.location.row)")
                    break
                }
            }
        }
    }
}

extension TreeNode {
    /// The rules at this node and below.
    var allRules: [RuleNode] {
        var result: [RuleNode] = []
        var open = [self]
        while let node = open.popLast() {
            result.append(contentsOf: node.rules)
            for (_, child) in node.ordered.reversed() { open.append(child) }
        }
        return result
    }
}

extension RuleNode {
    var pathText: String { path.reduce("data") { $0 + pathPart($1) } }
}
