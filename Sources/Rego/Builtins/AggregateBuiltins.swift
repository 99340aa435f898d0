extension Builtins {
    static func addAggregates(_ table: inout BuiltinTable) {
        table.add("count") { _, x throws(BuiltinFailure) in
            switch x[0] {
            case .array(let items): return .int(Int64(items.count))
            case .object(let box): return .int(Int64(box.count))
            case .set(let box): return .int(Int64(box.count))
            case .string(let box):
                return box.withBytes { bytes in
                    var count = 0
                    for byte in bytes where byte & 0xC0 != 0x80 { count += 1 }
                    return .int(Int64(count))
                }
            default: throw BuiltinFailure.type(1, "one of {array, object, set, string}", x[0])
            }
        }
        table.add("sum") { _, x throws(BuiltinFailure) in
            let numbers = try numbers(x)
            return .number(try supported { () throws(SupportError) in try Number.sum(numbers) })
        }
        table.add("product") { _, x throws(BuiltinFailure) in
            let numbers = try numbers(x)
            return .number(try supported { () throws(SupportError) in try Number.product(numbers) })
        }
        table.add("max") { _, x throws(BuiltinFailure) in
            if case .set(let box) = x[0] { return box.items.last ?? .undefined }
            let items = try x.items(0)
            return items.max { $0.compare($1) < 0 } ?? .undefined
        }
        table.add("min") { _, x throws(BuiltinFailure) in
            let items = try x.items(0)
            return items.min { $0.compare($1) < 0 } ?? .undefined
        }
        table.add("sort") { context, x throws(BuiltinFailure) in
            if case .set(let box) = x[0] { return .array(box.items) }
            let items = try x.items(0)
            try context.reserve(items.count * 16)
            return .array(items.sorted { $0.compare($1) < 0 })
        }
        table.add("union") { context, x throws(BuiltinFailure) in
            var items: [Value] = []
            for item in try x.set(0).items {
                guard case .set(let box) = item else { throw setOfSets(x[0], item) }
                try context.reserve(box.count * 16)
                items.append(contentsOf: box.items)
            }
            return .set(SetBox(unsorted: items))
        }
        table.add("intersection") { _, x throws(BuiltinFailure) in
            var result: [Value]?
            for item in try x.set(0).items {
                guard case .set(let box) = item else { throw setOfSets(x[0], item) }
                result = result.map { $0.filter { box.contains($0) } } ?? box.items
            }
            return .set(SetBox(sorted: result ?? []))
        }
    }

    private static func setOfSets(_ value: Value, _ item: Value) -> BuiltinFailure {
        BuiltinFailure(kind: .type, message: "operand 1 must be set of sets but got set containing \(item.typeName)")
    }

    private static func numbers(_ x: Operands) throws(BuiltinFailure) -> [Number] {
        var result: [Number] = []
        for item in try x.items(0) {
            guard let number = item.asNumber else {
                throw BuiltinFailure(
                    kind: .type,
                    message: "operand 1 must be \(x[0].typeName) of numbers but got \(x[0].typeName) containing "
                        + item.typeName)
            }
            result.append(number)
        }
        return result
    }
}
