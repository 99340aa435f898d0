import AiboxSystem
import Glibc
import Synchronization

/// A provider of the lab: each connection is handed to a script, which reads and writes bytes as it likes.
final class ScriptedUpstream: Sendable {
    typealias Script = @Sendable (Connection) -> Void

    let port: UInt16
    private let listener: Descriptor
    private let script: Script
    private let heads = Mutex<[String]>([])
    private let bodies = Mutex<[[UInt8]]>([])
    private let accepted = Atomic(0)

    init(_ script: @escaping Script) throws {
        self.script = script
        (listener, port) = try Loopback.listen()
        let listener = listener
        try DedicatedThread.start("of the upstream") { [weak self] in
            while true {
                let socket = accept(listener.number, nil, nil)
                if socket < 0 { return }
                guard let self else {
                    close(socket)
                    return
                }
                self.accepted.add(1, ordering: .relaxed)
                let connection = Connection(Descriptor(socket), self)
                try? DedicatedThread.start("of a connection") {
                    self.script(connection)
                    connection.close()
                }
            }
        }
    }

    deinit { shutdown(listener.number, Int32(SHUT_RDWR)) }

    func stop() { shutdown(listener.number, Int32(SHUT_RDWR)) }

    /// Heads of the requests that came, as text.
    var requests: [String] { heads.withLock { $0 } }
    var contents: [[UInt8]] { bodies.withLock { $0 } }
    var connections: Int { accepted.load(ordering: .relaxed) }

    /// One connection of the proxy.
    final class Connection: Sendable {
        private let socket: Descriptor
        private let upstream: ScriptedUpstream
        private let rest = Mutex<[UInt8]>([])

        init(_ socket: Descriptor, _ upstream: ScriptedUpstream) {
            self.socket = socket
            self.upstream = upstream
        }

        /// The next request, whole; nil at the end.
        func request() -> (head: String, body: [UInt8])? {
            var bytes = rest.withLock { $0 }
            while true {
                if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                    let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
                    var length = 0
                    for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix("content-length:") {
                        length = Int(line.dropFirst(15).filter { $0 != " " }) ?? 0
                    }
                    if bytes.count >= end.upperBound + length {
                        let body = Array(bytes[end.upperBound..<end.upperBound + length])
                        let left = Array(bytes[(end.upperBound + length)...])
                        rest.withLock { $0 = left }
                        upstream.heads.withLock { $0.append(head) }
                        upstream.bodies.withLock { $0.append(body) }
                        return (head, body)
                    }
                }
                guard let more = Loopback.read(socket) else { return nil }
                bytes += more
            }
        }

        func send(_ text: String) { send(Array(text.utf8)) }
        func send(_ bytes: [UInt8]) { Loopback.write(socket, bytes) }

        /// Reads until the other side is gone.
        func drain() { while Loopback.read(socket) != nil {} }

        /// Ends with RST: nothing that was sent is certain to arrive.
        func reset() {
            var now = linger(l_onoff: 1, l_linger: 0)
            setsockopt(socket.number, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
            socket.close()
        }

        func close() { socket.close() }
    }

    /// Answers every request of every connection.
    static func answering(
        _ answer: @escaping @Sendable (_ head: String, _ body: [UInt8]) -> String
    ) throws -> ScriptedUpstream {
        try ScriptedUpstream { connection in
            while let (head, body) = connection.request() { connection.send(answer(head, body)) }
        }
    }

    /// Answers a stream that begins with a line `a` and says each next piece once the gate lets it; what asks for none gets `{}`.
    static func streaming(_ pieces: String..., each gate: Gate) throws -> ScriptedUpstream {
        try ScriptedUpstream { connection in
            while let (_, body) = connection.request() {
                guard String(decoding: body, as: UTF8.self).contains("stream") else {
                    connection.send(json("{}"))
                    continue
                }
                connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n"
                )
                for piece in pieces {
                    gate.wait()
                    connection.send("\(String(piece.utf8.count, radix: 16))\r\n\(piece)\r\n")
                }
                connection.send("0\r\n\r\n")
            }
        }
    }

    static func json(_ body: String, status: Int = 200, fields: String = "") -> String {
        "HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}

/// Sockets of 127.0.0.1, blocking.
enum Loopback {
    static func listen() throws -> (Descriptor, UInt16) {
        let socket = Descriptor(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(socket.number, address, size) == 0 && Glibc.listen(socket.number, 512) == 0
                    && getsockname(socket.number, address, &size) == 0
            }
        }
        if !bound { throw AiboxError.system("cannot listen", errno: errno) }
        return (socket, UInt16(bigEndian: address.sin_port))
    }

    static func connect(_ port: UInt16) throws -> Descriptor {
        let socket = Descriptor(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 { throw AiboxError.system("cannot connect", errno: errno) }
        // A test that waits for ever tells nothing.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(socket.number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return socket
    }

    /// nil at the end, whatever kind of end it is.
    static func read(_ socket: Descriptor) -> [UInt8]? {
        var room = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket.number, &room, room.count, 0)
        return count > 0 ? Array(room[..<count]) : nil
    }

    @discardableResult
    static func write(_ socket: Descriptor, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    socket.number, buffer.baseAddress.map { $0 + sent }, buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }
}
