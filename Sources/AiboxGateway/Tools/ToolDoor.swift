import AiboxAudit
import AiboxSystem
import AiboxWire
import NIOCore
import NIOPosix
import Synchronization

/// Where the gates of a sandbox ask: 10.200.1.1:8444, one request a connection.
///
/// Who asks is the sandbox: nobody else reaches that address. Decisions are made on a loop of their own, so that nothing
/// that a sandbox asks here holds up its other doors.
final class ToolDoor: Sendable {
    private let judge: NIOLoopBound<ToolJudge>
    private let pace: NIOLoopBoundBox<ToolPace>
    private let audit: GatewayAudit
    private let group: MultiThreadedEventLoopGroup
    private let loop: any EventLoop
    private let open = Atomic(0)
    private let log: GatewayLog

    static let connectionLimit = 256
    /// For a question to come whole, and for its answer to go.
    static let patience = TimeAmount.seconds(5)
    private static let queueLength: Int32 = 1024

    init(_ plan: ToolPlan, user: String, audit: GatewayAudit, log: GatewayLog) throws(AiboxError) {
        self.audit = audit
        self.log = log
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        loop = group.next()
        do {
            (judge, pace) = try loop.submit { [loop] in
                (
                    NIOLoopBound(try ToolJudge(plan, user: user), eventLoop: loop),
                    NIOLoopBoundBox(ToolPace(now: .now()), eventLoop: loop)
                )
            }.wait()
        } catch {
            throw (error as? AiboxError) ?? AiboxError(.failed, "cannot open the door for tools", why: "\(error)")
        }
    }

    func serve(_ listener: Descriptor) throws -> any Channel {
        try ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.queueLength)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try self.admit(channel) } }
            .withBoundSocket(listener.release())
            .wait()
    }

    private func admit(_ channel: any Channel) throws {
        let isRoom = open.add(1, ordering: .relaxed).newValue <= Self.connectionLimit
        channel.closeFuture.whenComplete { _ in self.open.subtract(1, ordering: .relaxed) }
        if !isRoom { throw AiboxError(.failed, "cannot answer", why: "too many ask") }
        try channel.pipeline.syncOperations.addHandler(ToolHandler(self))
    }

    /// The answer, once the event that tells of it is on the disk (P7). Without that nothing runs.
    func answer(_ question: ToolQuestion) -> EventLoopFuture<ToolAnswer> {
        let wait = pace.value.next(now: .now())
        let turn = wait > .nanoseconds(0) ? loop.scheduleTask(in: wait) {}.futureResult : loop.makeSucceededVoidFuture()
        return turn.flatMap { [self] in
            let ruling = judge.value.judge(question)
            return audit.before(ruling.event, on: loop).map { ruling.answer }
        }.flatMapErrorThrowing { [log] error in
            log.error("no decision about a tool", ["reason": "\(error)"])
            return ToolAnswer(
                run: nil, rule: "audit", layer: "org", reason: "the decision cannot be written down",
                nextSteps: ["aibox status, on the host, says what is wrong"])
        }
    }

    func end() { try? group.syncShutdownGracefully() }
}

/// Spreads questions, so that a sandbox cannot flood the audit log: a burst at once, then so many a second.
struct ToolPace {
    static let burst = 1000
    static let perSecond = 200
    /// When the next question would be due if all came evenly.
    private var due: NIODeadline

    init(now: NIODeadline) { due = now }

    private static let step = TimeAmount.nanoseconds(1_000_000_000 / Int64(perSecond))

    /// How long a question has to wait.
    mutating func next(now: NIODeadline) -> TimeAmount {
        due = max(due, now - Self.step * Int64(Self.burst)) + Self.step
        return max(.nanoseconds(0), due - now)
    }
}
