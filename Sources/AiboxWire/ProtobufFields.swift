/// The fields of a message in protobuf's wire format, one after the other (protobuf.dev/programming-guides/encoding).
///
/// The bytes come from outside: nothing is copied before it is asked for, and no length is believed.
public struct ProtobufFields: Sendable {
    public enum Value: Sendable, Equatable {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    public struct Malformed: Error {
        public init() {}
    }

    private let bytes: ArraySlice<UInt8>
    private var position: Int

    public init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The next field; nil at the end.
    public mutating func next() throws(Malformed) -> (number: UInt64, value: Value)? {
        if position == bytes.endIndex { return nil }
        let key = try varint()
        let number = key >> 3
        if number == 0 { throw Malformed() }
        switch key & 7 {
        case 0: return (number, .number(try varint()))
        case 1: return (number, .number(try fixed(8)))
        case 2:
            let count = try varint()
            if count > UInt64(bytes.endIndex - position) { throw Malformed() }
            defer { position += Int(count) }
            return (number, .bytes(bytes[position..<position + Int(count)]))
        case 5: return (number, .number(try fixed(4)))
        default: throw Malformed()
        }
    }

    private mutating func varint() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            if position == bytes.endIndex { throw Malformed() }
            let byte = bytes[position]
            position += 1
            // Of the tenth byte one bit is left.
            if shift == 63, byte > 1 { throw Malformed() }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw Malformed()
    }

    private mutating func fixed(_ count: Int) throws(Malformed) -> UInt64 {
        if bytes.endIndex - position < count { throw Malformed() }
        defer { position += count }
        return bytes[position..<position + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
