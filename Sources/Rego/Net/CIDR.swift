/// A block of addresses, for the `net.cidr_*` built-ins.
struct CIDR: Hashable, Sendable {
    /// The first address.
    let first: IPAddress
    let prefixLength: Int

    /// `address/length`; the bits behind the length are dropped. Throws "invalid CIDR address: x".
    init(_ text: String) throws(SupportError) {
        let bytes = Array(text.utf8)
        guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")), let address = CIDR.address(bytes[..<slash]) else {
            throw CIDR.invalid(text)
        }
        let digits = bytes[(slash + 1)...]
        guard !digits.isEmpty, digits.count <= 7, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            throw CIDR.invalid(text)
        }
        let length = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard length <= address.width else { throw CIDR.invalid(text) }
        self.init(address.value, width: address.width, length: length)
    }

    private init(_ value: UInt128, width: Int, length: Int) {
        let rest = width - length
        let network = rest >= 128 ? 0 : (value >> UInt128(rest)) << UInt128(rest)
        first = IPAddress(value: network, isV4: width == 32)
        // ::ffff:a.b.c.d/n is an IPv4 block.
        prefixLength = first.width == width ? length : length - 96
    }

    /// As written, without the reading of mapped addresses as IPv4.
    private static func address(_ bytes: ArraySlice<UInt8>) -> (value: UInt128, width: Int)? {
        guard let address = IPAddress(bytes) else { return nil }
        if !bytes.contains(UInt8(ascii: ":")) { return (address.value, 32) }
        return (address.isV4 ? address.value | 0xFFFF << 32 : address.value, 128)
    }

    private static func invalid(_ text: String) -> SupportError { .invalid("invalid CIDR address: \(text)") }

    var text: String { "\(first.text)/\(prefixLength)" }

    var last: IPAddress {
        let rest = first.width - prefixLength
        let mask = rest >= 128 ? UInt128.max : (UInt128(1) << UInt128(rest)) - 1
        return IPAddress(value: first.value | mask, isV4: first.isV4)
    }

    func contains(_ address: IPAddress) -> Bool {
        address.isV4 == first.isV4 && address.value >= first.value && address.value <= last.value
    }
}

extension CIDR {
    static func isValid(_ text: String) -> Bool { (try? CIDR(text)) != nil }

    /// Whether the block holds an address or a whole other block.
    static func contains(_ block: String, _ other: String) throws(SupportError) -> Bool {
        let block = try CIDR(block)
        if let address = IPAddress(other.utf8) { return block.contains(address) }
        guard let other = try? CIDR(other) else {
            throw .invalid("not a valid textual representation of an IP address or CIDR: \(other)")
        }
        return block.contains(other.first) && block.contains(other.last)
    }

    static func intersects(_ left: String, _ right: String) throws(SupportError) -> Bool {
        let (left, right) = (try CIDR(left), try CIDR(right))
        return left.contains(right.first) || right.contains(left.first)
    }

    /// Every address of the block; throws when there are more than `limit`.
    static func expand(_ text: String, limit: Int = 1 << 20) throws(SupportError) -> [String] {
        let block = try CIDR(text)
        let rest = block.first.width - block.prefixLength
        guard rest < 40, 1 << rest <= limit else {
            throw .limit("block has more than \(limit) addresses")
        }
        return (0..<(UInt128(1) << UInt128(rest))).map {
            IPAddress(value: block.first.value + $0, isV4: block.first.isV4).text
        }
    }

    /// The fewest blocks that hold the same addresses; plain IPv4 addresses take the length of their old class, as in OPA.
    static func merge(_ texts: [String]) throws(SupportError) -> [String] {
        var blocks: [CIDR] = []
        for text in texts {
            guard let address = IPAddress(text.utf8) else {
                blocks.append(try CIDR(text))
                continue
            }
            guard !text.utf8.contains(UInt8(ascii: ":")) else { throw .invalid("IPv6 invalid: needs prefix length") }
            let length: Int
            switch address.value >> 24 {
            case ..<128: length = 8
            case ..<192: length = 16
            case ..<224: length = 24
            default: length = 32
            }
            blocks.append(CIDR(address.value, width: 32, length: length))
        }
        blocks.sort { $0.first != $1.first ? $0.first < $1.first : $0.prefixLength < $1.prefixLength }
        var result: [CIDR] = []
        for block in blocks {
            if let last = result.last, last.contains(block.first) { continue }
            result.append(block)
            // Two halves make a whole, which may be a half again.
            while result.count > 1, let whole = join(result[result.count - 2], result[result.count - 1]) {
                result.removeLast(2)
                result.append(whole)
            }
        }
        return result.map(\.text)
    }

    private static func join(_ left: CIDR, _ right: CIDR) -> CIDR? {
        guard left.first.isV4 == right.first.isV4, left.prefixLength == right.prefixLength, left.prefixLength > 0,
            left.last.value != UInt128.max, left.last.value + 1 == right.first.value
        else { return nil }
        let whole = CIDR(left.first.value, width: left.first.width, length: left.prefixLength - 1)
        return whole.first == left.first && whole.contains(right.last) ? whole : nil
    }
}
