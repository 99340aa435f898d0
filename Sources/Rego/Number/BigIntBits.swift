/// Bit operations on the infinite two's complement form, as Go's `math/big` defines them.
extension BigInt {
    static let maxShift = 1 << 20

    /// `self * 2^count`. Throws over `maxShift` bits.
    func shiftedLeft(_ count: Int) throws(SupportError) -> BigInt {
        guard count >= 0, count <= BigInt.maxShift else { throw .limit("shift by \(count) bits is too large") }
        return shiftedLeftUnchecked(count)
    }

    func shiftedLeftUnchecked(_ count: Int) -> BigInt {
        if isZero || count == 0 { return self }
        var result = [UInt](repeating: 0, count: count / 64)
        result.reserveCapacity(count / 64 + limbs.count + 1)
        let shift = UInt(count % 64)
        if shift == 0 {
            result += limbs
        } else {
            var carry: UInt = 0
            for limb in limbs {
                result.append(limb << shift | carry)
                carry = limb >> (64 - shift)
            }
            result.append(carry)
        }
        return BigInt(limbs: result, negative: isNegative)
    }

    /// `floor(self / 2^count)`; a negative count does nothing.
    func shiftedRight(_ count: Int) -> BigInt {
        guard count > 0, !isZero else { return self }
        if isNegative { return ~((~self).shiftedRight(count)) }
        let skip = count / 64
        guard skip < limbs.count else { return .zero }
        let shift = UInt(count % 64)
        var result: [UInt] = []
        result.reserveCapacity(limbs.count - skip)
        for index in skip..<limbs.count {
            let high = shift > 0 && index + 1 < limbs.count ? limbs[index + 1] << (64 - shift) : 0
            result.append(limbs[index] >> shift | high)
        }
        return BigInt(limbs: result, negative: false)
    }

    static prefix func ~ (value: BigInt) -> BigInt { -value - .one }

    static func & (left: BigInt, right: BigInt) -> BigInt { combine(left, right) { $0 & $1 } }
    static func | (left: BigInt, right: BigInt) -> BigInt { combine(left, right) { $0 | $1 } }
    static func ^ (left: BigInt, right: BigInt) -> BigInt { combine(left, right) { $0 ^ $1 } }

    private static func combine(_ left: BigInt, _ right: BigInt, _ operation: (UInt, UInt) -> UInt) -> BigInt {
        let count = max(left.limbs.count, right.limbs.count) + 1
        let a = left.twosComplement(count)
        let b = right.twosComplement(count)
        var result = [UInt](repeating: 0, count: count)
        for index in 0..<count { result[index] = operation(a[index], b[index]) }
        let negative = result[count - 1] >> 63 == 1
        if negative { negateInPlace(&result) }
        return BigInt(limbs: result, negative: negative)
    }

    private func twosComplement(_ count: Int) -> [UInt] {
        var result = limbs
        result += [UInt](repeating: 0, count: count - limbs.count)
        if isNegative { BigInt.negateInPlace(&result) }
        return result
    }

    private static func negateInPlace(_ limbs: inout [UInt]) {
        var carry = true
        for index in 0..<limbs.count {
            let (sum, overflow) = (~limbs[index]).addingReportingOverflow(carry ? 1 : 0)
            limbs[index] = sum
            carry = overflow
        }
    }
}
