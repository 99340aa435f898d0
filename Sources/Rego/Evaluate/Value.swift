/// A Rego value: what JSON can say, and sets.
///
/// `undefined` is the absence of a value inside the evaluator; no collection ever holds it.
public enum Value: Sendable {
    case undefined
    case null
    case bool(Bool)
    /// An integer that fits 64 bits and is written without point or exponent.
    case int(Int64)
    /// Any other number: larger integers, fractions, and literals that keep their spelling (`1.50`, `1e2`).
    case number(DecimalNumber)
    case string(StringBox)
    case array(ArrayBox)
    case object(ObjectBox)
    case set(SetBox)

    @inline(__always)
    var isUndefined: Bool {
        if case .undefined = self { return true }
        return false
    }

    @inline(__always)
    var isDefined: Bool { !isUndefined }

    /// Whether a body may go on after this value: everything that is defined but `false`.
    @inline(__always)
    var isTrue: Bool {
        switch self {
        case .undefined: false
        case .bool(let value): value
        default: true
        }
    }

    static func string(_ text: String) -> Value { .string(StringBox.make(text)) }
    static func string(_ bytes: [UInt8]) -> Value { .string(StringBox.make(bytes)) }
    static func array(_ items: [Value]) -> Value { .array(ArrayBox(items)) }
    static let emptyObject = Value.object(ObjectBox(keys: [], values: []))
    static let emptySet = Value.set(SetBox(sorted: []))

    /// The type's name as `type_name` gives it.
    var typeName: String {
        switch self {
        case .undefined: "undefined"
        case .null: "null"
        case .bool: "boolean"
        case .int, .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        case .set: "set"
        }
    }

    /// The place of the type in the order of all values.
    @inline(__always)
    var rank: Int {
        switch self {
        case .undefined: -1
        case .null: 0
        case .bool: 1
        case .int, .number: 2
        case .string: 3
        case .array: 4
        case .object: 5
        case .set: 6
        }
    }
}

extension Value: Hashable {
    public static func == (left: Value, right: Value) -> Bool { left.equals(right) }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .undefined: hasher.combine(0 as UInt8)
        case .null: hasher.combine(1 as UInt8)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(Double(value))
        case .number(let box): hasher.combine(box.double)
        case .string(let box): box.withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        case .array(let items):
            hasher.combine(items.count)
            for item in items { item.hash(into: &hasher) }
        case .object(let box):
            hasher.combine(box.keys.count)
            for key in box.keys { key.hash(into: &hasher) }
            for value in box.values { value.hash(into: &hasher) }
        case .set(let box):
            hasher.combine(box.items.count)
            for item in box.items { item.hash(into: &hasher) }
        }
    }
}

extension Value: Comparable {
    public static func < (left: Value, right: Value) -> Bool { left.compare(right) < 0 }

    @inline(__always)
    func equals(_ other: Value) -> Bool {
        switch (self, other) {
        case (.string(let left), .string(let right)): left.equals(right)
        case (.int(let left), .int(let right)): left == right
        case (.bool(let left), .bool(let right)): left == right
        default: equalsSlowly(other)
        }
    }

    @inline(never)
    func equalsSlowly(_ other: Value) -> Bool {
        if rank != other.rank { return false }
        switch (self, other) {
        case (.array(let left), .array(let right)):
            if left === right { return true }
            let (left, right) = (left.items, right.items)
            if left.count != right.count { return false }
            for index in 0..<left.count where !left[index].equals(right[index]) { return false }
            return true
        case (.object(let left), .object(let right)):
            if left === right { return true }
            if left.count != right.count { return false }
            for index in 0..<left.count {
                if !left.keys[index].equals(right.keys[index]) { return false }
                if !left.values[index].equals(right.values[index]) { return false }
            }
            return true
        case (.set(let left), .set(let right)):
            if left === right { return true }
            if left.count != right.count { return false }
            for index in 0..<left.count where !left.items[index].equals(right.items[index]) { return false }
            return true
        default: return compare(other) == 0
        }
    }

    /// Negative, zero or positive in Rego's order of all values:
    /// null, booleans, numbers, strings, arrays, objects, sets.
    func compare(_ other: Value) -> Int {
        switch (self, other) {
        case (.int(let left), .int(let right)): return left < right ? -1 : (left == right ? 0 : 1)
        case (.string(let left), .string(let right)): return left.compare(right)
        case (.bool(let left), .bool(let right)): return left == right ? 0 : (right ? -1 : 1)
        case (.int(let left), .number(let right)): return Number.compare(.int(left), .decimal(right))
        case (.number(let left), .int(let right)): return Number.compare(.decimal(left), .int(right))
        case (.number(let left), .number(let right)): return Number.compare(.decimal(left), .decimal(right))
        case (.array(let left), .array(let right)):
            return left === right ? 0 : Value.compareLists(left.items, right.items)
        case (.object(let left), .object(let right)):
            // Keys and values alternate: the first differing key or value decides, then the length.
            if left === right { return 0 }
            let shared = min(left.count, right.count)
            for index in 0..<shared {
                let keys = left.keys[index].compare(right.keys[index])
                if keys != 0 { return keys }
                let values = left.values[index].compare(right.values[index])
                if values != 0 { return values }
            }
            return left.count - right.count
        case (.set(let left), .set(let right)):
            return left === right ? 0 : Value.compareLists(left.items, right.items)
        default: return rank - other.rank
        }
    }

    private static func compareLists(_ left: [Value], _ right: [Value]) -> Int {
        let shared = min(left.count, right.count)
        for index in 0..<shared {
            let order = left[index].compare(right[index])
            if order != 0 { return order }
        }
        return left.count - right.count
    }
}

extension Value {
    @inline(__always)
    static func number(_ number: Number) -> Value {
        switch number {
        case .int(let value): .int(value)
        case .decimal(let box): .number(box)
        }
    }

    /// The number, where the value is one.
    @inline(__always)
    var asNumber: Number? {
        switch self {
        case .int(let value): .int(value)
        case .number(let box): .decimal(box)
        default: nil
        }
    }
}

extension Value {
    /// The items of an array or set; empty for other values.
    public var elements: [Value] {
        switch self {
        case .array(let box): box.items
        case .set(let box): box.items
        default: []
        }
    }

    /// The value as JSON; sets as sorted arrays, keys that are no strings as their JSON text.
    public var json: [UInt8] { JSONWriter.bytes(self) }
}
