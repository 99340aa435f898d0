import CLinux
import Glibc

/// Stream sockets with a name in a private folder, whatever the length of its path.
public enum UnixSocket {
    /// Listens on `folder/name`, mode 0600. Non-blocking.
    public static func listen(folder: String, name: String, backlog: Int32 = 64) throws(AiboxError) -> Descriptor {
        let result = aibox_unix_listen(folder, name, backlog)
        if result < 0 { throw .system("cannot listen on \(folder)/\(name)", errno: result) }
        return Descriptor(result)
    }

    /// The same for packets (SOCK_SEQPACKET).
    public static func listenForPackets(folder: String, name: String) throws(AiboxError) -> Descriptor {
        let result = aibox_unix_listen_packets(folder, name, 4)
        if result < 0 { throw .system("cannot listen on \(folder)/\(name)", errno: result) }
        return Descriptor(result)
    }

    /// Connects; sending and receiving give up (EAGAIN) after `timeout`. Nil if nobody listens there.
    public static func connect(folder: String, name: String, timeout: Duration) throws(AiboxError) -> Descriptor? {
        let result = aibox_unix_connect(folder, name, timeout.milliseconds)
        if result == -ENOENT || result == -ECONNREFUSED { return nil }
        if result < 0 { throw .system("cannot connect to \(folder)/\(name)", errno: result) }
        return Descriptor(result)
    }
}
