import AiboxNetwork
import AiboxSystem
import CLinux
import Glibc
import Synchronization

/// The access log of one Squid: a named pipe that the gateway reads.
final class SquidLog: Sendable {
    let descriptor: Descriptor
    private let framer = Mutex(LineFramer(limit: 64 << 10))

    /// Makes the pipe, which Squid opens by its name.
    init(_ path: String, account: ChildProcess.Account?) throws(AiboxError) {
        try retrying("cannot make \(path)") { mkfifo(path, 0o600) }
        // Open both ways, so that it never ends and nobody waits for the other side.
        descriptor = Descriptor(
            try retrying("cannot open \(path)") { open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW) })
        if let account {
            try retrying("cannot give \(path) to Squid") { fchown(descriptor.number, account.user, account.group) }
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
