/// A listening TCP socket as the kernel lists it in `/proc/net/tcp` (proc_pid_net(5)).
public struct ListeningSocket: Sendable, Equatable {
    /// The user whose process made it.
    public var user: UInt32
    /// Its number in the kernel: a process that has it open shows `socket:[NUMBER]` among its descriptors.
    public var inode: UInt64

    /// Finds the one that listens on an IPv4 address and port.
    ///
    /// - Parameter table: the text of `/proc/net/tcp`, whose addresses are words in this machine's byte order.
    public static func find(_ address: IPAddress, _ port: UInt16, in table: String) -> ListeningSocket? {
        guard case .v4(let value) = address else { return nil }
        let wanted = "\(hex(UInt32(bigEndian: value), 8)):\(hex(UInt32(port), 4))"
        for line in table.split(separator: "\n").dropFirst() {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            // 0A: TCP_LISTEN.
            guard words.count >= 10, words[1] == wanted, words[3] == "0A", let user = UInt32(words[7]),
                let inode = UInt64(words[9])
            else { continue }
            return ListeningSocket(user: user, inode: inode)
        }
        return nil
    }

    private static func hex(_ value: UInt32, _ width: Int) -> String {
        let text = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
