extension Builtins {
    static func addObjects(_ table: inout BuiltinTable) {
        table.add("object.get") { _, x throws(BuiltinFailure) in
            guard case .object(let box) = x[0] else {
                throw BuiltinFailure.type(1, "object", x[0])
            }
            if case .array(let path) = x[1] {
                if path.isEmpty { return x[0] }
                var value = x[0]
                for key in path {
                    value = value.lookup(key)
                    if value.isUndefined { return x[2] }
                }
                return value
            }
            let value = box[x[1]]
            return value.isUndefined ? x[2] : value
        }
        table.add("object.keys") { _, x throws(BuiltinFailure) in .set(SetBox(sorted: try x.object(0).keys)) }
        table.add("object.remove") { _, x throws(BuiltinFailure) in
            let (object, keys) = (try x.object(0), try keys(x))
            var pairs: [(Value, Value)] = []
            for index in 0..<object.count where !keys.contains(object.keys[index]) {
                pairs.append((object.keys[index], object.values[index]))
            }
            return .object(ObjectBox(unsorted: pairs))
        }
        table.add("object.filter") { _, x throws(BuiltinFailure) in
            let (object, keys) = (try x.object(0), try keys(x))
            var pairs: [(Value, Value)] = []
            for index in 0..<object.count where keys.contains(object.keys[index]) {
                pairs.append((object.keys[index], object.values[index]))
            }
            return .object(ObjectBox(unsorted: pairs))
        }
        table.add("object.union") { context, x throws(BuiltinFailure) in
            let (first, second) = (try x.object(0), try x.object(1))
            try context.reserve((first.count + second.count) * 32)
            return .object(union(first, second))
        }
        table.add("object.union_n") { context, x throws(BuiltinFailure) in
            var result = ObjectBox(keys: [], values: [])
            for item in try x.array(0) {
                guard case .object(let box) = item else {
                    throw BuiltinFailure(
                        kind: .type,
                        message: "operand 1 must be array of objects but got array containing \(item.typeName)")
                }
                try context.reserve((result.count + box.count) * 32)
                result = union(result, box)
            }
            return .object(result)
        }
        table.add("object.subset") { _, x throws(BuiltinFailure) in
            switch (x[0], x[1]) {
            case (.object, .object): return .bool(isSubset(x[1], of: x[0]))
            case (.set, .set): return .bool(isSubset(x[1], of: x[0]))
            case (.array(let all), .array(let part)):
                if part.isEmpty { return .bool(true) }
                if part.count > all.count { return .bool(false) }
                for start in 0...(all.count - part.count) {
                    var matches = true
                    for index in 0..<part.count where !isSubset(part[index], of: all[start + index]) {
                        matches = false
                        break
                    }
                    if matches { return .bool(true) }
                }
                return .bool(false)
            case (.array(let all), .set(let part)):
                for item in part.items where !all.contains(where: { $0.equals(item) }) { return .bool(false) }
                return .bool(true)
            default:
                throw BuiltinFailure(
                    kind: .type, message: "both arguments object.subset must be of the same type or array and set")
            }
        }
        table.add("json.filter") { _, x throws(BuiltinFailure) in
            let object = try x.object(0)
            let paths = try paths(x)
            var tree = PathTree()
            for path in paths where !path.isEmpty { tree.add(path[...]) }
            if tree.isEmpty { return Value.emptyObject }
            let result = tree.filtered(.object(object))
            return result.isUndefined ? Value.emptyObject : result
        }
        table.add("json.remove") { _, x throws(BuiltinFailure) in
            let object = try x.object(0)
            let paths = try paths(x)
            var tree = PathTree()
            for path in paths where !path.isEmpty { tree.add(path[...]) }
            return tree.removed(.object(object))
        }
    }

    private static func keys(_ x: Operands) throws(BuiltinFailure) -> SetBox {
        switch x[1] {
        case .array(let box): return SetBox(unsorted: box.items)
        case .set(let box): return box
        case .object(let box): return SetBox(sorted: box.keys)
        default: throw BuiltinFailure.type(2, "one of {object, set, array}", x[1])
        }
    }

    private static func union(_ first: ObjectBox, _ second: ObjectBox) -> ObjectBox {
        var pairs: [(Value, Value)] = []
        for index in 0..<first.count {
            let other = second[first.keys[index]]
            if case .object(let a) = first.values[index], case .object(let b) = other {
                pairs.append((first.keys[index], .object(union(a, b))))
            } else {
                pairs.append((first.keys[index], other.isUndefined ? first.values[index] : other))
            }
        }
        for index in 0..<second.count where first.index(of: second.keys[index]) == nil {
            pairs.append((second.keys[index], second.values[index]))
        }
        return ObjectBox(unsorted: pairs)
    }

