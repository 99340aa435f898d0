import AiboxCrypto
import AiboxNetwork
import AiboxSystem
import NIOCore
import NIOPosix
import Synchronization

/// Where Squid asks about each request that it reads in an opened tunnel, before anything of it goes out: an ICAP service
/// (RFC 3507) on a port of 127.0.0.1.
///
/// Who else of this machine finds the port does not know the path, gets nothing, and is closed after some seconds, or as soon as
/// many others come: not they keep Squid waiting. Whoever could ask would only be told what the list says, and be written down.
final class SquidJudge: Sendable {
    /// For Squid's configuration.
    let place: SquidConfiguration.Judge
    private let channel: any Channel

    /// As many as the sandbox may have connections.
    private static let queueLength: Int32 = 1024
    /// A connection on which nothing is asked is closed.
    private static let idleLimit = TimeAmount.minutes(10)
    /// Connections that have not shown the path, and how long they may wait with it.
    fileprivate static let strangerLimit = 64
    fileprivate static let strangerTime = TimeAmount.seconds(5)

    /// The URL, the method and the head that Squid read in an opened tunnel; the answer once the log has it.
    typealias Decide =
        @Sendable (_ url: String, _ method: String, _ head: [UInt8], any EventLoop) -> EventLoopFuture<ICAPAnswer>

    /// Told of what was allowed and never went out: Squid gave the question up, since its client had left.
    typealias Left = @Sendable (_ url: String, _ method: String, _ event: String, _ after: Duration) -> Void

    init(
        on group: any EventLoopGroup, left: @escaping Left, decide: @escaping Decide
    ) throws(AiboxError) {
        let secret = Hex.encode(try SecureRandom.bytes(32))
        let strangers = Strangers()
        do {
            channel = try ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: Self.queueLength)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(IdleStateHandler(allTimeout: Self.idleLimit))
                        try channel.pipeline.syncOperations.addHandler(
                            SquidJudgeHandler(decide, left, path: "/" + secret, strangers))
                    }
                }
                .bind(to: SocketAddress(ipAddress: IPv4.loopback.description, port: 0))
                .wait()
        } catch {
            throw AiboxError(.failed, "cannot listen for Squid's questions", why: "\(error)")
        }
        guard let port = channel.localAddress?.port.flatMap({ UInt16(exactly: $0) }) else {
            throw AiboxError(.failed, "cannot listen for Squid's questions", why: "no port came")
        }
        place = SquidConfiguration.Judge(port: port, secret: secret)
    }

    func end() { try? channel.close().wait() }
}

/// The connections that have not shown the path yet, oldest first.
private final class Strangers: Sendable {
    private let channels = Mutex<[any Channel]>([])

    /// - Returns: the one that has to make room, if there are too many. Squid shows the path at once; it is never the oldest.
    func enter(_ channel: any Channel) -> (any Channel)? {
        channels.withLock { channels in
            channels.append(channel)
            return channels.count > SquidJudge.strangerLimit ? channels.removeFirst() : nil
        }
    }

    func leave(_ channel: any Channel) { channels.withLock { $0.removeAll { $0 === channel } } }
}

/// One connection of Squid's: one question after the other.
private final class SquidJudgeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let decide: SquidJudge.Decide
    private let left: SquidJudge.Left
    private let path: [UInt8]
    private var parser = ICAPRequestParser()
    private var isAsked = false
    private var isOpen = true
    private let strangers: Strangers
    private var isStranger = true
    private var deadline: Scheduled<Void>?

    init(
        _ decide: @escaping SquidJudge.Decide, _ left: @escaping SquidJudge.Left, path: String, _ strangers: Strangers
    ) {
        self.decide = decide
        self.left = left
        self.path = Array(path.utf8)
        self.strangers = strangers
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: SquidJudge.strangerTime) { channel.close(promise: nil) }
        strangers.enter(channel)?.close(promise: nil)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        isOpen = false
        isKnown(context.channel)
        context.fireChannelInactive()
    }

    /// No stranger any more.
    private func isKnown(_ channel: any Channel) {
        if !isStranger { return }
        isStranger = false
        deadline?.cancel()
        strangers.leave(channel)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        parser.feed(unwrapInboundIn(data).readableBytesView)
        proceed(context)
    }

    private func proceed(_ context: ChannelHandlerContext) {
        if isAsked { return }
        do throws(ICAPRequest.Failure) {
            guard let request = try parser.next() else { return }
            switch request {
            case .options(let path): answer(isOwn(path, context) ? .options : .notFound, context)
            case .modify(let path, let method, let url, let head):
                guard isOwn(path, context) else { return answer(.notFound, context) }
                if method == "GET", url == SquidProbe.judge.url { return answer(.heard, context) }
                isAsked = true
                let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
                let begun = ContinuousClock.now
                decide(url, method, head, context.eventLoop).whenSuccess { answer in
                    let (handler, context) = bound.value
                    handler.isAsked = false
                    guard handler.isOpen else {
                        if case .passes(let event) = answer {
                            handler.left(url, method, event, begun.duration(to: .now))
                        }
                        return
                    }
                    handler.answer(answer, context)
                    handler.proceed(context)
                }
            }
        } catch {
            context.close(promise: nil)
        }
    }

    private func isOwn(_ path: String, _ context: ChannelHandlerContext) -> Bool {
        let isOwn = ConstantTime.equal(Array(path.utf8), self.path)
        if isOwn { isKnown(context.channel) }
        return isOwn
    }

    private func answer(_ answer: ICAPAnswer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer.bytes)), promise: nil)
        if answer == .notFound { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent, !isAsked { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
