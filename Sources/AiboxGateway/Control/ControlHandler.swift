import AiboxSystem
import AiboxWire
import NIOCore

/// One connection of the control socket: a request a line, a reply a line, in order.
final class ControlHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let service: ControlService
    private let log: GatewayLog
    /// The person at the other end.
    private let person: String
    private var framer = LineFramer(limit: Wire.lineLimit)
    private var waiting: [[UInt8]] = []
    private var isBusy = false
    private var isEnding = false

    /// Requests that may wait behind the one being answered.
    private static let queueLimit = 16

    init(service: ControlService, person: String, log: GatewayLog) {
        self.service = service
        self.person = person
        self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isEnding { return }
        do {
            waiting += try framer.feed(unwrapInboundIn(data).readableBytesView)
        } catch {
            return refuse(context, "a line is longer than \(Wire.lineLimit) bytes")
        }
        if waiting.count > Self.queueLimit { return refuse(context, "too many requests at once") }
        answerNext(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent, !isBusy { context.close(promise: nil) }
    }

    private func answerNext(_ context: ChannelHandlerContext) {
        if isBusy || isEnding || waiting.isEmpty { return }
        let request: ControlRequest
        do {
            request = try ControlRequest(json: try JSONParser.parse(waiting.removeFirst()))
        } catch let error as WireError {
            return refuse(context, error)
        } catch {
            return refuse(context, "\(error)")
        }
        isBusy = true
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        service.answer(request, by: person, on: context.eventLoop).whenComplete { result in
            let (handler, context) = bound.value
            let reply: ControlReply
            switch result {
            case .success(let answer): reply = answer
            case .failure(let error): reply = .failed(WireError(error))
            }
            let service = handler.service
            handler.send(reply, context).whenComplete { _ in
                if request == .stop { service.stop() }
            }
            handler.isBusy = false
            handler.answerNext(context)
        }
    }

    /// Answers what is no request, and hangs up: the rest of the stream cannot be trusted.
    private func refuse(_ context: ChannelHandlerContext, _ error: WireError) {
        isEnding = true
        waiting = []
        log.warning("control request refused", ["reason": "\(error)"])
        let channel = context.channel
        send(.failed(error), context).whenComplete { _ in channel.close(promise: nil) }
    }

    private func refuse(_ context: ChannelHandlerContext, _ why: String) {
        refuse(context, WireError(code: "usage", what: "cannot read the request", why: why))
    }

    private func send(_ reply: ControlReply, _ context: ChannelHandlerContext) -> EventLoopFuture<Void> {
        let bytes = reply.json.bytes + [UInt8(ascii: "\n")]
        return context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)))
    }
}

extension WireError {
    /// Any error as it travels.
    init(_ error: any Error) {
        guard let error = error as? AiboxError else {
            self.init(what: "cannot do that", why: "\(error)")
            return
        }
        self.init(code: error.code.description, what: error.what, why: error.why, remedy: error.remedy)
    }
}
