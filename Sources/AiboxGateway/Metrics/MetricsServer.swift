import AiboxAudit
import AiboxSystem
import Dispatch
import NIOCore
import NIOPosix
import Synchronization

/// The figures of a sandbox's events for Prometheus, on a port of the host's loopback.
///
/// The sandbox has no way there: its namespace knows the gateway's address alone, and the way out refuses addresses of
/// the host. Who is logged in to the host can read the figures, which name no host, no file and no person.
final class MetricsServer: Sendable {
    private let folder: String
    private let counter: Mutex<AuditCounter>
    private let queue = DispatchQueue(label: "aibox.metrics")
    private let open = Atomic(0)
    private let log: GatewayLog

    private static let connectionLimit = 16
    /// A silent connection is closed.
    private static let idleLimit = TimeAmount.seconds(10)

    /// - Parameter folder: the audit folder; what is in the log already is not counted.
    init(folder: String, sandbox: String, log: GatewayLog) throws(AiboxError) {
        self.folder = folder
        counter = Mutex(try AuditCounter(folder: folder, sandbox: sandbox))
        self.log = log
    }

    func serve(_ listener: Descriptor, on group: any EventLoopGroup) throws -> any Channel {
        try ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let isRoom = self.open.add(1, ordering: .relaxed).newValue <= Self.connectionLimit
                    channel.closeFuture.whenComplete { _ in self.open.subtract(1, ordering: .relaxed) }
                    if !isRoom { throw AiboxError(.failed, "cannot tell the figures", why: "too many ask") }
                    try channel.pipeline.syncOperations.addHandler(IdleStateHandler(allTimeout: Self.idleLimit))
                    try channel.pipeline.syncOperations.addHandler(MetricsHandler(self))
                }
            }
            .withBoundSocket(listener.release())
            .wait()
    }

    /// Reads what the log gained, on a thread of its own: the doors' loops never wait for a disk.
    func figures(on loop: any EventLoop) -> EventLoopFuture<String> {
        let promise = loop.makePromise(of: String.self)
        queue.async { [self] in
            do throws(AiboxError) {
                let figures = try counter.withLock { (counter) throws(AiboxError) in try counter.read() }
                promise.succeed(try AuditMetrics.text(figures, folder: folder))
            } catch {
                log.warning("no figures", ["reason": "\(error)"])
                promise.fail(error)
            }
        }
        return promise.futureResult
    }
}

/// One connection: one request, one answer, closed.
private final class MetricsHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: MetricsServer
    private var head: [UInt8] = []
    private var isAnswered = false

    init(_ server: MetricsServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isAnswered { return }
        head += unwrapInboundIn(data).readableBytesView
        switch MetricsRequest.answer(to: head) {
        case .more: return
        case .refusal(let status):
            isAnswered = true
            send(status, status + "\n", type: "text/plain", context)
        case .figures:
            isAnswered = true
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            server.figures(on: context.eventLoop).whenComplete { result in
                let (handler, context) = bound.value
                switch result {
                case .success(let text): handler.send("200 OK", text, type: AuditMetrics.contentType, context)
                case .failure:
                    handler.send("503 Service Unavailable", "the log cannot be read\n", type: "text/plain", context)
                }
            }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func send(_ status: String, _ body: String, type: String, _ context: ChannelHandlerContext) {
        let text =
            "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n"
            + "Cache-Control: no-store\r\nConnection: close\r\n\r\n" + body
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)))
            .whenComplete { _ in channel.close(promise: nil) }
    }
}
