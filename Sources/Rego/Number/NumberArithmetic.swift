/// Arithmetic as OPA does it: exact between integers, otherwise floats with a 64-bit mantissa.
extension Number {
    static func add(_ left: Number, _ right: Number) throws(SupportError) -> Number {
        if case .int(let a) = left, case .int(let b) = right {
            let (sum, overflow) = a.addingReportingOverflow(b)
            if !overflow { return .int(sum) }
        }
        if let (a, b) = integers(left, right) { return Number(a + b) }
        return try Number(left.bigFloat() + right.bigFloat())
    }

    static func sub(_ left: Number, _ right: Number) throws(SupportError) -> Number {
        if case .int(let a) = left, case .int(let b) = right {
            let (difference, overflow) = a.subtractingReportingOverflow(b)
            if !overflow { return .int(difference) }
        }
        if let (a, b) = integers(left, right) { return Number(a - b) }
        return try Number(left.bigFloat() - right.bigFloat())
    }

    static func mul(_ left: Number, _ right: Number) throws(SupportError) -> Number {
        if case .int(let a) = left, case .int(let b) = right {
            let (product, overflow) = a.multipliedReportingOverflow(by: b)
            if !overflow { return .int(product) }
        }
        if let (a, b) = integers(left, right) { return try checked(a, times: b) }
        return try Number(left.bigFloat() * right.bigFloat())
    }

    static func div(_ left: Number, _ right: Number) throws(SupportError) -> Number {
        if case .int(let a) = left, case .int(let b) = right, b != 0, a != Int64.min {
            let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
            // A float quotient of 0 keeps the sign, an integer cannot.
            if rest == 0, a != 0 || b > 0 { return .int(quotient) }
        }
        guard let quotient = try left.bigFloat() / right.bigFloat() else { throw .invalid("divide by zero") }
        return try Number(quotient)
    }

    static func rem(_ left: Number, _ right: Number) throws(SupportError) -> Number {
        guard left.isInteger, right.isInteger else { throw .invalid("modulo on floating-point number") }
        if case .int(let a) = left, case .int(let b) = right, b != 0, b != -1 { return .int(a % b) }
        guard let (a, b) = integers(left, right) else { throw .limit("number too big") }
        guard let (_, remainder) = a.quotientAndRemainder(dividingBy: b) else { throw .invalid("modulo by zero") }
        return Number(remainder)
    }

    func abs() throws(SupportError) -> Number {
        if case .int(let value) = self { return Number(BigInt(value).magnitude) }
        if let small = int64 { return Number(BigInt(small).magnitude) }
        var float = try bigFloat()
        float.isNegative = false
        return try Number(float)
    }

    /// OPA's ceil, which makes 1 of every value in (-1, 1) that is no integer, negative ones too.
    func ceil() throws(SupportError) -> Number {
        if case .int = self { return self }
        let whole = try bigFloat().truncated()
        let isWhole = try bigFloat().isInteger
        return Number(whole.isNegative || isWhole ? whole : whole + .one)
    }

    /// OPA's floor, which makes 0 of every value in (-1, 0).
    func floor() throws(SupportError) -> Number {
        if case .int = self { return self }
        let whole = try bigFloat().truncated()
        let isWhole = try bigFloat().isInteger
        return Number(!whole.isNegative || isWhole ? whole : whole - .one)
    }

    /// Halves away from zero.
    func round() throws(SupportError) -> Number {
        if case .int = self { return self }
        let float = try bigFloat()
        let half = BigFloat(isNegative: float.isNegative, mantissa: 1 << 63, exponent: -64)
        return try Number((float + half).truncated())
    }

    static func sum(_ numbers: some Sequence<Number>) throws(SupportError) -> Number {
        var exact = Number.int(0)
        var float: BigFloat?
        for number in numbers {
            if let sum = float {
                float = try sum + number.bigFloat()
            } else if number.isInteger {
                exact = try add(exact, number)
            } else {
                float = try exact.bigFloat() + number.bigFloat()
            }
        }
        guard let float else { return exact }
        return try Number(float)
    }

    /// The product; with a fraction among the factors, in 53 bits.
    static func product(_ numbers: some Sequence<Number>) throws(SupportError) -> Number {
        let numbers = Array(numbers)
        if numbers.allSatisfy(\.isInteger) {
            var exact = Number.int(1)
            for number in numbers { exact = try mul(exact, number) }
            return exact
        }
        var float = BigFloat(rounding: 1, sticky: false, exponent: 0, negative: false, precision: 53)
        for number in numbers {
            float = try float * number.bigFloat()
            guard float.exponent.magnitude <= UInt(BigFloat.maxExponent) else { throw .limit("number too big") }
        }
        return try Number(float)
    }

    private static func integers(_ left: Number, _ right: Number) -> (BigInt, BigInt)? {
        guard let a = left.bigInt, let b = right.bigInt else { return nil }
        return (a, b)
    }

    private static func checked(_ left: BigInt, times right: BigInt) throws(SupportError) -> Number {
        // 3.33 bits a digit
        guard left.bitWidth + right.bitWidth <= maxDigits * 10 / 3 else { throw .limit("number too big") }
        return Number(left * right)
    }
}
