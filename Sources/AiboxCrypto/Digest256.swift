/// 32 bytes: a SHA-256 digest or a MAC, without an allocation.
public struct Digest256: Sendable, Hashable {
    // Four words in memory order; only ever seen as bytes.
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    public static let count = 32

    /// 32 zero bytes.
    public init() {}

    /// The first 32 bytes of `bytes`, or nil if there are not exactly 32.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.count else { return nil }
        withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
    }

    /// From 64 lower-case hexadecimal digits; nil for anything else.
    public init?(hex: UnsafeRawBufferPointer) {
        guard hex.count == Self.count * 2 else { return nil }
        let valid = withUnsafeMutableBytes { Hex.decode(hex, into: $0) }
        if !valid { return nil }
    }

    /// From 64 lower-case hexadecimal digits; nil for anything else.
    public init?(hex: String) {
        var hex = hex
        guard let value = hex.withUTF8({ Digest256(hex: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = value
    }

    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
    public var hex: String { withUnsafeBytes { Hex.encode($0) } }

    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try Swift.withUnsafeBytes(of: words, body)
    }

    public mutating func withUnsafeMutableBytes<Result>(
        _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try Swift.withUnsafeMutableBytes(of: &words, body)
    }

    public static func == (left: Digest256, right: Digest256) -> Bool { left.words == right.words }

    public func hash(into hasher: inout Hasher) { withUnsafeBytes { hasher.combine(bytes: $0) } }
}

extension Digest256: CustomStringConvertible {
    public var description: String { hex }
}
