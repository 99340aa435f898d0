import NIOCore

/// The Squid side of a connection: tells the sandbox's side what happened.
final class UpstreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// nil: the connection waits for a request.
    weak var owner: EgressHandler?

    init(owner: EgressHandler?) { self.owner = owner }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Squid speaks only when spoken to.
        guard let owner else { return context.close(promise: nil) }
        owner.upstreamRead(unwrapInboundIn(data), from: context.channel)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        owner?.upstreamReadComplete(context.channel)
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        owner?.resume()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            guard let owner else { return context.close(promise: nil) }
            owner.upstreamEnded(context.channel)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        owner?.upstreamEnded(context.channel)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
