/// A static type, as far as it is known.
indirect enum RegoType: Sendable {
    /// Nothing is known.
    case any
    case null
    case boolean
    case number
    case string
    /// Known items, then any number of `rest` (nil: none).
    case array([RegoType], rest: RegoType?)
    case set(RegoType)
    /// Known properties, then any others of the given types (nil: none).
    case object([(key: Value, type: RegoType)], rest: (key: RegoType, value: RegoType)?)
    case union([RegoType])
    /// The type of an empty collection's items.
    case never

    static func constant(_ value: Value) -> RegoType {
        switch value {
        case .undefined: .never
        case .null: .null
        case .bool: .boolean
        case .int, .number: .number
        case .string: .string
        case .array(let items): .array(items.map(constant), rest: nil)
        case .set(let box): .set(.joined(box.items.map(constant)))
        case .object(let box) where box.count > 64:
            .object([], rest: (.joined(box.keys.map(constant)), .joined(box.values.map(constant))))
        case .object(let box):
            .object(zip(box.keys, box.values).map { (key: $0, type: constant($1)) }, rest: nil)
        }
    }

    /// The union, flattened; `any` swallows everything.
    static func joined(_ types: [RegoType]) -> RegoType {
        var parts: [RegoType] = []
        for type in types {
            switch type {
            case .any: return .any
            case .never: break
            case .union(let inner): parts.append(contentsOf: inner)
            default: parts.append(type)
            }
        }
        // Scalars once; composites are kept apart up to a point.
        var result: [RegoType] = []
        var scalars = 0
        for part in parts {
            let bit: Int
            switch part {
            case .null: bit = 1
            case .boolean: bit = 2
            case .number: bit = 4
            case .string: bit = 8
            default: bit = 0
            }
            if bit != 0 {
                if scalars & bit != 0 { continue }
                scalars |= bit
            }
            result.append(part)
        }
        if result.isEmpty { return .never }
        if result.count > 24 { return .any }
        return result.count == 1 ? result[0] : .union(result)
    }

    /// Whether a value could have both types.
    func overlaps(_ other: RegoType) -> Bool {
        switch (self, other) {
        case (.any, _), (_, .any): return true
        case (.never, _), (_, .never): return true
        case (.union(let parts), _): return parts.contains { $0.overlaps(other) }
        case (_, .union(let parts)): return parts.contains { overlaps($0) }
        case (.null, .null), (.boolean, .boolean), (.number, .number), (.string, .string): return true
        case (.array(let first, let firstRest), .array(let second, let secondRest)):
            if firstRest == nil, secondRest == nil, first.count != second.count { return false }
            if firstRest == nil, second.count > first.count { return false }
            if secondRest == nil, first.count > second.count { return false }
            for index in 0..<max(first.count, second.count) {
                guard let left = index < first.count ? first[index] : firstRest,
                    let right = index < second.count ? second[index] : secondRest
                else { return false }
                if !left.overlaps(right) { return false }
            }
            return true
        case (.set(let first), .set(let second)):
            return first.overlaps(second)
        case (.object(let first, let firstRest), .object(let second, let secondRest)):
            for (key, type) in first {
                if let partner = second.first(where: { $0.key.equals(key) })?.type {
                    if !type.overlaps(partner) { return false }
                } else if let rest = secondRest {
                    if !rest.key.overlaps(.constant(key)) || !type.overlaps(rest.value) { return false }
                } else {
                    return false
                }
            }
            for (key, type) in second where !first.contains(where: { $0.key.equals(key) }) {
                guard let rest = firstRest else { return false }
                if !rest.key.overlaps(.constant(key)) || !type.overlaps(rest.value) { return false }
            }
            return true
        default: return false
        }
    }

    /// The type with nothing known below `depth`: types of chained rules must not grow without bound.
    func limited(_ depth: Int) -> RegoType {
        switch self {
        case .any, .never, .null, .boolean, .number, .string: return self
        case _ where depth == 0: return .any
        case .array(let items, let rest):
            return .array(items.map { $0.limited(depth - 1) }, rest: rest?.limited(depth - 1))
        case .set(let item): return .set(item.limited(depth - 1))
        case .object(let properties, let rest):
            return .object(
                properties.map { (key: $0.key, type: $0.type.limited(depth - 1)) },
                rest: rest.map { (key: $0.key.limited(depth - 1), value: $0.value.limited(depth - 1)) })
        case .union(let parts): return .union(parts.map { $0.limited(depth) })
        }
    }

    /// Whether a parameter of this type may be given a value of the other.
    func accepts(_ argument: RegoType) -> Bool { overlaps(argument) }

    /// What iterating or indexing with an unknown key yields; nil if the type has no elements.
    var element: RegoType? {
        switch self {
        case .any: return .any
        case .never: return .never
        case .array(let items, let rest): return .joined(items + (rest.map { [$0] } ?? []))
        case .set(let type): return type
        case .object(let properties, let rest):
            return .joined(properties.map(\.type) + (rest.map { [$0.value] } ?? []))
        case .union(let parts):
            let elements = parts.compactMap(\.element)
            return elements.isEmpty ? nil : .joined(elements)
        default: return nil
        }
    }

    /// The type of the keys.
    var keys: RegoType? {
        switch self {
        case .any: return .any
        case .never: return .never
        case .array: return .number
        case .set(let type): return type
        case .object(let properties, let rest):
            return .joined(properties.map { .constant($0.key) } + (rest.map { [$0.key] } ?? []))
        case .union(let parts):
            let keys = parts.compactMap(\.keys)
            return keys.isEmpty ? nil : .joined(keys)
        default: return nil
        }
    }

    /// The type at a known key; nil if there can be nothing.
    func at(_ key: Value) -> RegoType? {
        switch self {
        case .any: return .any
        case .never: return .never
        case .array(let items, let rest):
            guard case .int(let index) = key else { return nil }
            if index >= 0, index < items.count { return items[Int(index)] }
            return index >= 0 ? rest : nil
        case .set(let type): return type.overlaps(.constant(key)) ? .joined([type]) : nil
        case .object(let properties, let rest):
            if let property = properties.first(where: { $0.key.equals(key) }) { return property.type }
            if let rest, rest.key.overlaps(.constant(key)) { return rest.value }
            return nil
        case .union(let parts):
            let found = parts.compactMap { $0.at(key) }
            return found.isEmpty ? nil : .joined(found)
        default: return nil
        }
    }
}

