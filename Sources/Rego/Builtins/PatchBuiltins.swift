extension Builtins {
    static func addPatch(_ table: inout BuiltinTable) {
        table.add("json.patch") { context, x throws(BuiltinFailure) in
            var document = x[0]
            for operation in try x.array(1) {
                guard context.step() else { return .undefined }
                guard case .object(let box) = operation else {
                    throw BuiltinFailure(
                        kind: .type,
                        message:
                            "operand 2 must be array of JSON-Patch objects but got array containing \(operation.typeName)"
                    )
                }
                guard let next = try patched(document, box) else { return .undefined }
                document = next
                guard depth(document, 0) < 400 else {
                    throw BuiltinFailure(kind: .limit, message: "document nests too deeply")
                }
            }
            return document
        }
    }

    private static func depth(_ value: Value, _ level: Int) -> Int {
        if level > 400 { return level }
        switch value {
        case .array(let items): return items.reduce(level) { max($0, depth($1, level + 1)) }
        case .object(let box): return box.values.reduce(level) { max($0, depth($1, level + 1)) }
        case .set(let box): return box.items.reduce(level) { max($0, depth($1, level + 1)) }
        default: return level
        }
    }

    private static func path(_ box: ObjectBox, _ name: String) throws(BuiltinFailure) -> [Value] {
        switch box[name] {
        case .string(let text): return pointer(text.string)
        case .array(let keys): return keys
        case .undefined: throw BuiltinFailure.invalid("missing '\(name)' attribute")
        default: throw BuiltinFailure.invalid("must be string or array")
        }
    }

    private static func patched(_ document: Value, _ box: ObjectBox) throws(BuiltinFailure) -> Value? {
        guard case .string(let name) = box["op"] else { throw BuiltinFailure.invalid("missing 'op' attribute") }
        let path = try path(box, "path")
        let value = box["value"]
        switch name.string {
        case "add":
            if value.isUndefined { throw BuiltinFailure.invalid("missing 'value' attribute") }
            return added(document, path[...], value)
        case "remove": return removed(document, path[...])
        case "replace":
            if value.isUndefined { throw BuiltinFailure.invalid("missing 'value' attribute") }
            if path.isEmpty { return value }
            guard get(document, path[...]).isDefined, let without = removed(document, path[...]) else { return nil }
            return added(without, path[...], value)
        case "move":
            let from = try self.path(box, "from")
            let moved = get(document, from[...])
            guard moved.isDefined, let without = removed(document, from[...]) else { return nil }
            return added(without, path[...], moved)
        case "copy":
            let copied = get(document, try self.path(box, "from")[...])
            return copied.isDefined ? added(document, path[...], copied) : nil
        case "test":
            if value.isUndefined { throw BuiltinFailure.invalid("missing 'value' attribute") }
            let found = get(document, path[...])
            return found.isDefined && found.equals(value) ? document : nil
        default: throw BuiltinFailure.invalid("unrecognized op '\(name.string)'")
        }
    }

    private static func index(_ key: Value, _ count: Int, adding: Bool) -> Int? {
        var found: Int?
        switch key {
        case .int(let value): found = Int(value)
        case .string(let box):
            let text = box.string
            if adding, text == "-" { return count }
            if let value = Int(text), String(value) == text { found = value }
        default: break
        }
        guard let found, found >= 0, found < count + (adding ? 1 : 0) else { return nil }
        return found
    }

    private static func get(_ document: Value, _ path: ArraySlice<Value>) -> Value {
        guard let key = path.first else { return document }
        switch document {
        case .object(let box): return get(box[key], path.dropFirst())
        case .array(let items):
            guard let index = index(key, items.count, adding: false) else { return .undefined }
            return get(items[index], path.dropFirst())
        case .set(let box): return box.contains(key) ? get(key, path.dropFirst()) : .undefined
        default: return .undefined
        }
    }

    private static func added(_ document: Value, _ path: ArraySlice<Value>, _ value: Value) -> Value? {
        guard let key = path.first else { return value }
        let last = path.count == 1
        switch document {
        case .object(let box):
            if last { return .object(box.setting(key, value)) }
            guard let inner = added(box[key], path.dropFirst(), value) else { return nil }
            return .object(box.setting(key, inner))
        case .array(var items):
            guard let index = index(key, items.count, adding: last) else { return nil }
            if last {
                items.insert(value, at: index)
            } else {
                guard let inner = added(items[index], path.dropFirst(), value) else { return nil }
                items[index] = inner
            }
            return .array(items)
        case .set(let box):
            if last {
                return key.equals(value) ? .set(SetBox(unsorted: box.items + [value])) : nil
            }
            guard box.contains(key), let inner = added(key, path.dropFirst(), value) else { return nil }
            return .set(SetBox(unsorted: box.items.filter { !$0.equals(key) } + [inner]))
        default: return nil
        }
    }

    private static func removed(_ document: Value, _ path: ArraySlice<Value>) -> Value? {
        guard let key = path.first else { return nil }
        let last = path.count == 1
        switch document {
        case .object(let box):
            guard box.index(of: key) != nil else { return nil }
            if last { return .object(box.setting(key, .undefined)) }
            guard let inner = removed(box[key], path.dropFirst()) else { return nil }
            return .object(box.setting(key, inner))
        case .array(var items):
            guard let index = index(key, items.count, adding: false) else { return nil }
            if last {
                items.remove(at: index)
            } else {
                guard let inner = removed(items[index], path.dropFirst()) else { return nil }
                items[index] = inner
            }
            return .array(items)
        case .set(let box):
            guard box.contains(key) else { return nil }
            let rest = box.items.filter { !$0.equals(key) }
            if last { return .set(SetBox(sorted: rest)) }
            guard let inner = removed(key, path.dropFirst()) else { return nil }
            return .set(SetBox(unsorted: rest + [inner]))
        default: return nil
        }
    }
}
