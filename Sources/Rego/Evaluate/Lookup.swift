extension Value {
    /// The element at `key`: an object's value, an array's item, a set's member itself.
    @inline(__always)
    func lookup(_ key: Value) -> Value {
        switch self {
        case .object(let box): return box[key]
        case .array(let items):
            if case .int(let index) = key {
                return index >= 0 && index < items.count ? items[Int(index)] : .undefined
            }
            if case .number(let box) = key, let index = box.int64 {
                return index >= 0 && index < items.count ? items[Int(index)] : .undefined
            }
            return .undefined
        case .set(let box): return box.contains(key) ? key : .undefined
        default: return .undefined
        }
    }

    /// As `lookup` in base documents, which are addressed by path: a number also finds the key with its digits.
    func lookupBase(_ key: Value) -> Value {
        let found = lookup(key)
        if found.isUndefined, case .int(let number) = key, case .object(let box) = self {
            return box[.string(String(number))]
        }
        return found
    }

    @inline(__always)
    func lookup(_ name: StringBox) -> Value {
        if case .object(let box) = self { return box[name] }
        if case .set(let box) = self { return box.contains(.string(name)) ? .string(name) : .undefined }
        return .undefined
    }

    /// Follows a path; undefined as soon as a part is missing.
    func lookup(path: [Value]) -> Value {
        var value = self
        for key in path {
            value = value.lookup(key)
            if value.isUndefined { return .undefined }
        }
        return value
    }

    /// A copy in which the document at `path` is `replacement`; what stands in the way becomes an object.
    func replacing(path: ArraySlice<Value>, with replacement: Value) -> Value {
        guard let key = path.first else { return replacement }
        let box: ObjectBox
        if case .object(let existing) = self { box = existing } else { box = ObjectBox(keys: [], values: []) }
        let child = box[key].replacing(path: path.dropFirst(), with: replacement)
        return .object(box.setting(key, child))
    }
}
