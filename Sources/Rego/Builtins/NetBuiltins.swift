extension Builtins {
    static func addNet(_ table: inout BuiltinTable) {
        table.add("net.cidr_contains") { _, x throws(BuiltinFailure) in
            let (first, second) = (try x.text(0), try x.text(1))
            return .bool(try supported { () throws(SupportError) in try CIDR.contains(first, second) })
        }
        table.add("net.cidr_intersects") { _, x throws(BuiltinFailure) in
            let (first, second) = (try x.text(0), try x.text(1))
            return .bool(try supported { () throws(SupportError) in try CIDR.intersects(first, second) })
        }
        table.add("net.cidr_is_valid") { _, x throws(BuiltinFailure) in
            guard case .string(let box) = x[0] else { return .bool(false) }
            return .bool(CIDR.isValid(box.string))
        }
        table.add("net.cidr_expand") { context, x throws(BuiltinFailure) in
            let text = try x.text(0)
            let limit = max(0, min(context.bytesLeft / 64, 1 << 20))
            let found = try supported { () throws(SupportError) in try CIDR.expand(text, limit: limit) }
            try context.reserve(found.count * 64)
            return .set(SetBox(unsorted: found.map { .string($0) }))
        }
        table.add("net.cidr_merge") { _, x throws(BuiltinFailure) in
            let texts = try x.strings(0)
            let merged = try supported { () throws(SupportError) in try CIDR.merge(texts) }
            return .set(SetBox(unsorted: merged.map { .string($0) }))
        }
        table.add("net.cidr_contains_matches") { context, x throws(BuiltinFailure) in
            let networks = try matchEntries(x, 0)
            let addresses = try matchEntries(x, 1)
            var result: [Value] = []
            for (key, network) in networks {
                for (other, address) in addresses {
                    guard context.step() else { return .undefined }
                    if try supported({ () throws(SupportError) in try CIDR.contains(network, address) }) {
                        result.append(.array([key, other]))
                    }
                }
            }
            return .set(SetBox(unsorted: result))
        }
        table.add("uri.parse") { _, x throws(BuiltinFailure) in
            let text = try x.text(0)
            let parts = try supported { () throws(SupportError) in try URIText.parse(text) }
            return .object(ObjectBox(unsorted: parts.map { (Value.string($0.0), Value.string($0.1)) }))
        }
        table.add("uri.is_valid") { _, x throws(BuiltinFailure) in
            guard case .string(let box) = x[0] else { return .bool(false) }
            return .bool(URIText.isValid(box.string))
        }
    }

    /// Strings, or collections whose elements are strings or arrays that start with one; each with its key.
    private static func matchEntries(_ x: Operands, _ index: Int) throws(BuiltinFailure) -> [(Value, String)] {
        func text(_ value: Value) throws(BuiltinFailure) -> String {
            if case .string(let box) = value { return box.string }
            if case .array(let items) = value, case .string(let box)? = items.first { return box.string }
            throw BuiltinFailure.invalid("operand \(index + 1): element must be string or non-empty array")
        }
        var result: [(Value, String)] = []
        switch x[index] {
        case .string: result.append((x[index], try text(x[index])))
        case .array(let items):
            for (position, item) in items.enumerated() { result.append((.int(Int64(position)), try text(item))) }
        case .set(let box): for item in box.items { result.append((item, try text(item))) }
        case .object(let box):
            for position in 0..<box.count { result.append((box.keys[position], try text(box.values[position]))) }
        default: throw BuiltinFailure.type(index + 1, "one of {string, array, set, object}", x[index])
        }
        return result
    }
}
