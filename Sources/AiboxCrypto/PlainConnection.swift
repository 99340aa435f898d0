import AiboxSystem
import Glibc

/// A connection without TLS to a server on this machine, blocking, with a limit on every wait.
final class PlainConnection {
    private let socket: Descriptor
    private let name: String

    /// - Throws: also if the name leads anywhere but to a loopback address.
    init(host: String, port: UInt16, timeout: Duration) throws(AiboxError) {
        name = "\(host):\(port)"
        let what = "cannot connect to \(name)"
        socket = try TLSConnection.connected(host, port, timeout, what)
        guard Self.isLoopback(socket) else {
            throw AiboxError(.failed, what, why: "without TLS nothing is sent to another machine")
        }
    }

    private static func isLoopback(_ socket: Descriptor) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(socket.number, $0, &length) } == 0
                && pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { four in
                    Int32(four.pointee.sin_family) == AF_INET
                        && UInt32(bigEndian: four.pointee.sin_addr.s_addr) >> 24 == 127
                }
        }
    }

    func write(_ bytes: [UInt8]) throws(AiboxError) {
        var sent = 0
        while sent < bytes.count {
            sent += try retrying("cannot send to \(name)") {
                bytes.withUnsafeBytes {
                    send(socket.number, $0.baseAddress.map { $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
                }
            }
        }
    }

    /// The bytes that come next; none at the end.
    func read() throws(AiboxError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = recv(socket.number, &bytes, bytes.count, 0)
        if count >= 0 { return Array(bytes.prefix(count)) }
        if errno == EAGAIN { throw AiboxError(.failed, "cannot hear from \(name)", why: "it is silent") }
        throw .system("cannot hear from \(name)", errno: errno)
    }
}