/// Reads signatures such as `(string, array[any]|set[any]) -> boolean`.
struct SignatureParser {
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: Substring) { bytes = Array(text.utf8) }

    private func peek() -> UInt8 { at < bytes.count ? bytes[at] : 0 }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        while peek() == 32 { at += 1 }
        guard peek() == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    mutating func signature() -> (parameters: [RegoType], result: RegoType) {
        var parameters: [RegoType] = []
        _ = take("(")
        while !take(")"), at < bytes.count {
            parameters.append(type())
            _ = take(",")
        }
        _ = take("-")
        _ = take(">")
        return (parameters, type())
    }

    private mutating func type() -> RegoType {
        var parts = [single()]
        while take("|") { parts.append(single()) }
        return parts.count == 1 ? parts[0] : .joined(parts)
    }

    private mutating func single() -> RegoType {
        while peek() == 32 { at += 1 }
        let start = at
        while isLetter(peek()) { at += 1 }
        switch String(decoding: bytes[start..<at], as: UTF8.self) {
        case "null": return .null
        case "boolean": return .boolean
        case "number": return .number
        case "string": return .string
        case "array":
            _ = take("[")
            var items: [RegoType] = []
            while !take("]"), at < bytes.count {
                items.append(type())
                _ = take(",")
            }
            return items.count == 1 ? .array([], rest: items[0]) : .array(items, rest: nil)
        case "set":
            _ = take("[")
            let item = type()
            _ = take("]")
            return .set(item)
        case "object":
            _ = take("[")
            if take("]") { return .object([], rest: (.any, .any)) }
            let key = type()
            _ = take(":")
            let value = type()
            _ = take("]")
            return .object([], rest: (key, value))
        default: return .any
        }
    }
}
