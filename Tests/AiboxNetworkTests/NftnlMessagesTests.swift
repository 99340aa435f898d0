import CNftnl
import Testing

@testable import AiboxNetwork

@Suite("Netlink datagrams are walked to their end, whatever they hold")
struct NftnlMessagesTests {
    /// One message: length, type, flags, sequence, port, payload.
    private static func message(_ length: UInt32, _ type: UInt16, _ flags: UInt16 = 0, _ payload: [UInt8] = [])
        -> [UInt8]
    {
        func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
        return bytes(length) + bytes(type) + bytes(flags) + bytes(UInt32(7)) + bytes(UInt32(0)) + payload
    }

    static let datagrams: [(what: String, bytes: [UInt8], outcome: NftnlMessages.Outcome, messages: Int)] = [
        ("nothing", [], .more, 0), ("half a header", [1, 2, 3], .more, 0),
        ("an object, the dump goes on", message(20, 0x0A00, 2, [1, 2, 3, 4]), .more, 1),
        ("an object and the end", message(16, 0x0A00) + message(20, 3, 2, [0, 0, 0, 0]), .done, 1),
        ("an error", message(20, 2, 0, [0xFF, 0xFF, 0xFF, 0xFF]), .failed(-1), 0),
        ("an acknowledgement", message(20, 2, 0, [0, 0, 0, 0]), .done, 0),
        ("an error without its number", message(16, 2), .failed(-74), 0),
        ("a dump that was interrupted", message(16, 0x0A00, 0x10), .interrupted, 0),
        ("a length of 2^32 - 1", message(.max, 0x0A00), .failed(-74), 0),
        ("a length of 2^31", message(1 << 31, 0x0A00), .failed(-74), 0),
        ("a length of 0", message(0, 0x0A00), .failed(-74), 0),
        ("a length beyond the datagram", message(17, 0x0A00), .failed(-74), 0),
    ]

    @Test("datagrams", arguments: datagrams)
    func read(what: String, bytes: [UInt8], outcome: NftnlMessages.Outcome, messages: Int) {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
        defer { room.deallocate() }
        room.copyBytes(from: bytes)
        var count = 0
        let found = NftnlMessages.read(UnsafeRawBufferPointer(room), sequence: 7) { _ in count += 1 }
        // A buffer of no bytes may have no address, which is the end of a dump.
        #expect(found == outcome || bytes.isEmpty && found == .done, "\(what)")
        #expect(count == messages, "\(what)")
    }
}
