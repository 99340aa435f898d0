import AiboxHTTP2
import AiboxSystem
import NIOCore

/// One connection to an upstream in HTTP/2: carries many requests at once, each in a stream of its own.
///
/// It reads all the time: how much may come is what the streams' windows allow, and those open as the askers take what came. The
/// window of the connection opens at once, so that a slow asker stops nobody else.
final class UpstreamSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let base: UpstreamBase
    /// By whose rules the connection was made: it carries no requests of other ones.
    let connector: UpstreamConnector
    private weak var pool: UpstreamPool?
    private let session: HTTP2ClientSession
    private var context: ChannelHandlerContext?
    private var streams: [HTTP2StreamID: UpstreamStream] = [:]
    /// Those that have a part of their body still to send; who comes next is first.
    private var sending: [UpstreamStream] = []
    /// Streams that were handed out, begun or not.
    private var taken = 0
    private var ready: ((Result<UpstreamSession, any Error>) -> Void)?
    private var takesNoMore = false
    private var isOver = false
    private var timer: Scheduled<Void>?
    private var lastMove = NIODeadline.now()
    private var isAsked = false

    /// Streams at once, whatever the server takes: each may fill a window.
    static let most = 100
    /// Silence after which the server is asked whether it is there, and how long it may take to answer.
    private static let silence = TimeAmount.seconds(15)
    private static let patience = TimeAmount.seconds(20)
    /// For the server's first frame.
    private static let greeting = TimeAmount.seconds(10)

    /// - Parameter ready: told once the server has said what it takes, or that it cannot be asked.
    init(
        base: UpstreamBase, connector: UpstreamConnector, pool: UpstreamPool,
        ready: @escaping (Result<UpstreamSession, any Error>) -> Void
    ) throws(HTTP2Fault) {
        self.base = base
        self.ready = ready
        self.connector = connector
        self.pool = pool
        var limits = HTTP2Limits()
        limits.fields = UpstreamHead.limit
        session = try HTTP2ClientSession(limits)
    }

    /// Whether one more request may be sent on it.
    var isUsable: Bool {
        !isOver && !takesNoMore && context?.channel.isActive == true && session.canOpen
            && taken < min(session.streamLimit, Self.most)
    }

    /// Room for one request. Only where it is usable.
    func carrier() -> any UpstreamCarrier {
        taken += 1
        watch()
        return UpstreamStream(self)
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        flush()
        context.read()
        after(Self.greeting) { $0.end(.upstream("it says nothing after the TLS handshake")) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isOver { return }
        moves()
        let events: [HTTP2Event]
        do { events = try unwrapInboundIn(data).withUnsafeReadableBytes { try session.receive($0) } } catch {
            return end(.upstream(error))
        }
        var told: [HTTP2StreamID: UpstreamStream] = [:]
        for event in events { tell(event, &told) }
        flush()
        if session.isGreeted, let ready {
            self.ready = nil
            ready(.success(self))
        }
        for stream in told.values { stream.pause() }
        goOn()
        if taken == 0, !isOver, takesNoMore { close() }
    }

    private func tell(_ event: HTTP2Event, _ told: inout [HTTP2StreamID: UpstreamStream]) {
        switch event {
        case .head(let id, let fields):
            told[id] = streams[id]
            streams[id]?.begins(fields)
        case .data(let id, let bytes):
            try? session.consumeOnConnection(bytes.count)
            told[id] = streams[id]
            streams[id]?.goesOn(bytes)
        case .trailers: break
        case .end(let id):
            told[id] = streams[id]
            streams[id]?.ends()
        case .reset(let id, let code, let why):
            // REFUSED_STREAM; of a stream that is above the last one of a GOAWAY the framing says the same.
            let isRefused = code == 7
            if isRefused { retire() }
            streams[id]?.breaksOff(
                .upstream(
                    isRefused ? "the server did not take the request (REFUSED_STREAM)" : "the server broke off: \(why)"),
                isUntouched: isRefused)
        case .goingAway: retire()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.read() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { goOn() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { return end(.upstreamLost) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.upstreamLost)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end(.upstream(error)) }

    /// What is under way goes on; what comes is sent elsewhere.
    private func retire() {
        takesNoMore = true
        pool?.forget(self)
    }

    // MARK: Streams

    func open(_ request: UpstreamRequest, endsStream: Bool, for stream: UpstreamStream) throws(HTTP2Fault)
        -> HTTP2StreamID
    {
        let id = try session.open(request.http2Head, endsStream: endsStream)
        streams[id] = stream
        if !endsStream { sending.append(stream) }
        flush()
        return id
    }

    /// Whether a piece of a body would go out at once.
    func takesMore(_ id: HTTP2StreamID) -> Bool {
        !isOver && context?.channel.isWritable == true && session.unsent(on: id) == 0
    }

    /// Sends a piece of a body. The connection may ask for the next one before this returns.
    func send(_ piece: [UInt8], on id: HTTP2StreamID) {
        // A question would wait behind it, however slowly it goes up.
        moves()
        // What fails here is told when the stream ends.
        try? session.send(piece, on: id, endsStream: false)
        flush()
    }

    func endBody(of stream: UpstreamStream, _ id: HTTP2StreamID) {
        sending.removeAll { $0 === stream }
        try? session.send([], on: id, endsStream: true)
        flush()
    }

    /// The asker has taken so much of what came.
    func took(_ count: Int, on id: HTTP2StreamID) {
        try? session.consumeOnStream(count, on: id)
        flush()
    }

    /// A stream is over, or nobody wants it any more.
    func release(_ stream: UpstreamStream, _ id: HTTP2StreamID?) {
        taken -= 1
        sending.removeAll { $0 === stream }
        if let id {
            streams[id] = nil
            // Nothing where it has ended on both sides.
            try? session.cancel(id)
            flush()
        }
        if taken == 0, !isOver { rest() }
    }

    /// Lets those go on that wait to send, one after the other.
    private func goOn() {
        if sending.count > 1 { sending.append(sending.removeFirst()) }
        for stream in sending { stream.sendMore() }
    }

    private func flush() {
        let bytes = session.output()
        if !bytes.isEmpty { context?.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil) }
    }

    // MARK: Time, and the end

    /// Nothing is asked: it waits a while for more.
    private func rest() {
        if takesNoMore { return close() }
        after(UpstreamPool.lifetime) { $0.close() }
    }

    /// A path that leads nowhere any more would swallow every request until the network says so, which takes many minutes.
    private func watch() {
        if taken > 1 { return }
        moves()
        after(Self.silence) { $0.look() }
    }

    private func moves() {
        lastMove = .now()
        isAsked = false
    }

    private func look() {
        let now = NIODeadline.now()
        if isAsked { return end(.upstream("the server does not answer any more")) }
        if lastMove + Self.silence <= now {
            isAsked = true
            try? session.ping()
            flush()
            return after(Self.patience) { $0.look() }
        }
        after(lastMove + Self.silence - now) { $0.look() }
    }

    private func after(_ time: TimeAmount, _ body: @escaping (UpstreamSession) -> Void) {
        timer?.cancel()
        timer = context?.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            if let self, !self.isOver { body(self) }
        }
    }

    func close() { end(.upstreamLost) }

    private func end(_ refusal: BrokerRefusal) {
        if isOver { return }
        isOver = true
        timer?.cancel()
        pool?.forget(self)
        // Of a fault the other side is told.
        flush()
        let left = streams.values
        streams = [:]
        sending = []
        for stream in left { stream.breaksOff(refusal, isUntouched: false) }
        if let ready {
            self.ready = nil
            ready(.failure(AiboxError(.failed, "cannot connect to \(base.host)", why: refusal.reason)))
        }
        context?.close(promise: nil)
    }
}
