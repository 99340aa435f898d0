import AiboxNetwork
import AiboxSystem
import CLinux
import Glibc

/// A real request to a Squid, whose answer proves that a part of its configuration works.
struct SquidProbe {
    /// What is asked for, and how the answer begins that proves it.
    struct Question: Equatable {
        fileprivate let host: String
        fileprivate let status: String
        /// A header that has to be there; nil: Squid itself must have answered nothing.
        fileprivate let error: String?

        var url: String { "http://\(host)/" }

        fileprivate func isProved(by answer: String) -> Bool {
            guard answer.hasPrefix("HTTP/1.1 \(status) ") else { return false }
            guard let error else { return !answer.contains("X-Squid-Error:") }
            return answer.contains("X-Squid-Error: \(error)")
        }
    }

    /// Its rules are in force: they refuse.
    static let rules = Question(
        host: SquidConfiguration.refusedProbe, status: "403", error: SquidConfiguration.refusalPage)
    /// It asks the gateway about requests, and the gateway is heard.
    static let judge = Question(host: SquidConfiguration.judgedProbe, status: "204", error: nil)

    let question: Question
    /// The port that it comes from.
    let source: UInt16

    /// True for what Squid's log says of this very request. A sandbox can write the same URL into an opened tunnel, but
    /// not from this port.
    func isTold(by line: SquidLogLine) -> Bool {
        line.clientPort == source && line.method == "GET" && line.url == question.url
    }

    /// - Returns: the request; nil if the answer proves nothing.
    static func ask(
        _ question: Question, port: UInt16, secret: String, until deadline: ContinuousClock.Instant
    ) throws(AiboxError) -> SquidProbe? {
        let socket = Descriptor(try check(aibox_tcp_connect_start(IPv4.loopback.value, port), "cannot ask Squid"))
        guard wait(socket, POLLOUT, until: deadline), aibox_socket_error(socket.number) == 0 else { return nil }
        let probe = SquidProbe(question: question, source: try localPort(of: socket))
        let request =
            "GET \(question.url) HTTP/1.1\r\nHost: \(question.host)\r\n\(SquidConfiguration.keyHeader): \(secret)\r\n"
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
            if text.contains("\r\n\r\n") { return question.isProved(by: text) ? probe : nil }
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
