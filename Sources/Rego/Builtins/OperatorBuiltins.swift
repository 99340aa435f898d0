extension Builtins {
    static func addOperators(_ table: inout BuiltinTable) {
        table.add("equal") { _, x throws(BuiltinFailure) in .bool(x[0].equals(x[1])) }
        table.add("neq") { _, x throws(BuiltinFailure) in .bool(!x[0].equals(x[1])) }
        table.add("lt") { _, x throws(BuiltinFailure) in .bool(x[0].compare(x[1]) < 0) }
        table.add("lte") { _, x throws(BuiltinFailure) in .bool(x[0].compare(x[1]) <= 0) }
        table.add("gt") { _, x throws(BuiltinFailure) in .bool(x[0].compare(x[1]) > 0) }
        table.add("gte") { _, x throws(BuiltinFailure) in .bool(x[0].compare(x[1]) >= 0) }
        table.copy("equal", to: "eq")
        table.copy("equal", to: "assign")
        table.add("plus") { _, x throws(BuiltinFailure) in
            if case .int(let a) = x[0], case .int(let b) = x[1] {
                let (sum, overflow) = a.addingReportingOverflow(b)
                if !overflow { return .int(sum) }
            }
            let (a, b) = (try x.number(0), try x.number(1))
            return .number(try supported { () throws(SupportError) in try Number.add(a, b) })
        }
        table.add("minus") { context, x throws(BuiltinFailure) in
            if case .int(let a) = x[0], case .int(let b) = x[1] {
                let (difference, overflow) = a.subtractingReportingOverflow(b)
                if !overflow { return .int(difference) }
            }
            if case .set(let first) = x[0] {
                let second = try x.set(1)
                try context.reserve(first.count * 16)
                return .set(SetBox(sorted: first.items.filter { !second.contains($0) }))
            }
            guard let a = x[0].asNumber else { throw BuiltinFailure.type(1, "one of {number, set}", x[0]) }
            let b = try x.number(1)
            return .number(try supported { () throws(SupportError) in try Number.sub(a, b) })
        }
        table.add("mul") { _, x throws(BuiltinFailure) in
            if case .int(let a) = x[0], case .int(let b) = x[1] {
                let (product, overflow) = a.multipliedReportingOverflow(by: b)
                if !overflow { return .int(product) }
            }
            let (a, b) = (try x.number(0), try x.number(1))
            return .number(try supported { () throws(SupportError) in try Number.mul(a, b) })
        }
        table.add("div") { _, x throws(BuiltinFailure) in
            let (a, b) = (try x.number(0), try x.number(1))
            do throws(SupportError) {
                return .number(try Number.div(a, b))
            } catch {
                throw BuiltinFailure(error)
            }
        }
        table.add("rem") { _, x throws(BuiltinFailure) in
            let (a, b) = (try x.number(0), try x.number(1))
            return .number(try supported { () throws(SupportError) in try Number.rem(a, b) })
        }
        table.add("and") { context, x throws(BuiltinFailure) in
            let (first, second) = (try x.set(0), try x.set(1))
            try context.reserve(min(first.count, second.count) * 16)
            return .set(SetBox(sorted: first.items.filter { second.contains($0) }))
        }
        table.add("or") { context, x throws(BuiltinFailure) in
            let (first, second) = (try x.set(0), try x.set(1))
            try context.reserve((first.count + second.count) * 16)
            return .set(SetBox(unsorted: first.items + second.items))
        }
        table.add("internal.member_2") { _, x throws(BuiltinFailure) in .bool(member(x[0], x[1])) }
        table.add("internal.member_3") { _, x throws(BuiltinFailure) in
            switch x[2] {
            case .array, .object, .set: .bool(x[2].lookup(x[0]).equals(x[1]))
            default: .bool(false)
            }
        }
    }

    @inline(__always)
    static func member(_ item: Value, _ collection: Value) -> Bool {
        switch collection {
        case .array(let items):
            for index in 0..<items.count where items[index].equals(item) { return true }
            return false
        case .set(let box): return box.contains(item)
        case .object(let box):
            for index in 0..<box.count where box.values[index].equals(item) { return true }
            return false
        default: return false
        }
    }
}
