import NIOCore

/// One end of a pair of connections: what arrives here leaves there.
///
/// Reading stops while the other end cannot write (back-pressure); the end of one direction is passed on and leaves the
/// other direction open (half-close), for a bounded time of silence. Both ends live on one event loop.
final class RelayHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var partner: RelayHandler?
    private var context: ChannelHandlerContext?
    private var isReadHeld = false
    private var isInputClosed = false
    private var silence: Scheduled<Void>?
    private let halfOpenLimit: TimeAmount

    /// - Parameter halfOpenLimit: how long a connection with one closed direction may be silent.
    private init(halfOpenLimit: TimeAmount) { self.halfOpenLimit = halfOpenLimit }

    static func pair(halfOpenLimit: TimeAmount) -> (RelayHandler, RelayHandler) {
        let (one, other) = (RelayHandler(halfOpenLimit: halfOpenLimit), RelayHandler(halfOpenLimit: halfOpenLimit))
        one.partner = other
        other.partner = one
        return (one, other)
    }

    // MARK: This end

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { partner?.resumeReading() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        silence?.cancel()
        partner = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        partner?.resumeReading()
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        partner?.closeAfterFlush()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if silence != nil { limitSilence() }
        partner?.context?.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        partner?.context?.flush()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { partner?.resumeReading() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            isInputClosed = true
            partner?.passEnd()
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        if let other = partner?.context, other.channel.isActive, other.channel.isWritable {
            context.read()
        } else {
            isReadHeld = true
        }
    }

    // MARK: What the other end asks of this one

    private func resumeReading() {
        guard isReadHeld, let context else { return }
        isReadHeld = false
        read(context: context)
    }

    /// The other side has said all: pass that on behind the last byte.
    private func passEnd() {
        guard let context else { return }
        if isInputClosed { return closeAfterFlush() }
        limitSilence()
        context.close(mode: .output, promise: nil)
    }

    private func closeAfterFlush() {
        guard let context else { return }
        // A plain close would throw away what is still to be sent.
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
        limitSilence()
    }

    private func limitSilence() {
        guard let context else { return }
        silence?.cancel()
        let channel = context.channel
        silence = context.eventLoop.scheduleTask(in: halfOpenLimit) { channel.close(promise: nil) }
    }
}
