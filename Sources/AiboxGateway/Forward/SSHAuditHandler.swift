import AiboxAudit
import AiboxSystem
import AiboxWire
import NIOCore

/// Tells the audit log of a connection to the sandbox's SSH server: the client's first bytes wait until the event is on
/// the disk (P7).
///
/// Who connects and sends nothing gets the server's greeting and no event: `start` looks like that whether sshd answers.
final class SSHAuditHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private enum State {
        case silent
        case waiting
        case open(since: ContinuousClock.Instant)
        case closed
    }

    private let audit: GatewayAudit
    private let port: UInt16
    private var state = State.silent
    /// What came while the event is written, and what was asked for.
    private var held: [NIOAny] = []
    private var isInputClosed = false
    private var isReadHeld = false
    private var client = ""
    private var bytesIn: Int64 = 0
    private var bytesOut: Int64 = 0

    /// - Parameter port: the port on the host.
    init(_ audit: GatewayAudit, port: UInt16) {
        self.audit = audit
        self.port = port
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytesIn += Int64(unwrapInboundIn(data).readableBytes)
        switch state {
        case .open: context.fireChannelRead(data)
        case .closed: break
        case .waiting: held.append(data)
        case .silent:
            held.append(data)
            state = .waiting
            client = context.remoteAddress.map(Self.text) ?? ""
            let event = AuditEvent(.sshOpen, subject: client, details: ["port": .integer(Int64(port))])
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            audit.before(event, on: context.eventLoop).whenComplete { result in
                let (handler, context) = bound.value
                switch result {
                case .success: handler.opened(context)
                case .failure: context.close(promise: nil)
                }
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .open = state { context.fireChannelReadComplete() }
    }

    /// Nothing more is read than what is held while the event is written.
    func read(context: ChannelHandlerContext) {
        if case .waiting = state { isReadHeld = true } else { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .waiting = state, case .inputClosed? = event as? ChannelEvent {
            isInputClosed = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        bytesOut += Int64(unwrapOutboundIn(data).readableBytes)
        context.write(data, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    private func opened(_ context: ChannelHandlerContext) {
        state = .open(since: .now)
        // Gone while its event was written.
        guard context.channel.isActive else { return end() }
        for data in held { context.fireChannelRead(data) }
        held = []
        context.fireChannelReadComplete()
        if isInputClosed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        if isReadHeld { context.read() }
    }

    private func end() {
        guard case .open(let since) = state else { return }
        state = .closed
        audit.note(
            AuditEvent(
                .sshClose, subject: client,
                details: [
                    "bytes_in": .integer(bytesIn), "bytes_out": .integer(bytesOut),
                    "duration_ms": .integer(Int64((ContinuousClock.now - since).milliseconds)),
                ]))
    }

    private static func text(_ address: SocketAddress) -> String {
        [address.ipAddress, address.port.map { "\($0)" }].compactMap(\.self).joined(separator: ":")
    }
}
