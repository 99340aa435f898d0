import AiboxSystem
import Glibc

/// Waits until sshd inside answers through the gateway's port.
struct SSHReadiness: Sendable {
    let port: UInt16
    var limit: Duration = .seconds(20)

    func wait() throws(AiboxError) {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if greets() { return }
            try Interruption.check()
            usleep(10_000)
        }
        throw AiboxError(
            .failed, "SSH does not answer in the sandbox", why: "no banner on 127.0.0.1:\(port) within \(limit)",
            remedy: "aibox logs container shows what sshd says")
    }

    /// True if the other end begins like an SSH server (RFC 4253, section 4.2).
    private func greets() -> Bool {
        let socket = Descriptor(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        guard socket.isOpen else { return false }
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(socket.number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return false }
        var bytes = [UInt8](repeating: 0, count: 8)
        let count = recv(socket.number, &bytes, bytes.count, Int32(MSG_WAITALL))
        return count == 8 && bytes == Array("SSH-2.0-".utf8)
    }
}
