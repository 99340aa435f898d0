/// An IPv4 or IPv6 address; IPv6 forms of IPv4 addresses count as IPv4, as in Go's `net`.
struct IPAddress: Hashable, Comparable, Sendable {
    /// The bits, the last one lowest.
    let value: UInt128
    let isV4: Bool

    var width: Int { isV4 ? 32 : 128 }

    init(value: UInt128, isV4: Bool) {
        if !isV4, value >> 32 == 0xFFFF {
            self.value = value & 0xFFFF_FFFF
            self.isV4 = true
        } else {
            self.value = value
            self.isV4 = isV4
        }
    }

    /// Dotted or colon form (RFC 4291, section 2.2), without zone and without leading zeros in dotted numbers.
    init?(_ text: some Collection<UInt8>) {
        let bytes = Array(text)
        guard bytes.count <= 45 else { return nil }
        if bytes.contains(UInt8(ascii: ":")) {
            guard let value = IPAddress.v6(bytes) else { return nil }
            self.init(value: value, isV4: false)
        } else {
            guard let value = IPAddress.v4(bytes[...]) else { return nil }
            self.init(value: UInt128(value), isV4: true)
        }
    }

    static func < (left: IPAddress, right: IPAddress) -> Bool {
        left.isV4 != right.isV4 ? left.isV4 : left.value < right.value
    }

    /// RFC 5952 for IPv6.
    var text: String {
        if isV4 {
            return [24, 16, 8, 0].map { String(UInt8(truncatingIfNeeded: value >> $0)) }.joined(separator: ".")
        }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: value >> (112 - 16 * UInt128($0))) }
        // The first of the longest runs of two or more zeros is left out.
        var gap = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(gap.count, 1) { gap = start..<end }
            start = end + 1
        }
        func join(_ range: Range<Int>) -> String {
            range.map { String(groups[$0], radix: 16) }.joined(separator: ":")
        }
        return gap.isEmpty ? join(0..<8) : "\(join(0..<gap.lowerBound))::\(join(gap.upperBound..<8))"
    }

    private static func v4(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard part.count == 1 || (part.count <= 3 && part.first != UInt8(ascii: "0")) else { return nil }
            var number: UInt32 = 0
            for byte in part {
                guard let digit = BigInt.digit(byte), digit < 10 else { return nil }
                number = number * 10 + UInt32(digit)
            }
            if number > 255 { return nil }
            value = value << 8 | number
        }
        return value
    }

    private static func v6(_ text: [UInt8]) -> UInt128? {
        var head: [UInt16] = []
        var tail: [UInt16] = []
        var sawGap = false
        var rest = text[...]
        let colon = UInt8(ascii: ":")
        if rest.starts(with: [colon, colon]) {
            sawGap = true
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let part = rest.prefix { $0 != colon }
            if part.contains(UInt8(ascii: ".")) {
                guard part.endIndex == rest.endIndex, let value = v4(part) else { return nil }
                let groups = [UInt16(truncatingIfNeeded: value >> 16), UInt16(truncatingIfNeeded: value)]
                if sawGap { tail += groups } else { head += groups }
                break
            }
            guard (1...4).contains(part.count) else { return nil }
            var group: UInt16 = 0
            for byte in part {
                guard let digit = BigInt.digit(byte), digit < 16 else { return nil }
                group = group << 4 | UInt16(digit)
            }
            if sawGap { tail.append(group) } else { head.append(group) }
            rest = rest.dropFirst(part.count)
            if rest.isEmpty { break }
            rest = rest.dropFirst()
            if rest.first == colon {
                if sawGap { return nil }
                sawGap = true
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        let missing = 8 - head.count - tail.count
        guard sawGap ? missing >= 1 : missing == 0 else { return nil }
        let groups = head + repeatElement(0, count: missing) + tail
        return groups.reduce(UInt128(0)) { $0 << 16 | UInt128($1) }
    }
}
