import AiboxNetwork
import NIOCore
import NIOPosix
import Synchronization

/// Asks a Squid how much it holds of what was sent to it.
///
/// A Squid older than August 2024 takes a full buffer for the end of the connection, and breaks off an upload that comes
/// faster than its origin takes it (Squid bug 5405, github.com/squid-cache/squid/pull/1887). So nobody may fill it.
///
/// One question at a time serves all who ask, and a pause follows each: however many uploads wait for their origins, and however
/// long Squid takes to answer, it has most of its time for something else.
final class SquidGauge: Sendable {
    private struct Waiter {
        var port: UInt16
        var promise: EventLoopPromise<Int>
        /// Questions that have to be answered before what was sent has been read: Squid answers the second after it has looked at
        /// every connection at least once since the first.
        var questions = 2
    }

    private struct State {
        var waiting: [Waiter] = []
        var isAsking = false
        /// No question begins before.
        var next = NIODeadline.uptimeNanoseconds(0)
    }

    private let port: UInt16
    private let secret: String
    private let state = Mutex(State())

    private static let patience = TimeAmount.seconds(2)
    private static let answerLimit = 4 << 20
    /// A pause is this many times as long as the question before it took, within bounds: a lone upload hardly feels the shortest.
    private static let share: Int64 = 4
    private static let shortestPause = TimeAmount.milliseconds(2)
    private static let longestPause = TimeAmount.milliseconds(200)

    init(port: UInt16, secret: String) {
        self.port = port
        self.secret = secret
    }

    /// The bytes that Squid holds of the connection from `port`, once it has read all that was sent there before.
    func held(from port: UInt16, on loop: any EventLoop) -> EventLoopFuture<Int> {
        let promise = loop.makePromise(of: Int.self)
        let begins = state.withLock { state in
            state.waiting.append(Waiter(port: port, promise: promise))
            defer { state.isAsking = true }
            return !state.isAsking
        }
        if begins { ask(on: loop) }
        return promise.futureResult
    }

    /// The time after a question in which no other begins.
    static func pause(after question: TimeAmount) -> TimeAmount {
        max(shortestPause, min(question * share, longestPause))
    }

    /// One question, after the pause, for all who wait at its beginning.
    private func ask(on loop: any EventLoop) {
        loop.scheduleTask(deadline: state.withLock { $0.next }) { self.state.withLock { $0.waiting.count } }
            .futureResult
            .flatMap { count in
                let begun = NIODeadline.now()
                return self.question(on: loop).always { _ in
                    let now = NIODeadline.now()
                    self.state.withLock { $0.next = now + Self.pause(after: now - begun) }
                }
                .map { (count, $0) }
            }
            .whenComplete { self.answered($0, on: loop) }
    }

    private func answered(_ result: Result<(count: Int, buffers: SquidBuffers), any Error>, on loop: any EventLoop) {
        let count = (try? result.get())?.count
        let (done, goesOn) = state.withLock { state in
            var done: [Waiter] = []
            for index in state.waiting.indices.prefix(count ?? 0) { state.waiting[index].questions -= 1 }
            state.waiting.removeAll { waiter in
                let isDone = waiter.questions <= 0 || count == nil
                if isDone { done.append(waiter) }
                return isDone
            }
            state.isAsking = !state.waiting.isEmpty
            return (done, state.isAsking)
        }
        for waiter in done { waiter.promise.completeWith(result.map { $0.buffers.held[waiter.port] ?? 0 }) }
        if goesOn { ask(on: loop) }
    }

    private func question(on loop: any EventLoop) -> EventLoopFuture<SquidBuffers> {
        let answer = loop.makePromise(of: SquidBuffers.self)
        let question = SquidBuffers.question(port: port, secret: secret)
        let address: SocketAddress
        do { address = try SocketAddress(ipAddress: IPv4.loopback.description, port: Int(port)) } catch {
            return loop.makeFailedFuture(error)
        }
        ClientBootstrap(group: loop)
            .connectTimeout(Self.patience)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Reader(answer: answer, limit: Self.answerLimit))
                }
            }
            .connect(to: address)
            .whenComplete { result in
                switch result {
                case .failure(let error): answer.fail(error)
                case .success(let channel):
                    channel.writeAndFlush(ByteBuffer(bytes: question), promise: nil)
                    let limit = loop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
                    channel.closeFuture.whenComplete { _ in limit.cancel() }
                }
            }
        return answer.futureResult
    }

    /// The answer came, and is none.
    private struct Unreadable: Error {}

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let answer: EventLoopPromise<SquidBuffers>
        private let limit: Int
        private var bytes: [UInt8] = []

        init(answer: EventLoopPromise<SquidBuffers>, limit: Int) {
            self.answer = answer
            self.limit = limit
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += unwrapInboundIn(data).readableBytesView
            if bytes.count > limit { context.close(promise: nil) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            if bytes.count <= limit, let buffers = SquidBuffers(answer: bytes) {
                answer.succeed(buffers)
            } else {
                answer.fail(Unreadable())
            }
            context.fireChannelInactive()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
