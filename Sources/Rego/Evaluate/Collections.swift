/// An immutable object: keys in Rego's order, values beside them.
public final class ObjectBox: Sendable {
    let keys: [Value]
    let values: [Value]
    let weight: Int

    /// `keys` must be sorted and distinct.
    init(keys: [Value], values: [Value]) {
        self.keys = keys
        self.values = values
        weight = Value.weight(of: keys) &+ Value.weight(of: values)
    }

    /// Sorts; of equal keys the last one given wins.
    convenience init(unsorted pairs: [(Value, Value)]) {
        var order = Array(pairs.indices)
        order.sort { left, right in
            let difference = pairs[left].0.compare(pairs[right].0)
            return difference != 0 ? difference < 0 : left < right
        }
        var keys: [Value] = []
        var values: [Value] = []
        keys.reserveCapacity(pairs.count)
        values.reserveCapacity(pairs.count)
        for index in order {
            let (key, value) = pairs[index]
            if let last = keys.last, last.equals(key) {
                values[values.count - 1] = value
            } else {
                keys.append(key)
                values.append(value)
            }
        }
        self.init(keys: keys, values: values)
    }

    @inline(__always)
    var count: Int { keys.count }

    @inline(__always)
    func index(of key: Value) -> Int? {
        if case .string(let wanted) = key { return index(of: wanted) }
        return binarySearch(keys, key)
    }

    /// Interned keys are found by identity; others by binary search.
    @inline(__always)
    func index(of wanted: StringBox) -> Int? {
        keys.withUnsafeBufferPointer { keys in
            if keys.count <= 8 {
                for at in 0..<keys.count {
                    if case .string(let key) = keys[at], key === wanted { return at }
                }
            }
            var low = 0
            var high = keys.count
            while low < high {
                let middle = (low &+ high) >> 1
                let order: Int
                if case .string(let key) = keys[middle] {
                    order = key.compare(wanted)
                } else {
                    order = keys[middle].rank - 3
                }
                if order == 0 { return middle }
                if order < 0 { low = middle &+ 1 } else { high = middle }
            }
            return nil
        }
    }

    @inline(__always)
    subscript(key: Value) -> Value {
        if let at = index(of: key) { return values[at] }
        return .undefined
    }

    @inline(__always)
    subscript(key: StringBox) -> Value {
        if let at = index(of: key) { return values[at] }
        return .undefined
    }

    subscript(name: String) -> Value { self[StringBox.make(name)] }

    /// A copy in which `key` has `value`; `undefined` removes the key.
    func setting(_ key: Value, _ value: Value) -> ObjectBox {
        var keys = keys
        var values = values
        let (at, found) = lowerBound(keys, key)
        if value.isUndefined {
            if found {
                keys.remove(at: at)
                values.remove(at: at)
            }
        } else if found {
            values[at] = value
        } else {
            keys.insert(key, at: at)
            values.insert(value, at: at)
        }
        return ObjectBox(keys: keys, values: values)
    }
}

/// An immutable set: items in Rego's order.
public final class SetBox: Sendable {
    let items: [Value]
    let weight: Int

    /// `items` must be sorted and distinct.
    init(sorted items: [Value]) {
        self.items = items
        weight = Value.weight(of: items)
    }

    convenience init(unsorted items: [Value]) {
        self.init(sorted: sortedDistinct(items))
    }

    @inline(__always)
    var count: Int { items.count }

    func contains(_ item: Value) -> Bool { binarySearch(items, item) != nil }
}

/// Where `wanted` is in `items`, or would be inserted.
func lowerBound(_ items: [Value], _ wanted: Value) -> (at: Int, found: Bool) {
    var low = 0
    var high = items.count
    while low < high {
        let middle = (low + high) >> 1
        let order = items[middle].compare(wanted)
        if order == 0 { return (middle, true) }
        if order < 0 { low = middle + 1 } else { high = middle }
    }
    return (low, false)
}

func binarySearch(_ items: [Value], _ wanted: Value) -> Int? {
    let (at, found) = lowerBound(items, wanted)
    return found ? at : nil
}

func sortedDistinct(_ items: [Value]) -> [Value] {
    if items.count < 2 { return items }
    var ascending = true
    for index in 1..<items.count where items[index - 1].compare(items[index]) >= 0 {
        ascending = false
        break
    }
    if ascending { return items }
    let sorted = items.sorted { $0.compare($1) < 0 }
    var result: [Value] = []
    result.reserveCapacity(sorted.count)
    for item in sorted {
        if let last = result.last, last.equals(item) { continue }
        result.append(item)
    }
    return result
}
