/// A message in protobuf's wire format that is being written (protobuf.dev/programming-guides/encoding).
public struct ProtobufMessage: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// A string, bytes, or a message inside: they look the same.
    public mutating func append(_ number: UInt64, _ value: some Collection<UInt8>) {
        varint(number << 3 | 2)
        varint(UInt64(value.count))
        bytes += value
    }

    public mutating func append(_ number: UInt64, _ text: String) { append(number, text.utf8) }

    /// A number (uint64, int32 and kin).
    public mutating func append(_ field: UInt64, number: UInt64) {
        varint(field << 3)
        varint(number)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
