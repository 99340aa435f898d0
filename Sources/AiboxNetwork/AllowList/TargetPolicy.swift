/// Which addresses an allowed name may resolve to.
///
/// Everything that is not a public unicast address is refused: loopback, private, link-local (and with
/// it the cloud metadata services), shared, multicast, documentation, reserved ranges (IANA special
/// purpose registries, RFC 6890), and IPv6 forms that carry such an IPv4 address. The organisation can
/// name blocks that are reachable all the same.
public struct TargetPolicy: Sendable, Equatable {
    /// Blocks that the organisation opened.
    public var exceptions: [AddressRange]
    /// The host's own addresses: refused whatever block they lie in; only a block of that one address opens one.
    public var hostAddresses: [IPAddress]

    public init(exceptions: [AddressRange] = [], hostAddresses: [IPAddress] = []) {
        self.exceptions = exceptions
        self.hostAddresses = hostAddresses
    }

    /// Why `address` is refused, in words, or nil if it may be reached.
    public func refusal(of address: IPAddress) -> String? {
        let address = address.unmapped
        if closedHostAddresses.contains(address) { return "\(address) is this machine" }
        if exceptions.contains(where: { $0.contains(address) }) { return nil }
        if let embedded = address.wellKnownNAT64 {
            if closedHostAddresses.contains(.v4(embedded)) { return "\(address) is this machine" }
            return TargetPolicy(exceptions: exceptions).refusal(of: .v4(embedded))
        }
        if let special = Self.special.first(where: { $0.range.contains(address) }) {
            return "\(address) is \(special.meaning) (\(special.range))"
        }
        if case .v6 = address, !Self.globalUnicast.contains(address) {
            return "\(address) is not a public address"
        }
        return nil
    }

    /// The same rule as a list of blocks, for programs that take one.
    ///
    /// Exceptions are cut out of the blocks instead of being allowed before them: a name that resolves
    /// to an opened address *and* to another private one is refused.
    public var refusedRanges: [AddressRange] {
        let own = closedHostAddresses.map { AddressRange(base: $0, prefix: $0.width) }
        let v4 = Self.special.map(\.range).filter { $0.base.width == 32 }.outermost
        let remaining = v4.flatMap { $0.subtracting(exceptions) }
        let translated = (remaining + own).compactMap(\.asWellKnownNAT64)
        let v6 = Self.special.map(\.range).filter { $0.base.width == 128 } + Self.unassigned
        return (remaining + v6.outermost.flatMap { $0.subtracting(exceptions) } + translated + own).outermost
    }

    private var closedHostAddresses: [IPAddress] {
        let opened = Set(exceptions.filter { $0.prefix == $0.base.width }.map(\.base))
        return hostAddresses.map(\.unmapped).filter { !opened.contains($0) }
    }

    private static let globalUnicast = AddressRange(base: .v6(0x2000 << 112), prefix: 3)

    /// IPv6 beside 2000::/3, as blocks. Left out are ::/16 and 64::/16, where mapped addresses (which
    /// programs such as Squid store all of IPv4 as) and NAT64 live: of these `special` names what is in use,
    /// and `refusal(of:)` refuses the rest as well.
    private static let unassigned: [AddressRange] =
        AddressRange(base: .v6(0), prefix: 3).subtracting([
            AddressRange(base: .v6(0), prefix: 16), AddressRange(base: .v6(0x64 << 112), prefix: 16),
        ]) + [AddressRange(base: .v6(0x4000 << 112), prefix: 2), AddressRange(base: .v6(0x8000 << 112), prefix: 1)]

    private static let special: [(range: AddressRange, meaning: String)] = [
        ("0.0.0.0/8", "an address of this host"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a shared (carrier) address"),
        ("127.0.0.0/8", "a loopback address"),
        ("168.63.129.16/32", "a cloud provider's metadata address"),
        ("169.254.0.0/16", "a link-local or metadata address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a protocol assignment"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::1/128", "a loopback address"),
        ("::/96", "an address of this host"),
        ("64:ff9b:1::/48", "a local translation address"),
        ("100::/64", "a discard address"),
        ("2001::/23", "a protocol assignment (Teredo among them)"),
        ("2001:db8::/32", "a documentation address"),
        ("2002::/16", "a 6to4 address"),
        ("3fff::/20", "a documentation address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
    ].compactMap { text, meaning in AddressRange(text).map { ($0, meaning) } }
}

extension IPAddress {
    /// 64:ff9b::/96 (RFC 6052): the one translation prefix behind which public hosts live.
    static let nat64Prefix = AddressRange(base: .v6(0x0064_ff9b << 96), prefix: 96)

    /// An IPv4-mapped address (::ffff:0:0/96, RFC 4291) as the IPv4 address that it is.
    public var unmapped: IPAddress {
        guard case .v6(let value) = self, value >> 32 == 0xffff else { return self }
        return .v4(UInt32(truncatingIfNeeded: value))
    }

    /// The IPv4 address behind 64:ff9b::/96.
    var wellKnownNAT64: UInt32? {
        guard case .v6(let value) = self, Self.nat64Prefix.contains(self) else { return nil }
        return UInt32(truncatingIfNeeded: value)
    }
}

extension AddressRange {
    fileprivate var asWellKnownNAT64: AddressRange? {
        guard case .v4(let value) = base, case .v6(let high) = IPAddress.nat64Prefix.base else { return nil }
        return AddressRange(base: .v6(high | UInt128(value)), prefix: 96 + prefix)
    }
}

extension [AddressRange] {
    /// Without blocks that lie in another, IPv4 first, by address.
    var outermost: [AddressRange] {
        var kept: [AddressRange] = []
        for range in Set(self).sorted(by: { ($0.base.width, $0.prefix) < ($1.base.width, $1.prefix) })
        where !kept.contains(where: { $0.contains(range) }) {
            kept.append(range)
        }
        return kept.sorted { left, right in
            left.base.width != right.base.width
                ? left.base.width < right.base.width : left.base.bytes.lexicographicallyPrecedes(right.base.bytes)
        }
    }
}
