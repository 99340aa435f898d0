import AiboxNetwork
import AiboxSystem
import Glibc
import Synchronization

/// The access log of one Squid: a pipe that the gateway reads.
final class SquidLog: Sendable {
    let descriptor: Descriptor
    /// For Squid; to be closed here once it has it.
    let writer: Descriptor
    private let framer = Mutex(LineFramer(limit: 64 << 10))

    init(account: ChildProcess.Account?) throws(AiboxError) {
        let pipe = try Pipe()
        (descriptor, writer) = (pipe.read, pipe.write)
        descriptor.setNonBlocking()
        // Squid opens it anew, by its name below /proc.
        if let account {
            try retrying("cannot give Squid its log") { fchown(writer.number, account.user, account.group) }
        }
    }

    /// The lines that are there.
    func read() -> [SquidLogLine] {
        var lines: [SquidLogLine] = []
        var room = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor.number, &room, room.count)
            if count <= 0 { return lines }
            let complete = framer.withLock { framer -> [[UInt8]] in
                do { return try framer.feed(room.prefix(count)) } catch {
                    framer = LineFramer(limit: 64 << 10)
                    return []
                }
            }
            lines += complete.compactMap { try? SquidLogLine($0[...]) }
        }
    }
}
