extension Builtins {
    static func addNumbers(_ table: inout BuiltinTable) {
        func unary(
            _ name: String, _ body: @escaping @Sendable (Number) throws(SupportError) -> Number
        ) {
            table.add(name) { _, x throws(BuiltinFailure) in
                let number = try x.number(0)
                return .number(try supported { () throws(SupportError) in try body(number) })
            }
        }
        unary("abs") { number throws(SupportError) in try number.abs() }
        unary("ceil") { number throws(SupportError) in try number.ceil() }
        unary("floor") { number throws(SupportError) in try number.floor() }
        unary("round") { number throws(SupportError) in try number.round() }
        unary("bits.negate") { number throws(SupportError) in try Number.bitsNegate(number) }
        func binary(
            _ name: String, _ body: @escaping @Sendable (Number, Number) throws(SupportError) -> Number
        ) {
            table.add(name) { _, x throws(BuiltinFailure) in
                let (first, second) = (try x.number(0), try x.number(1))
                return .number(try supported { () throws(SupportError) in try body(first, second) })
            }
        }
        binary("bits.and") { a, b throws(SupportError) in try Number.bitsAnd(a, b) }
        binary("bits.or") { a, b throws(SupportError) in try Number.bitsOr(a, b) }
        binary("bits.xor") { a, b throws(SupportError) in try Number.bitsXor(a, b) }
        binary("bits.lsh") { a, b throws(SupportError) in try Number.bitsShiftLeft(a, b) }
        binary("bits.rsh") { a, b throws(SupportError) in try Number.bitsShiftRight(a, b) }
        table.add("format_int") { _, x throws(BuiltinFailure) in
            let number = try x.number(0)
            let base = try x.number(1)
            guard let radix = base.int64, [2, 8, 10, 16].contains(radix) else {
                throw BuiltinFailure(kind: .type, message: "operand 2 must be one of {2, 8, 10, 16}")
            }
            return .string(try supported { () throws(SupportError) in try number.format(base: Int(radix)) })
        }
        table.add("to_number") { _, x throws(BuiltinFailure) in
            switch x[0] {
            case .null, .bool(false): return .int(0)
            case .bool(true): return .int(1)
            case .int, .number: return x[0]
            case .string(let box):
                let text = box.string
                return .number(try supported { () throws(SupportError) in try Number.toNumber(text) })
            default: throw BuiltinFailure.type(1, "one of {null, boolean, number, string}", x[0])
            }
        }
    }
}
