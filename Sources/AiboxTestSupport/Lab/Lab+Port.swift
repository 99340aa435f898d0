public import AiboxSystem
import Glibc

extension Lab {
    /// A TCP port of 127.0.0.1 at which nobody listens, for servers that have to be told one.
    public static func freePort() throws(AiboxError) -> UInt16 {
        let socket = Descriptor(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket.number, $0, length) == 0 ? getsockname(socket.number, $0, &length) : -1
            }
        }
        if result != 0 { throw .system("there is no free port", errno: errno) }
        return UInt16(bigEndian: address.sin_port)
    }
}
