/// A compiled set of modules: the rule tree with its plans. Immutable, shared by all evaluations.
final class Program: @unchecked Sendable {
    // Unchecked: built by one thread, then only read.
    let tree: RuleTree
    let files: [String]
    let builtins: Builtins
    let strings: StringPool
    var ruleSets: [RuleSet] = []
    let patterns = PatternCache()
    let frames = FramePool()
    /// Built-ins that may answer differently each time are errors.
    var forbidsNondeterminism = false

    init(tree: RuleTree, files: [String], builtins: Builtins, strings: StringPool) {
        self.tree = tree
        self.files = files
        self.builtins = builtins
        self.strings = strings
    }

    /// Breaks the cycles between plans and the rules they evaluate; nothing may be evaluated afterwards.
    func dismantle() {
        for ruleSet in ruleSets { ruleSet.groups = [] }
        for node in tree.nodes { node.ruleSet = nil }
        ruleSets = []
    }

    func error(_ code: RegoError.Code, _ message: String, _ location: Location) -> RegoError {
        let file = location.file >= 0 && Int(location.file) < files.count ? files[Int(location.file)] : ""
        let known = location.end > 0 || location.row > 1
        return RegoError(
            code: code, message: message, file: file, row: known ? Int(location.row) : 0,
            column: known ? Int(location.column) : 0)
    }

    /// The document at a node: its rules' value, or everything below it over the base document.
    func extent(_ node: TreeNode, _ base: Value, _ context: Context) -> Value {
        if let hidden = context.hidden, hidden.contains(node.id) { return base }
        guard context.step(), context.hasStack() else { return .undefined }
        var own: Value = .undefined
        if let ruleSet = node.ruleSet {
            switch ruleSet.kind {
            case .function: return base
            case .complete, .partialSet:
                let value = ruleSet.evaluate(context)
                if base.isDefined, !context.failed { return overlay(base, value) }
                return value
            case .partialObject:
                if !node.ordered.isEmpty {
                    return PartialObject.build(
                        ruleSet.collect(context), below: node, self, context,
                        ruleSet.groups.first?.clauses.first?.location ?? .none)
                }
                own = ruleSet.evaluate(context)
            }
            if context.failed { return .undefined }
        }
        var pairs: [(Value, Value)] = []
        var baseBox: ObjectBox?
        if case .object(let box) = base { baseBox = box }
        for (key, child) in node.ordered {
            let value = extent(child, baseBox?[key] ?? .undefined, context)
            if context.failed { return .undefined }
            if value.isDefined { pairs.append((key, value)) }
        }
        if let baseBox {
            for index in 0..<baseBox.count where node.child(baseBox.keys[index]) == nil {
                pairs.append((baseBox.keys[index], baseBox.values[index]))
            }
        }
        let below = Value.object(ObjectBox(unsorted: pairs))
        return own.isUndefined ? below : PartialObject.merge(own, below, context)
    }

    /// Where base and virtual documents clash, the base document wins.
    private func overlay(_ base: Value, _ virtual: Value) -> Value {
        guard case .object(let first) = base, case .object(let second) = virtual else { return base }
        var pairs: [(Value, Value)] = []
        for index in 0..<second.count { pairs.append((second.keys[index], second.values[index])) }
        for index in 0..<first.count {
            let other = second[first.keys[index]]
            pairs.append(
                (first.keys[index], other.isUndefined ? first.values[index] : overlay(first.values[index], other)))
        }
        return .object(ObjectBox(unsorted: pairs))
    }
}
