/// An immutable array.
public final class ArrayBox: Sendable, RandomAccessCollection {
    let items: [Value]
    let weight: Int

    static let empty = ArrayBox([])

    init(_ items: [Value]) {
        self.items = items
        weight = Value.weight(of: items)
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { items.count }
    public var count: Int { items.count }
    public subscript(index: Int) -> Value { items[index] }
}

extension Value {
    /// Values share their parts, so that a small one may be endless when it is gone through: `a := [b, b]`, and so on.
    /// Each collection therefore knows how many parts it has, written out; heavier ones than this cannot be made.
    static let maxWeight = 1 << 27
    private static let weightCap = 1 << 38

    /// The parts of the value as often as they occur in it; 32 bytes of text are one part.
    @inline(__always)
    var weight: Int {
        switch self {
        case .string(let box): 1 &+ box.count >> 5
        case .array(let box): box.weight
        case .object(let box): box.weight
        case .set(let box): box.weight
        case .number(let box): 1 &+ box.digits.count >> 5
        default: 1
        }
    }

    static func weight(of items: [Value]) -> Int {
        var weight = 1
        items.withUnsafeBufferPointer { items in for item in items { weight &+= item.weight } }
        return min(weight, weightCap)
    }
}

extension Context {
    /// A collection that was just made; undefined with an error where it is too heavy.
    @inline(__always)
    func made(_ value: Value) -> Value {
        value.weight <= Value.maxWeight ? value : tooHeavy()
    }

    @inline(never)
    private func tooHeavy() -> Value {
        fail(.limit, "evaluation made a value that is too large when written out", .none)
        return .undefined
    }

    /// Counts that the whole of a value is gone through; false if the budget ran out.
    @inline(__always)
    func visits(_ value: Value) -> Bool {
        switch value {
        case .array, .object, .set, .string:
            let weight = value.weight
            return weight < 4096 || spend(weight >> 5)
        case .number(let box):
            // Multiplication and conversion take the square of the digits.
            let limbs = box.digits.count >> 3
            return limbs < 16 || spend(limbs &* limbs >> 6)
        default: return true
        }
    }

    /// As `visits`, for items that are about to be compared with each other.
    @inline(__always)
    func sorts(_ items: [Value]) -> Bool {
        let weight = Value.weight(of: items)
        return weight < 4096 &+ 8 &* items.count || spend(weight >> 3)
    }

    /// Whether two values are equal, going through large ones at the budget's cost.
    @inline(__always)
    func equal(_ left: Value, _ right: Value) -> Bool {
        switch left {
        case .array, .object, .set:
            let weight = min(left.weight, right.weight)
            return (weight < 4096 || spend(weight >> 5)) && left.equals(right)
        default: return left.equals(right)
        }
    }
}
