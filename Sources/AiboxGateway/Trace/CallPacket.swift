import AiboxWire

/// A call as a packet like gVisor's: the gateway reads, paces and writes both kinds in one way (`TraceMessage`).
enum CallPacket {
    static func execve(_ words: CallerWords, pid: Int32?, user: UInt32?, folder: [UInt8]) -> [UInt8] {
        var context = ProtobufMessage()
        if let pid { context.append(4, number: UInt64(UInt32(bitPattern: pid))) }
        if let user {
            var credentials = ProtobufMessage()
            credentials.append(2, number: UInt64(user))
            context.append(7, credentials.bytes)
        }
        context.append(8, folder)
        var message = ProtobufMessage()
        message.append(1, context.bytes)
        message.append(2, words.path)
        for word in words.words { message.append(3, word) }
        // Beyond what is kept, words are counted only.
        for _ in 0..<words.more { message.append(3, []) }
        return header(3) + message.bytes
    }

    /// Nothing but the count of what was dropped.
    static let count = header(0)

    /// The packet with the number of calls before it of which no packet tells.
    static func numbered(_ packet: [UInt8], dropped: UInt32) -> [UInt8] {
        var packet = packet
        for index in 0..<4 { packet[4 + index] = UInt8(truncatingIfNeeded: dropped >> (8 * UInt32(index))) }
        return packet
    }

    private static func header(_ kind: UInt8) -> [UInt8] { [8, 0, kind, 0, 0, 0, 0, 0] }
}
