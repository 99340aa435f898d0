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
        guard let base = bytes.baseAddress else { return .done }
        let smallest = MemoryLayout<nlmsghdr>.size
        var offset = 0
        // Not libmnl's own walk: it takes a length of 2^32 - 1 for a message, and stays there for ever.
        while bytes.count - offset >= smallest {
            let header = (base + offset).assumingMemoryBound(to: nlmsghdr.self)
            let message = header.pointee
            let length = Int(message.nlmsg_len)
            guard (smallest...(bytes.count - offset)).contains(length) else { return .failed(-EBADMSG) }
            if message.nlmsg_seq == sequence {
                if Int32(message.nlmsg_flags) & NLM_F_DUMP_INTR != 0 { return .interrupted }
                if Int32(message.nlmsg_type) == NLMSG_DONE { return .done }
                if Int32(message.nlmsg_type) == NLMSG_ERROR { return failure(header) }
                body(header)
            }
            offset += (length + 3) & ~3
        }
        return .more
    }

    private static func failure(_ header: UnsafePointer<nlmsghdr>) -> Outcome {
        let start = MemoryLayout<nlmsghdr>.size
        guard Int(header.pointee.nlmsg_len) >= start + MemoryLayout<Int32>.size else { return .failed(-EBADMSG) }
        let number = UnsafeRawPointer(header).loadUnaligned(fromByteOffset: start, as: Int32.self)
        return number == 0 ? .done : .failed(number)
    }
}
