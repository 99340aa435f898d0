import AiboxWire
import NIOCore

/// A gate's question in one datagram, and the answer in another: what is decided at once needs no connection, which under
/// gVisor takes longer than all the rest of asking.
///
///     aibox 1 DIGITS LF BODY              the question; BODY is that of `ToolQuestion`
///     aibox 1 DIGITS 200 LF LINES         it runs; LINES as over a connection
///     aibox 1 DIGITS 403 LF LINES         it is refused
///     aibox 1 DIGITS 202 LF               not decided here: ask over a connection
///
/// The 32 hexadecimal digits are the caller's own at random (`AT_RANDOM`): an answer that comes late is nobody else's.
struct ToolDatagram: Equatable {
    /// Bytes of a question that is answered; a gate asks longer ones over a connection.
    static let limit = 1200
    /// Bytes of an answer: what one packet of the cable holds.
    static let answerLimit = 1400

    private static let start = Array("aibox 1 ".utf8)
    private static let digits = 32

    private let begin: [UInt8]
    /// The digits, by which a gate that asks again over a connection names this question (`ToolRequest.markField`).
    var mark: [UInt8] { Array(begin.dropFirst(Self.start.count)) }
    let question: ToolQuestion

    /// Nil for everything that is no such question.
    init?(_ bytes: [UInt8]) {
        let end = Self.start.count + Self.digits
        guard bytes.count <= Self.limit, bytes.count > end, bytes.starts(with: Self.start),
            Self.isMark(bytes[Self.start.count..<end]),
            bytes[end] == UInt8(ascii: "\n"), let question = try? ToolQuestion(body: bytes[(end + 1)...])
        else { return nil }
        begin = Array(bytes[..<end])
        self.question = question
    }

    static func isMark(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.count == digits && bytes.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// The answer in full; nil if it does not fit.
    func answer(_ answer: ToolAnswer) -> [UInt8]? {
        let lines = ToolReply.end(answer, to: question)
        let whole = begin + Array(" \(answer.run == nil ? 403 : 200)\n\(lines)".utf8)
        return whole.count > Self.answerLimit ? nil : whole
    }

    /// That it has to be asked over a connection.
    var elsewhere: [UInt8] { begin + Array(" 202\n".utf8) }
}

/// The socket at which gates ask by datagram.
final class ToolDatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let door: ToolDoor

    init(_ door: ToolDoor) { self.door = door }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        // What is no question gets no answer: nobody can have more sent than was received.
        guard let asked = ToolDatagram(Array(envelope.data.readableBytesView)) else {
            _ = door.refused(Array("a datagram".utf8), status: nil)
            return
        }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let sender = envelope.remoteAddress
        door.answerAtOnce(asked).whenSuccess { bytes in
            let (handler, context) = bound.value
            let answer = AddressedEnvelope(remoteAddress: sender, data: ByteBuffer(bytes: bytes))
            context.writeAndFlush(handler.wrapOutboundOut(answer), promise: nil)
        }
    }

    /// A datagram that could not be sent or received is lost: its gate asks over a connection.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
