import AiboxCrypto
import AiboxSystem
import NIOCore

/// TLS of a client in a channel: plain bytes towards the handlers behind it, encrypted ones towards the socket.
final class TLSHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let session: TLSClientSession
    /// Succeeds once the server has proved its name, with the protocol that it chose.
    private let established: EventLoopPromise<UpstreamProtocol>
    private var isEstablished = false
    private var isOver = false

    private static let room = 17 << 10

    init(_ context: TLSClientContext, host: String, established: EventLoopPromise<UpstreamProtocol>) throws(AiboxError)
    {
        session = try TLSClientSession(context, host: host)
        self.established = established
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { shake(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        shake(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isOver { return }
        do {
            try unwrapInboundIn(data).withUnsafeReadableBytes { bytes in try session.receive(bytes) }
        } catch {
            return fail(context, error)
        }
        if !isEstablished { shake(context) }
        if isEstablished { pass(context) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Nobody behind asks for the bytes of a handshake.
        if !isEstablished { context.read() }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        do {
            try unwrapOutboundIn(data).withUnsafeReadableBytes { bytes in try session.write(bytes) }
        } catch {
            promise?.fail(error)
            return fail(context, error)
        }
        send(context, promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if isEstablished, !isOver {
            session.close()
            send(context, nil)
            context.flush()
        }
        isOver = true
        context.close(mode: mode, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isEstablished {
            established.fail(AiboxError(.failed, "the server closed the connection during the TLS handshake"))
        }
        context.fireChannelInactive()
    }

    private func shake(_ context: ChannelHandlerContext) {
        do {
            isEstablished = try session.shake()
        } catch {
            // The alert says why, to the other side.
            send(context, nil)
            context.flush()
            return fail(context, error)
        }
        send(context, nil)
        context.flush()
        if isEstablished {
            established.succeed(session.speaksHTTP2 ? .http2 : .http1)
        } else {
            context.read()
        }
    }

    private func pass(_ context: ChannelHandlerContext) {
        var plain = context.channel.allocator.buffer(capacity: Self.room)
        while true {
            do {
                var result = TLSClientSession.Plain.none
                try plain.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.room) { room in
                    result = try session.read(into: room)
                    if case .bytes(let count) = result { return count }
                    return 0
                }
                if case .bytes = result { continue }
                if plain.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(plain)) }
                if result == .ended, !isOver {
                    isOver = true
                    context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
                }
                return
            } catch {
                if plain.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(plain)) }
                return fail(context, error)
            }
        }
    }

    private func send(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let count = session.waiting
        if count == 0 {
            promise?.succeed()
            return
        }
        var bytes = context.channel.allocator.buffer(capacity: count)
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in session.take(into: room) }
        context.write(wrapOutboundOut(bytes), promise: promise)
    }

    private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
        if isOver { return }
        isOver = true
        if !isEstablished { established.fail(error) }
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }
}
