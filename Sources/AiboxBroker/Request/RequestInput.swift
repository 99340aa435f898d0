import AiboxNetwork
import NIOCore

/// What a client has sent and nobody has read yet, and the head that is being found in it.
struct RequestInput {
    var bytes = ByteBuffer()
    private var parser = RequestInput.newParser()
    /// Nothing of the next request has come.
    private(set) var isIdle = true

    /// Bytes at which no more are taken from the connection.
    static let limit = 64 << 10

    private static func newParser() -> HTTPRequestHeadParser {
        var limits = HTTPRequestHeadParser.Limits()
        limits.head = 32 << 10
        return HTTPRequestHeadParser(limits: limits)
    }

    mutating func append(_ piece: ByteBuffer) {
        bytes = bytes.followed(by: piece)
    }

    mutating func clear() { bytes = ByteBuffer() }

    /// Takes empty lines before a request away: they are allowed (RFC 9112 section 2.2), and clients do send one after a body.
    mutating func skipEmptyLine() {
        if isIdle, parser.isEmpty, bytes.readableBytes >= 2,
            bytes.getBytes(at: bytes.readerIndex, length: 2) == [13, 10]
        {
            bytes.moveReaderIndex(forwardBy: 2)
        }
    }

    /// Reads on in the head of a request. Only while there are bytes.
    mutating func head() -> Result<HTTPRequestHead?, BrokerRefusal> {
        isIdle = false
        let piece = Array(bytes.readableBytesView)
        bytes = ByteBuffer()
        switch parser.feed(piece[...]) {
        case .needsMore: return .success(nil)
        case .refused(let why):
            var refusal = BrokerRefusal.framing(why.reason)
            if why == .tooLarge { refusal.given = 431 }
            return .failure(refusal)
        case .head(let head, let unread):
            bytes = ByteBuffer(bytes: piece[(piece.count - unread)...])
            parser = Self.newParser()
            return .success(head)
        }
    }

    /// The request is over: the next one may begin.
    mutating func next() { isIdle = true }
}
