/// An integer of any size: sign and 64-bit limbs, least significant first.
///
/// Operations cost what schoolbook arithmetic costs; `Number` keeps sizes bounded by `Number.maxDigits`.
struct BigInt: Hashable, Sendable {
    /// No leading zero limb; empty for zero.
    private(set) var limbs: [UInt]
    private(set) var isNegative: Bool

    static let zero = BigInt(limbs: [], negative: false)
    static let one = BigInt(limbs: [1], negative: false)

    init(limbs: [UInt], negative: Bool) {
        var limbs = limbs
        while let last = limbs.last, last == 0 { limbs.removeLast() }
        self.isNegative = negative && !limbs.isEmpty
        self.limbs = limbs
    }

    init(_ value: Int64) {
        self.init(limbs: [UInt(value.magnitude)], negative: value < 0)
    }

    init(_ value: Int) {
        self.init(limbs: [value.magnitude], negative: value < 0)
    }

    init(_ value: UInt64) {
        self.init(limbs: [UInt(value)], negative: false)
    }

    init(_ value: UInt128) {
        self.init(limbs: [UInt(truncatingIfNeeded: value), UInt(truncatingIfNeeded: value >> 64)], negative: false)
    }

    var isZero: Bool { limbs.isEmpty }

    /// The value when it fits.
    var int64: Int64? {
        guard limbs.count <= 1 else { return nil }
        let magnitude = limbs.first ?? 0
        if isNegative { return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: ~magnitude &+ 1) : nil }
        return magnitude < 1 << 63 ? Int64(magnitude) : nil
    }

    /// Bits of the magnitude: 0 for 0, 3 for 7 and -7.
    var bitWidth: Int {
        guard let last = limbs.last else { return 0 }
        return limbs.count * 64 - last.leadingZeroBitCount
    }

    var magnitude: BigInt { BigInt(limbs: limbs, negative: false) }
}

extension BigInt: Comparable {
    static func < (left: BigInt, right: BigInt) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative }
        let order = compareMagnitude(left.limbs, right.limbs)
        return left.isNegative ? order > 0 : order < 0
    }

    static func compareMagnitude(_ left: [UInt], _ right: [UInt]) -> Int {
        if left.count != right.count { return left.count < right.count ? -1 : 1 }
        var index = left.count - 1
        while index >= 0 {
            if left[index] != right[index] { return left[index] < right[index] ? -1 : 1 }
            index -= 1
        }
        return 0
    }
}

extension BigInt {
    static prefix func - (value: BigInt) -> BigInt { BigInt(limbs: value.limbs, negative: !value.isNegative) }

    static func + (left: BigInt, right: BigInt) -> BigInt {
        if left.isNegative == right.isNegative {
            return BigInt(limbs: addMagnitude(left.limbs, right.limbs), negative: left.isNegative)
        }
        let order = compareMagnitude(left.limbs, right.limbs)
        if order == 0 { return .zero }
        return order > 0
            ? BigInt(limbs: subtractMagnitude(left.limbs, right.limbs), negative: left.isNegative)
            : BigInt(limbs: subtractMagnitude(right.limbs, left.limbs), negative: right.isNegative)
    }

    static func - (left: BigInt, right: BigInt) -> BigInt { left + (-right) }

    static func * (left: BigInt, right: BigInt) -> BigInt {
        if left.isZero || right.isZero { return .zero }
        var product = [UInt](repeating: 0, count: left.limbs.count + right.limbs.count)
        for (offset, factor) in left.limbs.enumerated() {
            var carry: UInt = 0
            for (index, limb) in right.limbs.enumerated() {
                let (high, low) = factor.multipliedFullWidth(by: limb)
                let (sum, overflow) = low.addingReportingOverflow(carry)
                let (total, overflow2) = sum.addingReportingOverflow(product[offset + index])
                product[offset + index] = total
                // high is at most 2^64 - 2, and both overflows together only when there is room for them
                carry = high &+ (overflow ? 1 : 0) &+ (overflow2 ? 1 : 0)
            }
            product[offset + right.limbs.count] = carry
        }
        return BigInt(limbs: product, negative: left.isNegative != right.isNegative)
    }

    static func addMagnitude(_ left: [UInt], _ right: [UInt]) -> [UInt] {
        let (long, short) = left.count >= right.count ? (left, right) : (right, left)
        var result = long
        var carry = false
        for index in 0..<long.count {
            if index >= short.count, !carry { break }
            let (sum, overflow) = long[index].addingReportingOverflow(index < short.count ? short[index] : 0)
            let (total, overflow2) = sum.addingReportingOverflow(carry ? 1 : 0)
            result[index] = total
            carry = overflow || overflow2
        }
        if carry { result.append(1) }
        return result
    }

    /// `left` must not be smaller than `right`.
    static func subtractMagnitude(_ left: [UInt], _ right: [UInt]) -> [UInt] {
        var result = left
        var borrow = false
        for index in 0..<left.count {
            if index >= right.count, !borrow { break }
            let (difference, overflow) = left[index].subtractingReportingOverflow(
                index < right.count ? right[index] : 0)
            let (total, overflow2) = difference.subtractingReportingOverflow(borrow ? 1 : 0)
            result[index] = total
            borrow = overflow || overflow2
        }
        return result
    }
}
