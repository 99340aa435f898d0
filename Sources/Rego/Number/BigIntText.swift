extension BigInt: CustomStringConvertible {
    /// Reads an optional sign and at least one decimal digit; nil for anything else.
    init?(decimal text: String) {
        var bytes = Array(text.utf8)
        var negative = false
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            negative = first == UInt8(ascii: "-")
            bytes.removeFirst()
        }
        guard let magnitude = BigInt(digits: bytes) else { return nil }
        self.init(limbs: magnitude.limbs, negative: negative)
    }

    /// Reads ASCII digits of a base between 2 and 36; nil for none or a wrong one.
    init?(digits: some Sequence<UInt8>, base: Int = 10) {
        guard (2...36).contains(base) else { return nil }
        let (chunkDigits, _) = BigInt.chunk(base)
        var limbs: [UInt] = []
        var pending: UInt = 0
        var pendingDigits = 0
        var scale: UInt = 1
        var seen = false
        for byte in digits {
            guard let digit = BigInt.digit(byte), digit < base else { return nil }
            seen = true
            pending = pending * UInt(base) + UInt(digit)
            scale *= UInt(base)
            pendingDigits += 1
            if pendingDigits == chunkDigits {
                BigInt.multiplyAdd(&limbs, by: scale, plus: pending)
                (pending, pendingDigits, scale) = (0, 0, 1)
            }
        }
        guard seen else { return nil }
        if pendingDigits > 0 { BigInt.multiplyAdd(&limbs, by: scale, plus: pending) }
        self.init(limbs: limbs, negative: false)
    }

    var description: String { text() }

    /// The digits in a base between 2 and 36, with `-` in front of negative ones.
    func text(base: Int = 10, uppercase: Bool = false) -> String {
        String(decoding: asciiDigits(base: base, uppercase: uppercase, signed: true), as: UTF8.self)
    }

    func asciiDigits(base: Int = 10, uppercase: Bool = false, signed: Bool) -> [UInt8] {
        guard !isZero, (2...36).contains(base) else { return [UInt8(ascii: "0")] }
        let letters = (uppercase ? UInt8(ascii: "A") : UInt8(ascii: "a")) - 10
        let (chunkDigits, chunk) = BigInt.chunk(base)
        var rest = limbs
        var reversed: [UInt8] = []
        while !rest.isEmpty {
            var part = BigInt.divideInPlace(&rest, by: chunk)
            while let last = rest.last, last == 0 { rest.removeLast() }
            var count = 0
            // Inner chunks are padded with zeros; the leading one is not.
            while part > 0 || (!rest.isEmpty && count < chunkDigits) {
                let digit = UInt8(truncatingIfNeeded: part % UInt(base))
                reversed.append(digit < 10 ? digit + UInt8(ascii: "0") : digit + letters)
                part /= UInt(base)
                count += 1
            }
        }
        if signed, isNegative { reversed.append(UInt8(ascii: "-")) }
        reversed.reverse()
        return reversed
    }

    static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    /// How many digits of `base` fit a limb, and `base` to that power.
    private static func chunk(_ base: Int) -> (digits: Int, value: UInt) {
        if base == 10 { return (19, 10_000_000_000_000_000_000) }
        var digits = 0
        var value: UInt = 1
        while true {
            let (next, overflow) = value.multipliedReportingOverflow(by: UInt(base))
            if overflow { return (digits, value) }
            (digits, value) = (digits + 1, next)
        }
    }

    private static func multiplyAdd(_ limbs: inout [UInt], by factor: UInt, plus addend: UInt) {
        var carry = addend
        for index in 0..<limbs.count {
            let (high, low) = limbs[index].multipliedFullWidth(by: factor)
            let (sum, overflow) = low.addingReportingOverflow(carry)
            limbs[index] = sum
            carry = high &+ (overflow ? 1 : 0)
        }
        if carry > 0 { limbs.append(carry) }
    }

    static func power(_ base: UInt, _ exponent: Int) -> BigInt {
        var result = BigInt.one
        var square = BigInt(limbs: [base], negative: false)
        var rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result = result * square }
            rest >>= 1
            if rest > 0 { square = square * square }
        }
        return result
    }
}
