/// An IPv4 address.
public struct IPv4: Sendable, Hashable, CustomStringConvertible {
    /// In host byte order: 10.200.1.1 is 0x0AC80101.
    public let value: UInt32

    public init(value: UInt32) { self.value = value }

    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        value = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    /// Four decimal numbers without leading zeros; nothing of inet_aton(3)'s older spellings.
    public init?(_ text: some StringProtocol) {
        var value: UInt32 = 0
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        for part in parts {
            guard let number = UInt8(part), String(number) == part else { return nil }
            value = value << 8 | UInt32(number)
        }
        self.value = value
    }

    public static let loopback = IPv4(127, 0, 0, 1)

    /// In network byte order.
    public var bytes: [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }

    public var description: String { bytes.map { String($0) }.joined(separator: ".") }
}
