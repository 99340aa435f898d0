extension Builtins {
    static func addPatch(_ table: inout BuiltinTable) {
        table.add("json.patch") { context, x throws(BuiltinFailure) in
            var document = x[0]
            for operation in try x.array(1) {
                guard context.step() else { return .undefined }
                guard case .object(let box) = operation else {
                    throw BuiltinFailure.invalid(
                        "must be an array of JSON-Patch objects, but at least one element is not an object")
                }
                document = try patched(document, box)
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
        switch try attribute(box, name) {
        case .string(let text): return pointer(text.string)
        case .array(let keys): return Array(keys)
        case let other:
            throw BuiltinFailure.type(
                2, "one of {set, array} containing string paths or array of path segments", other)
        }
    }

    private static func attribute(_ box: ObjectBox, _ name: String) throws(BuiltinFailure) -> Value {
        let value = box[name]
        if value.isUndefined { throw BuiltinFailure.invalid("missing required attribute '\(name)'") }
        return value
    }

    private static func patched(_ document: Value, _ box: ObjectBox) throws(BuiltinFailure) -> Value {
        let path = try path(box, "path")
        let name = try attribute(box, "op").plainText
        switch name {
        case "add": return try added(document, path[...], try attribute(box, "value"))
        case "remove": return try removed(document, path[...])
        case "replace":
            let value = try attribute(box, "value")
            return path.isEmpty ? value : try added(try removed(document, path[...]), path[...], value)
        case "move":
            let from = try self.path(box, "from")
            let moved = try get(document, from[...])
            return try added(try removed(document, from[...]), path[...], moved)
        case "copy":
            let from = try self.path(box, "from")
            return try added(document, path[...], try get(document, from[...]))
        case "test":
            let value = try attribute(box, "value")
            guard try get(document, path[...]).equals(value) else {
                throw BuiltinFailure.invalid("value from EditTree != patch value.")
            }
            return document
        default: throw BuiltinFailure.invalid("unrecognized op: '\(name)'")
        }
    }

    /// Where in an array of `count` items a key points to; `-` is behind its end.
    private static func index(_ key: Value, _ count: Int) throws(BuiltinFailure) -> Int {
        switch key {
        case .int(let value): return Int(value)
        case .number: throw BuiltinFailure.invalid("invalid number type for indexing")
        case .string(let box):
            let text = box.string
            if text == "-" { return count }
            if text.hasPrefix("0"), text.utf8.count > 1 {
                throw BuiltinFailure.invalid("leading zeros are not allowed in JSON paths")
            }
            guard let value = Int(text) else { throw BuiltinFailure.invalid("invalid string for indexing") }
            return value
        default: throw BuiltinFailure.invalid("invalid type for indexing")
        }
    }

    private static func scalar(_ value: Value) -> BuiltinFailure {
        let type =
            switch value {
            case .string: "String"
            case .int, .number: "Number"
            case .bool: "Boolean"
            default: "Null"
            }
        return BuiltinFailure.invalid("expected composite type, found value: \(value.shortText) (type: ast.\(type))")
    }

    private static func missing(_ key: String, _ document: Value) -> BuiltinFailure {
        BuiltinFailure.invalid("path \(key) does not exist in \(document.typeName) term \(document.shortText)")
    }

    /// The value one step into a document.
    private static func child(_ document: Value, _ key: Value) throws(BuiltinFailure) -> Value {
        switch document {
        case .object(let box):
            let found = box[key]
            if found.isUndefined { throw missing(key.shortText, document) }
            return found
        case .array(let items):
            let index = try index(key, items.count)
            guard index >= 0, index < items.count else { throw missing(String(index), document) }
            return items[index]
        case .set(let box):
            guard box.contains(key) else { throw missing(key.shortText, document) }
            return key
        default: throw scalar(document)
        }
    }

    private static func get(_ document: Value, _ path: ArraySlice<Value>) throws(BuiltinFailure) -> Value {
        var value = document
        for key in path { value = try child(value, key) }
        return value
    }

    /// The document with its child at `key` replaced.
    private static func with(_ document: Value, _ key: Value, _ inner: Value) throws(BuiltinFailure) -> Value {
        switch document {
        case .object(let box): return .object(box.setting(key, inner))
        case .array(let box):
            var items = Array(box)
            items[try index(key, items.count)] = inner
            return .array(items)
        case .set(let box): return .set(SetBox(unsorted: box.items.filter { !$0.equals(key) } + [inner]))
        default: throw scalar(document)
        }
    }

    private static func added(
        _ document: Value, _ path: ArraySlice<Value>, _ value: Value
    ) throws(BuiltinFailure) -> Value {
        guard let key = path.first else { return value }
        if path.count > 1 {
            let inner = try added(try child(document, key), path.dropFirst(), value)
            return try with(document, key, inner)
        }
        switch document {
        case .object(let box): return .object(box.setting(key, value))
        case .array(let box):
            var items = Array(box)
            let index = try index(key, items.count)
            guard index >= 0, index <= items.count else {
                throw BuiltinFailure.invalid("index for array insertion out of bounds")
            }
            items.insert(value, at: index)
            return .array(items)
        case .set(let box):
            guard key.equals(value) else {
                throw BuiltinFailure.invalid(
                    "set key \(key.shortText) does not equal value to be inserted \(value.shortText)")
            }
            return .set(SetBox(unsorted: box.items + [value]))
        default: throw scalar(document)
        }
    }

    private static func removed(_ document: Value, _ path: ArraySlice<Value>) throws(BuiltinFailure) -> Value {
        guard let key = path.first else {
            throw BuiltinFailure.invalid("deleted node encountered during insert operation")
        }
        if path.count > 1 {
            let inner = try removed(try child(document, key), path.dropFirst())
            return try with(document, key, inner)
        }
        func absent() -> BuiltinFailure {
            BuiltinFailure.invalid("cannot delete child key \(key.shortText) that does not exist")
        }
        switch document {
        case .object(let box):
            guard box.index(of: key) != nil else { throw absent() }
            return .object(box.setting(key, .undefined))
        case .array(let box):
            var items = Array(box)
            let index = try index(key, items.count)
            guard index >= 0, index < items.count else {
                throw BuiltinFailure.invalid("index for array delete out of bounds")
            }
            items.remove(at: index)
            return .array(items)
        case .set(let box):
            guard box.contains(key) else { throw absent() }
            return .set(SetBox(sorted: box.items.filter { !$0.equals(key) }))
        default: throw scalar(document)
        }
    }
}
