import CNftnl
import Glibc

/// Walks the netlink messages of one datagram.
enum NftnlMessages {
    enum Outcome: Equatable {
        /// The dump goes on in the next datagram.
        case more
        case done
        /// The ruleset changed while it was dumped: what came is no picture of it.
        case interrupted
        /// The kernel's error number, negative.
        case failed(Int32)
    }

    /// Hands every message that answers the request on.
    ///
    /// - Parameters:
    ///   - bytes: aligned to eight bytes.
    ///   - sequence: the request's number; messages with another are somebody else's.
    static func read(
        _ bytes: UnsafeRawBufferPointer, sequence: UInt32, _ body: (UnsafePointer<nlmsghdr>) -> Void
    ) -> Outcome {
        guard var header = bytes.baseAddress?.assumingMemoryBound(to: nlmsghdr.self) else { return .done }
        var left = Int32(clamping: bytes.count)
        while mnl_nlmsg_ok(header, left) {
            let message = header.pointee
            if message.nlmsg_seq == sequence {
                if Int32(message.nlmsg_flags) & NLM_F_DUMP_INTR != 0 { return .interrupted }
                if Int32(message.nlmsg_type) == NLMSG_DONE { return .done }
                if Int32(message.nlmsg_type) == NLMSG_ERROR { return failure(header) }
                body(header)
            }
            header = UnsafePointer(mnl_nlmsg_next(header, &left))
        }
        return .more
    }

    private static func failure(_ header: UnsafePointer<nlmsghdr>) -> Outcome {
        guard Int(header.pointee.nlmsg_len) >= MemoryLayout<nlmsghdr>.size + MemoryLayout<Int32>.size,
            let payload = mnl_nlmsg_get_payload(header)
        else { return .failed(-EIO) }
        let number = payload.loadUnaligned(as: Int32.self)
        return number == 0 ? .done : .failed(number)
    }
}
