import AiboxNetwork
import AiboxSystem
import CLinux
import Glibc

/// A real request to a Squid: proof that its rules are in force, by one that they refuse.
struct SquidProbe {
    /// A host that no list can name.
    private static let host = "squid-probe.aibox.internal"

    /// The port that it comes from.
    let source: UInt16

    /// True for what Squid's log says of this very request. A sandbox can write the same URL into an opened tunnel, but
    /// not from this port.
    func isTold(by line: SquidLogLine) -> Bool {
        line.clientPort == source && line.method == "GET" && line.url == "http://\(Self.host)/"
    }

    /// - Returns: the request; nil if the answer is not Squid's refusal.
    static func ask(
        port: UInt16, secret: String, until deadline: ContinuousClock.Instant
    ) throws(AiboxError) -> SquidProbe? {
        let socket = Descriptor(try check(aibox_tcp_connect_start(IPv4.loopback.value, port), "cannot ask Squid"))
        guard wait(socket, POLLOUT, until: deadline), aibox_socket_error(socket.number) == 0 else { return nil }
        let probe = SquidProbe(source: try localPort(of: socket))
        let request =
            "GET http://\(host)/ HTTP/1.1\r\nHost: \(host)\r\n\(SquidConfiguration.keyHeader): \(secret)\r\n"
            + "Connection: close\r\n\r\n"
        guard send(socket.number, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count else {
            return nil
        }
        var answer: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 4096)
        while answer.count < 4096, wait(socket, POLLIN, until: deadline) {
            let count = recv(socket.number, &room, room.count, 0)
            if count <= 0 { break }
            answer += room.prefix(count)
            let text = String(decoding: answer, as: UTF8.self)
            if text.contains("\r\n\r\n") {
                let isRefusal = text.hasPrefix("HTTP/1.1 403 ") && text.contains("X-Squid-Error: ERR_ACCESS_DENIED")
                return isRefusal ? probe : nil
            }
        }
        return nil
    }

    private static func localPort(of socket: Descriptor) throws(AiboxError) -> UInt16 {
        // sockaddr_in as ip(7) has it, by place: two modules describe it, and which of them is meant changes from build to build.
        var address: (UInt64, UInt64) = (0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: address))
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket.number, $0, &size) }
        }
        try check(result, "cannot ask Squid")
        return withUnsafeBytes(of: address) { UInt16($0[2]) << 8 | UInt16($0[3]) }
    }

    private static func wait(_ socket: Descriptor, _ events: Int32, until deadline: ContinuousClock.Instant) -> Bool {
        let left = ContinuousClock.now.duration(to: deadline)
        var waiting = pollfd(fd: socket.number, events: Int16(events), revents: 0)
        return left > .zero && poll(&waiting, 1, left.milliseconds) == 1
    }
}
