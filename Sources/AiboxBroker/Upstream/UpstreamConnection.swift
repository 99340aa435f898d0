import AiboxNetwork
import NIOCore

/// One connection to an upstream in HTTP/1.1: carries one request at a time, and waits in the pool in between.
///
/// Reads only while whoever asked can take more: the upstream feels a slow client.
final class UpstreamConnection: ChannelInboundHandler, UpstreamCarrier {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let base: UpstreamBase
    /// Whose plan it was made under: it carries no requests of other ones.
    let connector: UpstreamConnector
    private weak var pool: UpstreamPool?
    private var asker: (any UpstreamAsker)?
    private var context: ChannelHandlerContext?
    private var headBytes: [UInt8] = []
    private var head: UpstreamHead?
    private var reader = ContentReader(HTTPRequestHead.Body.none, isLenient: true)
    private var body = ByteBuffer()
    private var isBodyWhole = true
    private var isHeadAsked = false
    private var isChunked = false
    private var isReading = false
    /// The other side said orderly that it sends no more; without TLS the end of the connection says so.
    private var hasEnded = false
    private var isBroken = false

    private static let piece = 128 << 10

    init(base: UpstreamBase, connector: UpstreamConnector, pool: UpstreamPool) {
        self.base = base
        self.connector = connector
        self.pool = pool
    }

    var isUsable: Bool { context?.channel.isActive == true && !isBroken && !hasEnded && asker == nil }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Only on a usable connection.
    func ask(_ request: UpstreamRequest, body: ByteBuffer, isWhole: Bool, for asker: any UpstreamAsker) {
        guard let context else { return asker.answerFails(.upstreamLost, isUntouched: false) }
        self.asker = asker
        head = nil
        headBytes = []
        self.body = ByteBuffer()
        isChunked = request.body == .chunked
        isHeadAsked = request.isHead
        context.write(wrapOutboundOut(ByteBuffer(bytes: request.head)), promise: nil)
        add(body)
        isBodyWhole = isWhole
        if isWhole { addEnd() }
        sendBody(context)
        context.flush()
        updateReading()
    }

    func abandon() {
        asker = nil
        context?.close(promise: nil)
    }

    var takesMore: Bool { !isBodyWhole && body.readableBytes == 0 && context?.channel.isWritable == true }

    func send(_ piece: ByteBuffer) {
        add(piece)
        if let context { sendBody(context) }
    }

    func endBody() {
        isBodyWhole = true
        addEnd()
        if let context { sendBody(context) }
    }

    private func add(_ piece: ByteBuffer) {
        if piece.readableBytes == 0 { return }
        if isChunked { body.writeString("\(String(piece.readableBytes, radix: 16))\r\n") }
        if body.readableBytes == 0 { body = piece } else { body.writeImmutableBuffer(piece) }
        if isChunked { body.writeString("\r\n") }
    }

    private func addEnd() { if isChunked { body.writeString("0\r\n\r\n") } }

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
            fail(.upstream(error))
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
        asker.answerEnds()
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
        asker?.answerFails(refusal, isUntouched: false)
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
            asker?.answerEnds()
            context?.close(promise: nil)
        } else {
            fail(.upstreamLost)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isBroken = true
        if asker != nil { fail(.upstream(error)) } else { context.close(promise: nil) }
    }
}