    private static func isSubset(_ part: Value, of all: Value) -> Bool {
        switch (part, all) {
        case (.object(let part), .object(let all)):
            for index in 0..<part.count {
                let found = all[part.keys[index]]
                if found.isUndefined || !isSubset(part.values[index], of: found) { return false }
            }
            return true
        case (.set(let part), .set(let all)):
            for item in part.items where !all.contains(item) { return false }
            return true
        case (.array(let part), .array(let all)):
            if part.isEmpty { return true }
            if part.count > all.count { return false }
            for start in 0...(all.count - part.count) {
                var matches = true
                for index in 0..<part.count where !isSubset(part[index], of: all[start + index]) {
                    matches = false
                    break
                }
                if matches { return true }
            }
            return false
        default: return part.equals(all)
        }
    }

    /// The paths of `json.filter` and `json.remove`: `"a/b"` strings or arrays of keys.
    private static func paths(_ x: Operands) throws(BuiltinFailure) -> [[Value]] {
        var result: [[Value]] = []
        for item in try x.items(1) {
            switch item {
            case .string(let box): result.append(pointer(box.string))
            case .array(let keys): result.append(keys.items)
            default:
                throw BuiltinFailure(
                    kind: .type,
                    message: "operand 2 must be one of {set, array} containing string paths or array of path segments "
                        + "but got \(item.typeName)")
            }
        }
        return result
    }

    /// The parts of a JSON pointer (RFC 6901), with or without the leading slash.
    static func pointer(_ text: String) -> [Value] {
        var path = Substring(text)
        if path.isEmpty { return [] }
        while path.hasPrefix("/") { path = path.dropFirst() }
        return path.split(separator: "/", omittingEmptySubsequences: false).map { part in
            .string(GoText.unescapePointer(String(part)))
        }
    }
}

extension GoText {
    /// `~1` and `~0` of a JSON pointer.
    static func unescapePointer(_ part: String) -> String {
        if !part.contains("~") { return part }
        var result = ""
        var rest = Substring(part)
        while let first = rest.first {
            if rest.hasPrefix("~1") {
                result += "/"
                rest = rest.dropFirst(2)
            } else if rest.hasPrefix("~0") {
                result += "~"
                rest = rest.dropFirst(2)
            } else {
                result.append(first)
                rest = rest.dropFirst()
            }
        }
        return result
    }
}

/// Paths into a document, by their common beginnings.
struct PathTree {
    private var children: [Value: PathTree] = [:]
    private var isEnd = false

    var isEmpty: Bool { children.isEmpty }

    mutating func add(_ path: ArraySlice<Value>) {
        guard let key = path.first else {
            isEnd = true
            return
        }
        children[key, default: PathTree()].add(path.dropFirst())
    }

    private func child(_ key: Value) -> PathTree? {
        if let child = children[key] { return child }
        // Array indexes may be written as strings.
        if case .int(let index) = key { return children[.string(String(index))] }
        return nil
    }

    /// Only what the paths lead to.
    func filtered(_ value: Value) -> Value {
        if isEnd { return value }
        switch value {
        case .object(let box):
            var pairs: [(Value, Value)] = []
            for index in 0..<box.count {
                guard let child = child(box.keys[index]) else { continue }
                let inner = child.filtered(box.values[index])
                if inner.isDefined { pairs.append((box.keys[index], inner)) }
            }
            return .object(ObjectBox(unsorted: pairs))
        case .array(let items):
            var result: [Value] = []
            for index in 0..<items.count {
                guard let child = child(.int(Int64(index))) else { continue }
                let inner = child.filtered(items[index])
                if inner.isDefined { result.append(inner) }
            }
            return .array(result)
        case .set(let box):
            var result: [Value] = []
            for item in box.items {
                if let child = child(item) {
                    let inner = child.filtered(item)
                    if inner.isDefined { result.append(inner) }
                }
            }
            return .set(SetBox(unsorted: result))
        default:
            // A path that goes on below a scalar keeps the scalar.
            return value
        }
    }

    /// Everything but what the paths lead to.
    func removed(_ value: Value) -> Value {
        switch value {
        case .object(let box):
            var pairs: [(Value, Value)] = []
            for index in 0..<box.count {
                if let child = child(box.keys[index]) {
                    if child.isEnd { continue }
                    pairs.append((box.keys[index], child.removed(box.values[index])))
                } else {
                    pairs.append((box.keys[index], box.values[index]))
                }
            }
            return .object(ObjectBox(unsorted: pairs))
        case .array(let items):
            var result: [Value] = []
            for index in 0..<items.count {
                if let child = child(.int(Int64(index))) {
                    if !child.isEnd { result.append(child.removed(items[index])) }
                } else {
                    result.append(items[index])
                }
            }
            return .array(result)
        case .set(let box):
            return .set(
                SetBox(
                    unsorted: box.items.compactMap { item in
                        guard let child = child(item) else { return item }
                        return child.isEnd ? nil : child.removed(item)
                    }))
        default: return value
        }
    }
}
