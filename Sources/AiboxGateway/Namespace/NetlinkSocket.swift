import AiboxSystem
import CLinux
import Glibc

/// Sends rtnetlink requests and waits for the kernel's verdict on each. It stays in the network namespace in which it was
/// made.
final class NetlinkSocket {
    private let descriptor: Descriptor
    private var sequence: UInt32 = 0

    init() throws(AiboxError) {
        let result = aibox_netlink_open(AIBOX_NETLINK_ROUTE, 5000)
        if result < 0 { throw .system("cannot speak with the kernel's network side", errno: result) }
        descriptor = Descriptor(result)
    }

    /// - Parameter what: what the request does, for the error.
    func send(_ message: NetlinkMessage, _ what: String) throws(AiboxError) {
        sequence += 1
        let bytes = message.bytes(sequence: sequence)
        let wanted = sequence
        try retrying("cannot \(what)") { Glibc.send(descriptor.number, bytes, bytes.count, 0) }
        var room = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = try retrying("cannot \(what)") { recv(descriptor.number, &room, room.count, 0) }
            if let verdict = NetlinkReply.verdict(room[..<count], sequence: wanted) {
                if verdict != 0 { throw .system("cannot \(what)", errno: verdict) }
                return
            }
        }
    }
}
