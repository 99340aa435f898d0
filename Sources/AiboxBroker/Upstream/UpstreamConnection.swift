import AiboxNetwork
import AiboxSystem
import NIOCore

/// One connection to an upstream: carries one request at a time, and waits in the pool in between.
///
/// Reads only while whoever asked can take more: the upstream feels a slow client.
final class UpstreamConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Who asked.
    protocol Asker: AnyObject {
        var canTakeMore: Bool { get }
        /// There is room for more of a body that was not given whole.
        func upstreamTakesMore()
        func answerBegins(_ head: UpstreamHead)
        func answerGoesOn(_ content: ByteBuffer)
        /// Everything that was read is told.
        func answerPauses()
        /// - Parameter mayReuse: the connection can carry another request.
        func answerEnds(mayReuse: Bool)
        func answerFails(_ refusal: BrokerRefusal)
    }

    let base: UpstreamBase
    private weak var pool: UpstreamPool?
    private var asker: (any Asker)?
    private var context: ChannelHandlerContext?
    private var headBytes: [UInt8] = []
    private var head: UpstreamHead?
    private var reader = ContentReader(HTTPRequestHead.Body.none, isLenient: true)
    private var body = ByteBuffer()
    private var isBodyWhole = true
    private var isHeadAsked = false
    private var isReading = false
    /// The other side said orderly that it sends no more; without TLS the end of the connection says so.
    private var hasEnded = false
    private var isBroken = false
    private(set) var uses = 0

    private static let piece = 128 << 10

    init(base: UpstreamBase, pool: UpstreamPool) {
        self.base = base
        self.pool = pool
    }

    var isUsable: Bool { context?.channel.isActive == true && !isBroken && !hasEnded && asker == nil }
    /// Some byte of an answer came.
    var hasAnswered: Bool { head != nil || !headBytes.isEmpty }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Sends a request. Only on a usable connection.
    ///
    /// - Parameters:
    ///   - isWhole: nothing of the body follows with `send`.
    ///   - isHead: the answer has no body, whatever it says of one (RFC 9110 section 9.3.2).
    func ask(_ head: [UInt8], body: ByteBuffer, isWhole: Bool, isHead: Bool = false, for asker: any Asker) {
        guard let context else {
            return asker.answerFails(Self.lost)
        }
        uses += 1
        self.asker = asker
        self.head = nil
        headBytes = []
        self.body = body
        isBodyWhole = isWhole
        isHeadAsked = isHead
        context.write(wrapOutboundOut(ByteBuffer(bytes: head)), promise: nil)
        sendBody(context)
        context.flush()
        updateReading()
    }

    /// Nobody waits for the answer any more.
    func abandon() {
        asker = nil
        context?.close(promise: nil)
    }

    /// Whether the next piece of a body would go out at once.
    var takesMore: Bool { !isBodyWhole && body.readableBytes == 0 && context?.channel.isWritable == true }

    /// Sends a piece of a body, framed as its head says.
    func send(_ piece: ByteBuffer) {
        guard let context else { return }
        body.writeImmutableBuffer(piece)
        sendBody(context)
    }

    /// Sends the last piece.
    func endBody(_ piece: ByteBuffer) {
        isBodyWhole = true
        if piece.readableBytes > 0 { send(piece) }
    }

    private func sendBody(_ context: ChannelHandlerContext) {
        while body.readableBytes > 0, context.channel.isWritable {
            guard let piece = body.readSlice(length: min(Self.piece, body.readableBytes)) else { return }
            context.writeAndFlush(wrapOutboundOut(piece), promise: nil)
        }
        if body.readableBytes == 0 { body = ByteBuffer() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        sendBody(context)
        if takesMore { asker?.upstreamTakesMore() }
        context.fireChannelWritabilityChanged()
    }

    /// In the pool it reads as well, to hear of the end.
    func updateReading() {
        guard let context, context.channel.isActive, !isReading, !hasEnded else { return }
        if let asker, !asker.canTakeMore { return }
        isReading = true
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard asker != nil else {
            // Nothing was asked.
            isBroken = true
            context.close(promise: nil)
            return
        }
        var bytes = unwrapInboundIn(data)
        do {
            try take(&bytes)
        } catch {
            fail(Self.refusal(error))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        asker?.answerPauses()
        updateReading()
    }

    private func take(_ bytes: inout ByteBuffer) throws {
        while head == nil {
            headBytes += bytes.readableBytesView
            bytes = ByteBuffer()
            guard let (found, length) = try UpstreamHead.read(headBytes, isHead: isHeadAsked) else { return }
            bytes = ByteBuffer(bytes: headBytes[length...])
            headBytes = []
            // 100 and 103 come before the answer.
            if found.status < 200 { continue }
            head = found
            reader = ContentReader(found.body, isLenient: true)
            asker?.answerBegins(found)
        }
        while let content = try reader.next(&bytes) { asker?.answerGoesOn(content) }
        if reader.isFinished { finish(leftover: bytes.readableBytes) }
    }

    private func finish(leftover: Int) {
        guard let asker, let head else { return }
        self.asker = nil
        // An answer before the whole body was sent, or bytes behind the answer: nobody could tell what comes next.
        let mayReuse = head.keepsAlive && leftover == 0 && isBodyWhole && body.readableBytes == 0 && !isBroken
        asker.answerEnds(mayReuse: mayReuse)
        if mayReuse {
            pool?.keep(self)
            updateReading()
        } else {
            context?.close(promise: nil)
        }
    }

    private func fail(_ refusal: BrokerRefusal) {
        isBroken = true
        let asker = asker
        self.asker = nil
        asker?.answerFails(refusal)
        context?.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .inputClosed? = event as? ChannelEvent else { return context.fireUserInboundEventTriggered(event) }
        hasEnded = true
        ended()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !base.isTLS { hasEnded = true }
        ended()
        pool?.forget(self)
        context.fireChannelInactive()
    }

    private func ended() {
        guard asker != nil else {
            context?.close(promise: nil)
            return
        }
        if head != nil, reader.endsWithConnection, hasEnded, !isBroken {
            let asker = asker
            self.asker = nil
            asker?.answerEnds(mayReuse: false)
            context?.close(promise: nil)
        } else {
            fail(Self.lost)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isBroken = true
        if asker != nil { fail(Self.refusal(error)) } else { context.close(promise: nil) }
    }

    private static let lost = BrokerRefusal(
        kind: .upstream, rule: "llm.upstream",
        reason: "the server closed the connection before its answer was complete")

    private static func refusal(_ error: any Error) -> BrokerRefusal {
        let reason =
            switch error {
            case UpstreamHead.Failure.encoded:
                "the server's answer is in an encoding that was not asked for, and what is in it could not be checked"
            case is UpstreamHead.Failure, is ContentReader.Failure: "the server's answer is no valid HTTP"
            case let error as AiboxError: error.reason
            default: "the connection to the server failed"
            }
        return BrokerRefusal(kind: .upstream, rule: "llm.upstream", reason: reason)
    }
}
