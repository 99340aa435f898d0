/// One HTTP request that was forwarded, and its answer: where both end.
struct HTTPExchange: Sendable {
    let pending: EgressConnection.Pending
    /// The request's body.
    var body: HTTPBodyTracker
    private let isHead: Bool
    private let keepsAlive: Bool
    private var buffer: [UInt8] = []
    private var answer: HTTPResponseHead?
    private var answerBody: HTTPBodyTracker?
    /// Some byte of an answer went to the client.
    private(set) var hasAnswered = false

    init(_ head: HTTPRequestHead, _ pending: EgressConnection.Pending) {
        self.pending = pending
        body = HTTPBodyTracker(head.body)
        isHead = head.method == "HEAD"
        keepsAlive = head.keepsAlive
    }

    var attempt: EgressAttempt { pending.attempt }

    /// The answer is complete.
    var isAnswered: Bool { answerBody?.isFinished ?? false }
    /// Another request may follow on both connections.
    var mayContinue: Bool { keepsAlive && answer?.closes == false }

    /// Takes bytes of Squid's.
    ///
    /// - Returns: what to pass to the client, or nil if this is no answer to the request.
    mutating func receive(_ bytes: [UInt8]) -> [UInt8]? {
        if var tracker = answerBody {
            guard let progress = try? tracker.feed(bytes[...]), progress.consumed == bytes.count else { return nil }
            answerBody = tracker
            return bytes
        }
        buffer += bytes
        guard case .head(let head) = HTTPResponseHead.read(buffer, isHead: isHead) else {
            if case .malformed = HTTPResponseHead.read(buffer, isHead: isHead) { return nil }
            return []
        }
        // Nothing was asked to be switched to.
        if head.status == 101 { return nil }
        hasAnswered = true
        let first = Array(buffer.prefix(head.size))
        let rest = Array(buffer.dropFirst(head.size))
        buffer = []
        if head.status >= 200 {
            answer = head
            answerBody = head.body.map { HTTPBodyTracker($0) } ?? .untilClose
        }
        if rest.isEmpty { return first }
        guard let more = receive(rest) else { return nil }
        return first + more
    }
}

extension HTTPRequestHead {
    /// The head as Squid gets it: absolute form with the name and path that were decided on, Host to match,
    /// without fields that concern one connection only (RFC 9110 section 7.6.1).
    func forwarded(to request: EgressRequest, _ path: RequestPath, key: String) -> [UInt8] {
        let place = request.port == 80 ? request.host.text : "\(request.host):\(request.port)"
        var bytes = Array("\(method) http://\(place)\(path) HTTP/1.1\r\nHost: \(place)\r\n".utf8)
        let named = fields.filter { $0.is("connection") || $0.is("proxy-connection") }
            .flatMap { $0.text.lowercased().split(separator: ",").map(\.trimmed) }
        let dropped = Self.connectionFields.union(named)
        for field in fields where !dropped.contains(field.name.lowercased()) {
            bytes += Array(field.name.utf8) + Array(": ".utf8) + field.value + [0x0D, 0x0A]
        }
        switch body {
        case .none: break
        case .length(let size): bytes += Array("Content-Length: \(size)\r\n".utf8)
        case .chunked: bytes += Array("Transfer-Encoding: chunked\r\n".utf8)
        }
        return bytes + Array("\(SquidConfiguration.keyHeader): \(key)\r\n\r\n".utf8)
    }

    /// What frames the body is written anew, so that nothing can name it in Connection and have it dropped.
    private static let connectionFields: Set<String> = [
        "host", "connection", "proxy-connection", "keep-alive", "te", "trailer", "transfer-encoding", "content-length",
        "upgrade", "proxy-authorization", "proxy-authenticate", "http2-settings",
        SquidConfiguration.keyHeader.lowercased(),
    ]
}

enum TLSAlert {
    /// fatal, unrecognized_name (RFC 8446 section 6.2).
    static let unrecognizedName: [UInt8] = [21, 3, 3, 0, 2, 2, 112]
}
