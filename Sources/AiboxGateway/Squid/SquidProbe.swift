import AiboxNetwork
import AiboxSystem
import CLinux
import Glibc

/// A real request to a Squid: proof that its rules are in force, by one that they refuse.
enum SquidProbe {
    /// A host that no list can name.
    private static let host = "squid-probe.aibox.internal"

    /// - Returns: whether the answer is Squid's refusal.
    static func ask(port: UInt16, secret: String, until deadline: ContinuousClock.Instant) throws(AiboxError) -> Bool {
        let socket = Descriptor(try check(aibox_tcp_connect_start(IPv4.loopback.value, port), "cannot ask Squid"))
        guard wait(socket, POLLOUT, until: deadline), aibox_socket_error(socket.number) == 0 else { return false }
        let request =
            "GET http://\(host)/ HTTP/1.1\r\nHost: \(host)\r\n\(SquidConfiguration.keyHeader): \(secret)\r\n"
            + "Connection: close\r\n\r\n"
        guard send(socket.number, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count else {
            return false
        }
        var answer: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 4096)
        while answer.count < 4096, wait(socket, POLLIN, until: deadline) {
            let count = recv(socket.number, &room, room.count, 0)
            if count <= 0 { break }
            answer += room.prefix(count)
            let text = String(decoding: answer, as: UTF8.self)
            if text.contains("\r\n\r\n") {
                return text.hasPrefix("HTTP/1.1 403 ") && text.contains("X-Squid-Error: ERR_ACCESS_DENIED")
            }
        }
        return false
    }

    private static func wait(_ socket: Descriptor, _ events: Int32, until deadline: ContinuousClock.Instant) -> Bool {
        let left = ContinuousClock.now.duration(to: deadline)
        var waiting = pollfd(fd: socket.number, events: Int16(events), revents: 0)
        return left > .zero && poll(&waiting, 1, left.milliseconds) == 1
    }
}
