/// The `bits.*` built-ins.
extension Number {
    static func bitsAnd(_ left: Number, _ right: Number) throws(SupportError) -> Number {
        if case .int(let a) = left, case .int(let b) = right { return .int(a & b) }
        return try Number(left.bitOperand(1) & right.bitOperand(2))
    }

    static func bitsOr(_ left: Number, _ right: Number) throws(SupportError) -> Number {
        if case .int(let a) = left, case .int(let b) = right { return .int(a | b) }
        return try Number(left.bitOperand(1) | right.bitOperand(2))
    }

    static func bitsXor(_ left: Number, _ right: Number) throws(SupportError) -> Number {
        if case .int(let a) = left, case .int(let b) = right { return .int(a ^ b) }
        return try Number(left.bitOperand(1) ^ right.bitOperand(2))
    }

    static func bitsNegate(_ value: Number) throws(SupportError) -> Number { try Number(~value.bitOperand(1)) }

    static func bitsShiftLeft(_ value: Number, _ count: Number) throws(SupportError) -> Number {
        let operand = try value.bitOperand(1)
        let shift = try count.shiftOperand()
        guard let shift, operand.bitWidth + shift <= maxDigits * 10 / 3 else {
            if operand.isZero { return .int(0) }
            throw .limit("shift by \(count) bits is too large")
        }
        return try Number(operand.shiftedLeft(shift))
    }

    static func bitsShiftRight(_ value: Number, _ count: Number) throws(SupportError) -> Number {
        let operand = try value.bitOperand(1)
        return try Number(operand.shiftedRight(count.shiftOperand() ?? Int.max))
    }

    private func bitOperand(_ position: Int) throws(SupportError) -> BigInt {
        if case .int(let value) = self { return BigInt(value) }
        guard isInteger else {
            throw .type("operand \(position) must be integer number but got floating-point number")
        }
        guard let value = bigInt else { throw .limit("number too big") }
        return value
    }

    /// nil for a count beyond `Int`.
    private func shiftOperand() throws(SupportError) -> Int? {
        let count = try bitOperand(2)
        if count.isNegative {
            throw .type("operand 2 must be an unsigned integer number but got a negative integer")
        }
        return count.int64.map(Int.init)
    }
}
