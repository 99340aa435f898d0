import CLinux
import Glibc

/// One end of a pair of sockets between two processes of aibox: whole messages, in order.
public final class PacketSocket: Sendable {
    public let descriptor: Descriptor

    public init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    public static func pair() throws(AiboxError) -> (PacketSocket, PacketSocket) {
        var pair: [Int32] = [-1, -1]
        let result = aibox_packet_pair(&pair)
        if result < 0 { throw .system("cannot make a socket pair", errno: result) }
        return (PacketSocket(Descriptor(pair[0])), PacketSocket(Descriptor(pair[1])))
    }

    public func send(_ bytes: [UInt8]) throws(AiboxError) {
        let result = aibox_send_descriptors(descriptor.number, bytes, bytes.count, [], 0)
        if result < 0 { throw .system("cannot send a message", errno: result) }
    }

    /// The other side reads the end from now on; what it says is still heard.
    public func endSending() { _ = shutdown(descriptor.number, Int32(SHUT_WR)) }

    /// The next message.
    ///
    /// - Returns: nil once the other side is gone.
    public func receive(limit: Int) throws(AiboxError) -> [UInt8]? {
        // Room for what there is: as much as the longest message may have would have to be had, and cleared, each time.
        let next = aibox_await_message(descriptor.number)
        let size = max(1, min(limit, next))
        var room = [UInt8](repeating: 0, count: size)
        var descriptors: [Int32] = [-1]
        var count: Int32 = 0
        let length = aibox_receive_descriptors(descriptor.number, &room, size, &descriptors, &count)
        if length < 0 {
            if -length == ECONNRESET { return nil }
            throw .system("cannot receive a message", errno: Int32(length))
        }
        return length == 0 ? nil : Array(room[..<length])
    }
}
