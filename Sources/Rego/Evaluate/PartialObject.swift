/// Builds the document of partial rules with variable heads, such as `p[x].q[y] := v`.
///
/// Entries are `[kind, path..., value]` arrays: each is put under its path; sets collect their members.
final class PartialObject {
    private var children: [Value: PartialObject] = [:]
    private var value: Value = .undefined
    private var members: [Value]?

    static func build(_ entries: [Value], _ context: Context, _ location: Location) -> Value {
        guard context.sorts(entries) else { return .undefined }
        // The common case, one key for each value, needs no tree.
        if let flat = flat(entries, context, location) { return flat }
        if context.failed { return .undefined }
        let root = PartialObject()
        for entry in entries {
            guard case .array(let parts) = entry, parts.count >= 3 else { continue }
            guard root.insert(parts.items) else {
                context.fail(.conflict, "object keys must be unique", location)
                return .undefined
            }
        }
        return context.made(root.frozen())
    }

    private static func flat(_ entries: [Value], _ context: Context, _ location: Location) -> Value? {
        var pairs: [(Value, Value)] = []
        pairs.reserveCapacity(entries.count)
        for entry in entries {
            guard case .array(let parts) = entry, parts.count == 3, case .bool(false) = parts[0] else { return nil }
            pairs.append((parts[1], parts[2]))
        }
        return Value.uniqueObject(pairs, context, location)
    }

    /// The document of partial rules together with what rules below it give.
    static func build(
        _ entries: [Value], below node: TreeNode, _ program: Program, _ context: Context, _ location: Location
    ) -> Value {
        guard context.sorts(entries) else { return .undefined }
        let root = PartialObject()
        var complete = true
        for entry in entries {
            guard case .array(let parts) = entry, parts.count >= 3 else { continue }
            complete = complete && root.insert(parts.items)
        }
        complete = complete && root.add(node, [], program, context)
        if context.failed { return .undefined }
        if !complete {
            context.fail(.conflict, "object keys must be unique", location)
            return .undefined
        }
        return context.made(root.frozen())
    }

    private func add(_ node: TreeNode, _ path: [Value], _ program: Program, _ context: Context) -> Bool {
        for (key, child) in node.ordered {
            let path = path + [key]
            guard let ruleSet = child.ruleSet else {
                if !add(child, path, program, context) { return false }
                continue
            }
            switch ruleSet.kind {
            case .function: break
            case .complete:
                let value = ruleSet.evaluate(context)
                if context.failed { return false }
                if value.isDefined, !insert([.bool(false)] + path + [value]) { return false }
            case .partialSet:
                guard case .set(let box) = ruleSet.evaluate(context) else { return false }
                for item in box.items where !insert([.bool(true)] + path + [item]) { return false }
            case .partialObject:
                for entry in ruleSet.collect(context) {
                    guard case .array(let parts) = entry, let kind = parts.first else { continue }
                    if !insert([kind] + path + parts.dropFirst()) { return false }
                }
                if context.failed || !add(child, path, program, context) { return false }
            }
        }
        return true
    }

    private func insert(_ parts: [Value]) -> Bool {
        var node = self
        for key in parts[1..<(parts.count - 1)] {
            if node.value.isDefined || node.members != nil { return false }
            if let child = node.children[key] {
                node = child
            } else {
                let child = PartialObject()
                node.children[key] = child
                node = child
            }
        }
        if !node.children.isEmpty { return false }
        if case .bool(true) = parts[0] {
            if node.value.isDefined { return false }
            node.members = (node.members ?? []) + [parts[parts.count - 1]]
            return true
        }
        if node.members != nil { return false }
        if node.value.isDefined { return node.value.equals(parts[parts.count - 1]) }
        node.value = parts[parts.count - 1]
        return true
    }

    private func frozen() -> Value {
        if value.isDefined { return value }
        if let members { return .set(SetBox(unsorted: members)) }
        return .object(ObjectBox(unsorted: children.map { ($0.key, $0.value.frozen()) }))
    }

    /// Two documents of one path; undefined with an error if they disagree.
    static func merge(_ left: Value, _ right: Value, _ context: Context) -> Value {
        if left.isUndefined { return right }
        if right.isUndefined { return left }
        if case .object(let first) = left, case .object(let second) = right {
            var pairs: [(Value, Value)] = []
            for index in 0..<first.count {
                let other = second[first.keys[index]]
                let merged = merge(first.values[index], other, context)
                if context.failed { return .undefined }
                pairs.append((first.keys[index], merged))
            }
            for index in 0..<second.count where first.index(of: second.keys[index]) == nil {
                pairs.append((second.keys[index], second.values[index]))
            }
            return context.made(.object(ObjectBox(unsorted: pairs)))
        }
        if context.equal(left, right) { return left }
        context.fail(.conflict, "object keys must be unique", .none)
        return .undefined
    }
}

extension Value {
    /// An object of pairs in which equal keys must have equal values.
    static func uniqueObject(_ pairs: [(Value, Value)], _ context: Context, _ location: Location) -> Value {
        guard context.sorts(pairs.map(\.0)) else { return .undefined }
        let sorted = pairs.sorted { $0.0.compare($1.0) < 0 }
        var keys: [Value] = []
        var values: [Value] = []
        keys.reserveCapacity(sorted.count)
        values.reserveCapacity(sorted.count)
        for (key, value) in sorted {
            if let last = keys.last, last.equals(key) {
                if !context.equal(values[values.count - 1], value) {
                    context.fail(.conflict, "object keys must be unique", location)
                    return .undefined
                }
            } else {
                keys.append(key)
                values.append(value)
            }
        }
        return context.made(.object(ObjectBox(keys: keys, values: values)))
    }
}
