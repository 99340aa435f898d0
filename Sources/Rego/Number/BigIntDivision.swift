extension BigInt {
    /// Quotient rounded toward zero and the remainder with the dividend's sign; nil when dividing by zero.
    func quotientAndRemainder(dividingBy divisor: BigInt) -> (quotient: BigInt, remainder: BigInt)? {
        if divisor.isZero { return nil }
        if BigInt.compareMagnitude(limbs, divisor.limbs) < 0 { return (.zero, self) }
        let (quotient, remainder): ([UInt], [UInt])
        if divisor.limbs.count == 1 {
            var limbs = self.limbs
            let rest = BigInt.divideInPlace(&limbs, by: divisor.limbs[0])
            (quotient, remainder) = (limbs, [rest])
        } else {
            (quotient, remainder) = BigInt.divide(limbs, by: divisor.limbs)
        }
        return (
            BigInt(limbs: quotient, negative: isNegative != divisor.isNegative),
            BigInt(limbs: remainder, negative: isNegative)
        )
    }

    /// Divides the magnitude in place and returns the remainder. `divisor` must not be 0.
    static func divideInPlace(_ limbs: inout [UInt], by divisor: UInt) -> UInt {
        var rest: UInt = 0
        var index = limbs.count - 1
        while index >= 0 {
            // rest < divisor, so the quotient fits
            (limbs[index], rest) = divisor.dividingFullWidth((rest, limbs[index]))
            index -= 1
        }
        return rest
    }

    /// Knuth's algorithm D (The Art of Computer Programming 2, 4.3.1) for a divisor of two limbs or more.
    private static func divide(_ dividend: [UInt], by divisor: [UInt]) -> ([UInt], [UInt]) {
        let shift = divisor[divisor.count - 1].leadingZeroBitCount
        let v = shiftLeft(divisor, shift, extend: false)
        var u = shiftLeft(dividend, shift, extend: true)
        let n = v.count
        let m = u.count - n - 1
        var quotient = [UInt](repeating: 0, count: m + 1)
        var j = m
        while j >= 0 {
            var guess: UInt
            var rest: UInt
            var restOverflow = false
            if u[j + n] >= v[n - 1] {
                guess = UInt.max
                (rest, restOverflow) = u[j + n - 1].addingReportingOverflow(v[n - 1])
                if u[j + n] > v[n - 1] { restOverflow = true }
            } else {
                (guess, rest) = v[n - 1].dividingFullWidth((u[j + n], u[j + n - 1]))
            }
            while !restOverflow {
                let (high, low) = guess.multipliedFullWidth(by: v[n - 2])
                guard high > rest || (high == rest && low > u[j + n - 2]) else { break }
                guess &-= 1
                (rest, restOverflow) = rest.addingReportingOverflow(v[n - 1])
            }
            var borrow: UInt = 0
            var carry: UInt = 0
            for index in 0..<n {
                let (high, low) = guess.multipliedFullWidth(by: v[index])
                let (product, overflow) = low.addingReportingOverflow(carry)
                carry = high &+ (overflow ? 1 : 0)
                let (difference, under) = u[j + index].subtractingReportingOverflow(product)
                let (total, under2) = difference.subtractingReportingOverflow(borrow)
                u[j + index] = total
                borrow = (under ? 1 : 0) &+ (under2 ? 1 : 0)
            }
            let (difference, under) = u[j + n].subtractingReportingOverflow(carry)
            let (total, under2) = difference.subtractingReportingOverflow(borrow)
            u[j + n] = total
            if under || under2 {
                guess &-= 1
                var carry: UInt = 0
                for index in 0..<n {
                    let (sum, overflow) = u[j + index].addingReportingOverflow(v[index])
                    let (total, overflow2) = sum.addingReportingOverflow(carry)
                    u[j + index] = total
                    carry = (overflow ? 1 : 0) &+ (overflow2 ? 1 : 0)
                }
                u[j + n] &+= carry
            }
            quotient[j] = guess
            j -= 1
        }
        u.removeLast()
        return (quotient, shiftRight(u, shift))
    }

    private static func shiftLeft(_ limbs: [UInt], _ shift: Int, extend: Bool) -> [UInt] {
        var result = limbs
        var carry: UInt = 0
        if shift > 0 {
            for index in 0..<limbs.count {
                result[index] = limbs[index] << UInt(shift) | carry
                carry = limbs[index] >> UInt(64 - shift)
            }
        }
        if extend { result.append(carry) }
        return result
    }

    private static func shiftRight(_ limbs: [UInt], _ shift: Int) -> [UInt] {
        guard shift > 0 else { return limbs }
        var result = limbs
        for index in 0..<limbs.count {
            let high = index + 1 < limbs.count ? limbs[index + 1] << UInt(64 - shift) : 0
            result[index] = limbs[index] >> UInt(shift) | high
        }
        return result
    }
}
