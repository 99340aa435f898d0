public import AiboxSystem

/// One request and its answer over a connection of its own: HTTP/1.1 (RFC 9112) over TLS.
public struct HTTPSExchange: Sendable {
    public var host: String
    public var port: UInt16
    /// Certificates to trust instead of the system's.
    public var authorities: String?
    /// Who is said to ask, where the server wants to know; nobody if nil.
    public var identity: TLSClientIdentity?
    /// For connecting, and for each read and write.
    public var timeout: Duration
    /// For all of it; nil leaves it at the limit of each step.
    public var deadline: ContinuousClock.Instant?
    /// Bytes of an answer at most.
    public var largestAnswer: Int
    /// Without TLS, to a loopback address only.
    public var isPlain = false

    public init(
        host: String, port: UInt16, authorities: String? = nil, timeout: Duration = .seconds(30),
        deadline: ContinuousClock.Instant? = nil, largestAnswer: Int = 128 << 20
    ) {
        self.host = host
        self.port = port
        self.authorities = authorities
        self.timeout = timeout
        self.deadline = deadline
        self.largestAnswer = largestAnswer
    }

    public struct Answer: Sendable {
        public var status: Int
        /// Names in lower case.
        public var headers: [String: String]
        public var body: [UInt8]
    }

    /// What stands in the `Host` header: the port only where it is not 443.
    public var authority: String { port == (isPlain ? 80 : 443) ? host : "\(host):\(port)" }

    /// - Parameter target: path and query, encoded.
    public func send(
        _ method: String, _ target: String, headers: [(String, String)], body: [UInt8] = []
    ) throws(AiboxError) -> Answer {
        let lines = [
            "\(method) \(target) HTTP/1.1", "Host: \(authority)", "Connection: close", "Content-Length: \(body.count)",
        ]
        let given = headers.map { "\($0.0): \($0.1)" }
        for line in lines + given where line.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
            throw AiboxError(.failed, "cannot send a request to \(authority)", why: "a header has a control character")
        }
        let bytes = Array(((lines + given).joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
        if isPlain {
            let connection = try PlainConnection(host: host, port: port, timeout: timeout)
            try connection.write(bytes)
            return try receive(method) { () throws(AiboxError) in try connection.read() }
        }
        let connection = try TLSConnection(
            host: host, port: port, authorities: authorities, identity: identity, timeout: timeout,
            deadline: deadline)
        try connection.write(bytes)
        return try receive(method) { () throws(AiboxError) in try connection.read() }
    }

    private func receive(
        _ method: String, _ read: () throws(AiboxError) -> [UInt8]
    ) throws(AiboxError) -> Answer {
        var bytes: [UInt8] = []
        var head: Answer?
        var start = 0
        while true {
            if head == nil, let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                head = try parse(String(decoding: bytes[..<end.lowerBound], as: UTF8.self))
                start = end.upperBound
            }
            if let head, let body = try body(bytes[start...], head, method) {
                return Answer(status: head.status, headers: head.headers, body: body)
            }
            if bytes.count > largestAnswer || (head == nil && bytes.count > 1 << 16) {
                throw odd("its answer is too long")
            }
            if let deadline, ContinuousClock.now > deadline {
                throw AiboxError(.failed, "cannot hear from \(authority)", why: "it takes too long")
            }
            let part: [UInt8]
            do throws(AiboxError) { part = try read() } catch {
                // Many close without a word; without a length that is the end of the body.
                guard let head, isOpenEnded(head), deadline.map({ ContinuousClock.now < $0 }) ?? true else {
                    throw error
                }
                return Answer(status: head.status, headers: head.headers, body: Array(bytes[start...]))
            }
            if part.isEmpty {
                guard let head, isOpenEnded(head) else { throw odd("its answer is cut short") }
                return Answer(status: head.status, headers: head.headers, body: Array(bytes[start...]))
            }
            bytes += part
        }
    }

    private func isOpenEnded(_ head: Answer) -> Bool {
        head.headers["content-length"] == nil && head.headers["transfer-encoding"] == nil
    }

    private func parse(_ head: String) throws(AiboxError) -> Answer {
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        let words = (lines.popFirst() ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw odd("its answer is no HTTP")
        }
        var headers: [String: String] = [:]
        for line in lines {
            let pair = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 {
                headers[pair[0].lowercased()] = String(pair[1].drop { $0 == " " })
            }
        }
        return Answer(status: status, headers: headers, body: [])
    }

    /// The body once all of it is there; nil before.
    private func body(_ bytes: ArraySlice<UInt8>, _ head: Answer, _ method: String) throws(AiboxError) -> [UInt8]? {
        if method == "HEAD" || head.status == 204 || head.status == 304 { return [] }
        if head.headers["transfer-encoding"]?.lowercased() == "chunked" { return try chunks(bytes) }
        guard let text = head.headers["content-length"] else { return nil }
        guard let length = Int(text), length >= 0 else { throw odd("its answer has no right length") }
        if length > largestAnswer { throw odd("its answer is too long") }
        return bytes.count >= length ? Array(bytes.prefix(length)) : nil
    }

    /// RFC 9112, section 7.1.
    private func chunks(_ bytes: ArraySlice<UInt8>) throws(AiboxError) -> [UInt8]? {
        // The last chunk ends so, with a trailer or without: before, looking would be in vain.
        guard bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) else { return nil }
        var rest = bytes
        var body: [UInt8] = []
        while let end = rest.firstRange(of: Array("\r\n".utf8)) {
            let size = String(decoding: rest[..<end.lowerBound].prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
            guard let count = Int(size, radix: 16), count >= 0 else { throw odd("its answer has a chunk without size") }
            if count == 0 { return body }
            if count > largestAnswer { throw odd("its answer is too long") }
            guard rest.distance(from: end.upperBound, to: rest.endIndex) >= count + 2 else { return nil }
            body += rest[end.upperBound..<end.upperBound + count]
            rest = rest[(end.upperBound + count + 2)...]
        }
        return nil
    }

    private func odd(_ why: String) -> AiboxError { AiboxError(.failed, "cannot understand \(authority)", why: why) }
}
