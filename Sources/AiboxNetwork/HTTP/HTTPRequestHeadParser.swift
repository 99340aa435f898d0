/// Reads the head of a request from bytes as they arrive, in chunks of any size.
///
/// Stricter than RFC 9112 allows where two readers could disagree (request smuggling): lines end in
/// CRLF, no folding, no white space before a colon, one Host, one Content-Length, `chunked` alone and
/// never beside a length.
public struct HTTPRequestHeadParser: Sendable {
    public struct Limits: Sendable, Equatable {
        /// Bytes of the request line.
        public var requestLine = 8 << 10
        /// Bytes of the whole head.
        public var head = 64 << 10
        public var fields = 128
        public init() {}
    }

    public enum Progress: Sendable, Equatable {
        case needsMore
        /// The head, and how many bytes of the last chunk belong to what follows it.
        case head(HTTPRequestHead, unread: Int)
        case refused(HTTPRefusal)
    }

    private let limits: Limits
    private var buffer: [UInt8] = []
    /// Where the line that is being read starts.
    private var lineStart = 0
    private var lines: [Range<Int>] = []
    private var refusal: HTTPRefusal?

    public init(limits: Limits = Limits()) { self.limits = limits }

    /// True while no byte has come.
    public var isEmpty: Bool { buffer.isEmpty }

    public mutating func feed(_ bytes: ArraySlice<UInt8>) -> Progress {
        if let refusal { return .refused(refusal) }
        do throws(HTTPRefusal) {
            return try read(bytes)
        } catch {
            refusal = error
            buffer = []
            return .refused(error)
        }
    }

    private mutating func read(_ bytes: ArraySlice<UInt8>) throws(HTTPRefusal) -> Progress {
        for index in bytes.indices {
            let byte = bytes[index]
            let afterReturn = buffer.last == 0x0D && buffer.count > lineStart
            if afterReturn != (byte == 0x0A) { throw afterReturn ? .bareCarriageReturn : .bareLineFeed }
            if byte == 0 { throw .control }
            buffer.append(byte)
            if buffer.count > limits.head { throw .tooLarge }
            if lines.isEmpty, buffer.count > limits.requestLine { throw .tooLarge }
            if buffer.count == 1 {
                // Nothing that speaks HTTP starts otherwise; TLS records and SSH banners are told apart at once.
                guard byte.isToken else { throw .notHTTP }
            }
            guard byte == 0x0A else { continue }
            let line = lineStart..<(buffer.count - 2)
            lineStart = buffer.count
            if line.isEmpty {
                let head = try HTTPRequestHead(lines: lines.map { buffer[$0] })
                return .head(head, unread: bytes.endIndex - index - 1)
            }
            // The first line is judged at once: other protocols send one and wait.
            if lines.isEmpty { try HTTPRequestHead.checkRequestLine(buffer[line]) }
            lines.append(line)
            if lines.count > limits.fields + 1 { throw .tooLarge }
        }
        return .needsMore
    }
}

/// Why a request cannot be read; answered with 400 and the end of the connection.
public enum HTTPRefusal: Error, Sendable, Equatable {
    case notHTTP, tooLarge, bareCarriageReturn, bareLineFeed, control, folded
    case requestLine, version, method, target, field, host, length, encoding, trailer, chunk, unexpectedBody

    public var reason: String {
        switch self {
        case .notHTTP: "these bytes are no HTTP request"
        case .tooLarge: "the head of the request is too large"
        case .bareCarriageReturn, .bareLineFeed: "a line does not end in CR LF"
        case .control: "the request contains a control character"
        case .folded: "a header field is folded over two lines"
        case .requestLine: "the request line is not METHOD TARGET HTTP/1.1"
        case .version: "only HTTP/1.0 and HTTP/1.1 are spoken here"
        case .method: "the method is no token"
        case .target: "the request target is not understood"
        case .field: "a header field is malformed"
        case .host: "there is not exactly one well-formed Host field"
        case .length: "Content-Length is repeated, malformed or beside Transfer-Encoding"
        case .encoding: "Transfer-Encoding is not exactly chunked"
        case .trailer: "trailer fields are not accepted"
        case .chunk: "the chunked body is malformed"
        case .unexpectedBody: "CONNECT, GET and HEAD have no body"
        }
    }
}

extension UInt8 {
    /// `tchar` of RFC 9110 section 5.6.2.
    var isToken: Bool { isASCIILetter || isASCIIDigit || "!#$%&'*+-.^_`|~".utf8.contains(self) }
}
