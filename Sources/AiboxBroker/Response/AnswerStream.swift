import AiboxNetwork
import NIOCore

/// An answer on its way to the sandbox: framed anew, the secrets in it masked wherever its pieces begin and end.
struct AnswerStream {
    private let forms: SecretForms
    private var redaction: Redaction
    private var isChunked = false
    /// HTTP/1.0 has no chunks: the end of the connection is the end of the answer.
    private(set) var endsWithConnection = false
    private var maskedFields = 0

    init(_ forms: SecretForms) {
        self.forms = forms
        redaction = Redaction(forms)
    }

    /// How often a secret was in it.
    var redactions: Int { redaction.count + maskedFields }

    /// - Returns: the head as the sandbox gets it.
    mutating func begin(_ head: UpstreamHead, for request: HTTPRequestHead) -> [UInt8] {
        isChunked = head.body == nil || head.body == .chunked
        if request.minorVersion == 0, isChunked {
            isChunked = false
            endsWithConnection = true
        }
        return head.rendered(
            forms, isChunked: isChunked, closes: !request.keepsAlive || endsWithConnection, masked: &maskedFields)
    }

    mutating func pass(_ content: ByteBuffer, _ write: (ByteBuffer) -> Void) {
        frame(redaction.feed(content), write)
    }

    /// What is held back goes on: the content has come to a place beyond which no secret reaches.
    mutating func release(_ write: (ByteBuffer) -> Void) { frame(redaction.finish(), write) }

    mutating func finish(_ write: (ByteBuffer) -> Void) {
        frame(redaction.finish(), write)
        if isChunked { write(ByteBuffer(string: "0\r\n\r\n")) }
    }

    private func frame(_ content: ByteBuffer, _ write: (ByteBuffer) -> Void) {
        if content.readableBytes == 0 { return }
        if isChunked { write(ByteBuffer(string: "\(String(content.readableBytes, radix: 16))\r\n")) }
        write(content)
        if isChunked { write(ByteBuffer(bytes: [0x0D, 0x0A])) }
    }
}
