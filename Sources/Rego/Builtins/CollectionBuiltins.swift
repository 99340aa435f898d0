extension Builtins {
    static func addCollections(_ table: inout BuiltinTable) {
        table.add("array.concat") { context, x throws(BuiltinFailure) in
            let (first, second) = (try x.array(0), try x.array(1))
            try context.reserve((first.count + second.count) * 16)
            return .array(first + second)
        }
        table.add("array.flatten") { context, x throws(BuiltinFailure) in
            var result: [Value] = []
            for item in try x.array(0) {
                if case .array(let inner) = item {
                    result.append(contentsOf: inner)
                } else {
                    result.append(item)
                }
            }
            try context.reserve(result.count * 16)
            return .array(result)
        }
        table.add("array.reverse") { _, x throws(BuiltinFailure) in .array(Array(try x.array(0).reversed())) }
        table.add("array.slice") { _, x throws(BuiltinFailure) in
            let items = try x.array(0)
            let start = max(0, min(items.count, try x.integer(1)))
            let stop = max(0, min(items.count, try x.integer(2)))
            return .array(start < stop ? Array(items[start..<stop]) : [])
        }
        table.add("numbers.range") { context, x throws(BuiltinFailure) in
            let (first, last) = (try bigInteger(x, 0), try bigInteger(x, 1))
            return try range(first, last, BigInt(1 as Int64), context)
        }
        table.add("numbers.range_step") { context, x throws(BuiltinFailure) in
            let (first, last, step) = (try bigInteger(x, 0), try bigInteger(x, 1), try bigInteger(x, 2))
            if step.isNegative || step.isZero {
                throw BuiltinFailure.invalid("numbers.range_step: step must be a positive integer")
            }
            return try range(first, last, step, context)
        }
    }

    private static func bigInteger(_ x: Operands, _ index: Int) throws(BuiltinFailure) -> BigInt {
        let number = try x.number(index)
        if let value = number.bigInt { return value }
        throw BuiltinFailure(
            kind: .type, message: "operand \(index + 1) must be integer number but got floating-point number")
    }

    private static func range(
        _ first: BigInt, _ last: BigInt, _ step: BigInt, _ context: Context
    ) throws(BuiltinFailure) -> Value {
        var result: [Value] = []
        let up = first <= last
        if let a = first.int64, let b = last.int64, let s = step.int64 {
            var at = a
            while up ? at <= b : at >= b {
                guard context.step() else { return .undefined }
                try context.reserve(16)
                result.append(.int(at))
                let (next, overflow) = up ? at.addingReportingOverflow(s) : at.subtractingReportingOverflow(s)
                if overflow { break }
                at = next
            }
            return .array(result)
        }
        var at = first
        while up ? at <= last : at >= last {
            guard context.step() else { return .undefined }
            try context.reserve(64)
            result.append(.number(Number(at)))
            at = up ? at + step : at - step
        }
        return .array(result)
    }
}
