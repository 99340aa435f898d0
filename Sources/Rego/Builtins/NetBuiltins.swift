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
            var texts: [String] = []
            switch x[0] {
            case .array, .set: break
            default: throw BuiltinFailure.invalid("operand must be an array")
            }
            for item in x[0].elements {
                guard case .string(let box) = item else { throw BuiltinFailure.invalid("element must be string") }
                texts.append(box.string)
            }
            let merged = try supported { () throws(SupportError) in try CIDR.merge(texts) }
            return .set(SetBox(unsorted: merged.map { .string($0) }))
        }
        table.add("net.cidr_contains_matches") { context, x throws(BuiltinFailure) in
            let (networks, addresses) = (matchEntries(x[0]), matchEntries(x[1]))
            var result: [Value] = []
            for (key, networkValue) in networks {
                // Looked at only where there is something to compare, as in OPA.
                for (other, addressValue) in addresses {
                    guard context.step() else { return .undefined }
                    let network = try matchText(networkValue, 1)
                    let address = try matchText(addressValue, 2)
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

    /// A string, or the elements of a collection; each with its key.
    private static func matchEntries(_ value: Value) -> [(Value, Value)] {
        switch value {
        case .string: [(value, value)]
        case .array(let items): items.enumerated().map { (.int(Int64($0.offset)), $0.element) }
        case .set(let box): box.items.map { ($0, $0) }
        case .object(let box): (0..<box.count).map { (box.keys[$0], box.values[$0]) }
        default: []
        }
    }

    /// The address or network of an entry: a string, or an array that starts with one.
    private static func matchText(_ value: Value, _ position: Int) throws(BuiltinFailure) -> String {
        switch value {
        case .string(let box): return box.string
        case .array(let items) where !items.isEmpty:
            guard case .string(let box) = items[0] else { throw BuiltinFailure.type(position, "string", items[0]) }
            return box.string
        default: throw BuiltinFailure.invalid("operand \(position): element must be string or non-empty array")
        }
    }
}
