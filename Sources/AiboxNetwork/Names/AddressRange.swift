/// A CIDR block.
public struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    /// The lowest address.
    public let base: IPAddress
    /// Leading bits that are fixed: 0 ... 32 or 0 ... 128.
    public let prefix: Int

    /// `10.0.0.0/8`, `fd00::/8`; a bare address is a block of one. Nil for bits set beyond the prefix.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let base = IPAddress(String(parts[0])) else { return nil }
        var prefix = base.width
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy(\.isASCIIDigit), let number = Int(parts[1]), number <= base.width else {
                return nil
            }
            prefix = number
        }
        self.init(base: base, prefix: prefix)
        guard self.base == base else { return nil }
    }

    /// The block of `prefix` bits that `base` lies in.
    public init(base: IPAddress, prefix: Int) {
        self.prefix = min(max(prefix, 0), base.width)
        self.base = base.masked(self.prefix)
    }

    public func contains(_ address: IPAddress) -> Bool {
        address.width == base.width && address.masked(prefix) == base
    }

    public func contains(_ other: AddressRange) -> Bool { other.prefix >= prefix && contains(other.base) }

    /// What is left of this block without `others`, as the fewest blocks, in order of address.
    public func subtracting(_ others: [AddressRange]) -> [AddressRange] {
        if others.contains(where: { $0.contains(self) }) { return [] }
        let inside = others.filter { contains($0) }
        if inside.isEmpty { return [self] }
        return halves.flatMap { $0.subtracting(inside) }
    }

    private var halves: [AddressRange] {
        let upper: IPAddress =
            switch base {
            case .v4(let value): .v4(value | 1 << UInt32(31 - prefix))
            case .v6(let value): .v6(value | 1 << UInt128(127 - prefix))
            }
        return [AddressRange(base: base, prefix: prefix + 1), AddressRange(base: upper, prefix: prefix + 1)]
    }

    public var description: String { "\(base)/\(prefix)" }
}

extension IPAddress {
    /// Bits of the address: 32 or 128.
    var width: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    func masked(_ prefix: Int) -> IPAddress {
        switch self {
        case .v4(let value): .v4(prefix == 0 ? 0 : value & UInt32.max << UInt32(32 - prefix))
        case .v6(let value): .v6(prefix == 0 ? 0 : value & UInt128.max << UInt128(128 - prefix))
        }
    }
}
