/// Quantities with units: `units.parse` (`10K`, `2Mi`, `100m`) and `units.parse_bytes` (`10KB`, `2MiB`).
enum Units {
    /// Larger exponents are refused.
    private static let maxExponent = 40_000

    /// Exact; a fraction comes out with ten decimals.
    static func parse(_ text: String) throws(SupportError) -> Number {
        let name = "units.parse: "
        let (amount, unit) = try split(text, name, what: "amount")
        // Only the first letter keeps its case: m is milli, M is mega.
        let key = String(unit.prefix(1)) + GoText.lower(String(unit.dropFirst()))
        let isMilli = key == "m"
        guard let factor = isMilli ? 1 : factor(GoText.lower(key)) else {
            throw .invalid("\(name)unit \(key) not recognized")
        }
        guard let head = BigInt(digits: amount.digits) else {
            throw .invalid("\(name)could not parse amount to a number")
        }
        let exponent = amount.exponent - (isMilli ? 3 : 0)
        let scaled = head * BigInt(factor)
        let value: Number
        if exponent >= 0 {
            value = Number(scaled * BigInt.power(10, exponent))
        } else {
            value = rounded(scaled, exponent: exponent)
        }
        guard amount.isNegative else { return value }
        return value.int64 == 0 ? value : Number(json: "-\(value.text)") ?? value
    }

    /// Whole bytes, the rest cut off.
    static func parseBytes(_ text: String) throws(SupportError) -> Number {
        let name = "units.parse_bytes: "
        let (amount, unit) = try split(text, name, what: "byte amount")
        var key = GoText.lower(unit)
        let full = key
        if key.utf8.count > 1, key.utf8.last == UInt8(ascii: "b") { key.removeLast() }
        guard let factor = factor(key) else { throw .invalid("\(name)byte unit \(full) not recognized") }
        let float = try BigFloat(digits: amount.digits, exponent: amount.exponent, negative: amount.isNegative)
        return try Number((float * BigFloat(Int64(factor))).truncated())
    }

    private struct Amount {
        var isNegative = false
        /// ASCII digits; the value is their number times 10^exponent.
        var digits: [UInt8] = []
        var exponent = 0
    }

    private static func split(
        _ text: String, _ name: String, what: String
    ) throws(SupportError) -> (Amount, String) {
        let bytes = text.utf8.filter { $0 != UInt8(ascii: "\"") }
        if bytes.contains(UInt8(ascii: " ")) { throw .invalid("\(name)spaces not allowed in resource strings") }
        var amount = Amount()
        var position = 0
        func isDigit(_ index: Int) -> Bool {
            index < bytes.count && bytes[index] >= UInt8(ascii: "0") && bytes[index] <= UInt8(ascii: "9")
        }
        func isSign(_ index: Int) -> Bool {
            index < bytes.count && (bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+"))
        }
        if isSign(0) {
            amount.isNegative = bytes[0] == UInt8(ascii: "-")
            position = 1
        }
        var points = 0
        var signs = 0
        while isDigit(position) || isSign(position)
            || (position < bytes.count && bytes[position] == UInt8(ascii: "."))
        {
            if bytes[position] == UInt8(ascii: ".") {
                points += 1
            } else if isSign(position) {
                signs += 1
            } else {
                amount.digits.append(bytes[position])
                if points > 0 { amount.exponent -= 1 }
            }
            position += 1
        }
        if points == 0, amount.digits.isEmpty { throw .invalid("\(name)no \(what) provided") }
        // `1e` is one exa, `1e3` a thousand.
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e"),
            isDigit(position + 1) || (isSign(position + 1) && isDigit(position + 2))
        {
            position += 1
            let isNegative = bytes[position] == UInt8(ascii: "-")
            if isSign(position) { position += 1 }
            var exponent = 0
            while isDigit(position) {
                if exponent < 1_000_000 { exponent = exponent * 10 + Int(bytes[position] - UInt8(ascii: "0")) }
                position += 1
            }
            if exponent > maxExponent { throw .invalid("\(name)exponent too large") }
            amount.exponent += isNegative ? -exponent : exponent
        }
        guard points <= 1, signs == 0, !amount.digits.isEmpty else {
            throw .invalid("\(name)could not parse \(what) to a number")
        }
        guard amount.digits.count <= 10_000 else { throw .limit("\(name)number too big") }
        return (amount, String(decoding: bytes[position...], as: UTF8.self))
    }

    /// Multipliers by lower-case unit.
    private static func factor(_ unit: String) -> Int? {
        switch unit {
        case "": 1
        case "k": 1000
        case "m": 1_000_000
        case "g": 1_000_000_000
        case "t": 1_000_000_000_000
        case "p": 1_000_000_000_000_000
        case "e": 1_000_000_000_000_000_000
        case "ki": 1 << 10
        case "mi": 1 << 20
        case "gi": 1 << 30
        case "ti": 1 << 40
        case "pi": 1 << 50
        case "ei": 1 << 60
        default: nil
        }
    }

    /// `value * 10^exponent` for a negative exponent: an integer, or ten decimals rounded half up.
    private static func rounded(_ value: BigInt, exponent: Int) -> Number {
        let divisor = BigInt.power(10, -exponent)
        guard let (whole, rest) = value.quotientAndRemainder(dividingBy: divisor) else { return .int(0) }
        if rest.isZero { return Number(whole) }
        let doubled = value * BigInt(20_000_000_000) + divisor
        guard let (tens, _) = doubled.quotientAndRemainder(dividingBy: divisor * BigInt(2)) else { return .int(0) }
        var digits = tens.asciiDigits(signed: false)
        if digits.count < 11 { digits = repeatElement(UInt8(ascii: "0"), count: 11 - digits.count) + digits }
        digits.insert(UInt8(ascii: "."), at: digits.count - 10)
        return Number(json: String(decoding: digits, as: UTF8.self)) ?? .int(0)
    }
}
