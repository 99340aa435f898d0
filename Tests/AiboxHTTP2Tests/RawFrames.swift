import AiboxHTTP2

/// Frames as a server may write them (RFC 9113, section 4.1), right or wrong.
enum RawFrame {
    static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let head: [UInt8] = Array(number(UInt32(payload.count)).dropFirst()) + [type, flags]
        return head + number(stream) + payload
    }

    static func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 0xff) } }

    /// HPACK without indexing and without Huffman's code (RFC 7541, section 6.2.2).
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { name, value -> [UInt8] in
            var bytes: [UInt8] = [0]
            for text in [name, value] { bytes += length(text) + Array(text.utf8) }
            return bytes
        }
    }

    private static func length(_ text: String) -> [UInt8] {
        var rest = text.utf8.count
        if rest < 127 { return [UInt8(rest)] }
        var bytes: [UInt8] = [127]
        rest -= 127
        while rest >= 128 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static let settings = frame(4)
    static func head(_ stream: UInt32, _ fields: [(String, String)], ends: Bool = false) -> [UInt8] {
        frame(1, flags: ends ? 5 : 4, stream: stream, block(fields))
    }
    static func data(_ stream: UInt32, _ bytes: [UInt8], ends: Bool = false) -> [UInt8] {
        frame(0, flags: ends ? 1 : 0, stream: stream, bytes)
    }
    static func reset(_ stream: UInt32, _ code: UInt32) -> [UInt8] { frame(3, stream: stream, number(code)) }
    static func goAway(last: UInt32, _ code: UInt32) -> [UInt8] { frame(7, number(last) + number(code)) }
    static let ping = frame(6, [UInt8](repeating: 7, count: 8))
}

extension HTTP2ClientSession {
    func receive(
        _ bytes: [UInt8], at now: ContinuousClock.Instant = .now
    ) throws(HTTP2Fault) -> [HTTP2Event] {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: bytes)
        return try receive(UnsafeRawBufferPointer(copy), at: now)
    }

    /// A request without a body that has gone out.
    func request() throws(HTTP2Fault) -> HTTP2StreamID {
        let stream = try open(
            [
                HTTP2Field(":method", "GET"), HTTP2Field(":scheme", "http"), HTTP2Field(":path", "/"),
                HTTP2Field(":authority", "localhost"),
            ], endsStream: true)
        _ = output()
        return stream
    }
}
