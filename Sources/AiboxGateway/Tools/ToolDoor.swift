import AiboxAudit
import AiboxNetwork
import AiboxSystem
import AiboxWire
import NIOCore
import NIOPosix
import Synchronization

/// Where the gates of a sandbox ask: 10.200.1.1:8444, by a datagram what is decided at once (`ToolDatagram`), everything else by
/// one request a connection.
///
/// Who asks is the sandbox: nobody else reaches that address. Decisions are made on a loop of their own, so that nothing
/// that a sandbox asks here holds up its other doors.
final class ToolDoor: Sendable {
    private let judge: NIOLoopBound<ToolJudge>
    private let pace: NIOLoopBoundBox<ToolPace>
    private let reviews: NIOLoopBound<ToolReviews>
    private let pending: NIOLoopBoundBox<ToolPending>
    private let strays: NIOLoopBound<ToolStrays>
    private let tickets = Atomic(0)
    private let audit: GatewayAudit
    private let group: MultiThreadedEventLoopGroup
    private let loop: any EventLoop
    /// Connections, and questions by datagram that are not answered yet.
    private let open = Atomic(0)
    private let log: GatewayLog

    static let connectionLimit = 256
    /// For a question to come whole, and for its answer to go.
    static let patience = TimeAmount.seconds(5)
    private static let queueLength: Int32 = 1024

    init(
        _ plan: ToolPlan, learn: LearnPlan?, user: String, sandbox: String, audit: GatewayAudit, log: GatewayLog
    ) throws(AiboxError) {
        self.audit = audit
        self.log = log
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        loop = group.next()
        do {
            (judge, pace, reviews, pending, strays) = try loop.submit { [loop] in
                (
                    NIOLoopBound(
                        try ToolJudge(plan, learn: learn?.policy, user: user, sandbox: sandbox), eventLoop: loop),
                    NIOLoopBoundBox(ToolPace(now: .now()), eventLoop: loop),
                    NIOLoopBound(ToolReviews(plan, audit: audit, loop: loop), eventLoop: loop),
                    NIOLoopBoundBox(ToolPending(), eventLoop: loop),
                    NIOLoopBound(ToolStrays(audit: audit, loop: loop), eventLoop: loop)
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

    func serve(datagrams socket: Descriptor) throws -> any Channel {
        try DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ToolDatagramHandler(self))
                }
            }
            .withBoundSocket(socket.release())
            .wait()
    }

    private func admit(_ channel: any Channel) throws {
        let isRoom = open.add(1, ordering: .relaxed).newValue <= Self.connectionLimit
        channel.closeFuture.whenComplete { _ in self.open.subtract(1, ordering: .relaxed) }
        if !isRoom { throw AiboxError(.failed, "cannot answer", why: "too many ask") }
        try channel.pipeline.syncOperations.addHandler(ToolHandler(self))
    }

    /// A number for who may have to wait.
    func newTicket() -> Int { tickets.add(1, ordering: .relaxed).newValue }

    /// The answer, once the event that tells of it is on the disk (P7). Without that nothing runs.
    ///
    /// - Parameters:
    ///   - mark: of the datagram with which the same was asked before; nil: it was not.
    ///   - asking: takes the words for who called, where a person is asked first.
    func answer(
        _ asked: ToolAsk, mark: [UInt8]?, to ticket: Int, asking: @escaping @Sendable (String) -> Void
    ) -> EventLoopFuture<ToolAnswer> {
        if let mark, let known = pending.value.take(mark, asked.question, now: .now()) { return known }
        let wait = pace.value.next(now: .now())
        let turn = wait > .nanoseconds(0) ? loop.scheduleTask(in: wait) {}.futureResult : loop.makeSucceededVoidFuture()
        return turn.flatMap { [self] in
            let ruling = judge.value.judge(asked)
            return ruling.isReviewed ? reviewed(asked, ruling, ticket, asking) : told(ruling)
        }.flatMapErrorThrowing { [self] error in unwritten(error) }
    }

    /// The answer to a datagram. What a person decides, what has to wait and what does not fit is told over a connection, and
    /// nothing of it is written down before.
    func answerAtOnce(_ asked: ToolDatagram) -> EventLoopFuture<[UInt8]> {
        let elsewhere = loop.makeSucceededFuture(asked.elsewhere)
        guard open.load(ordering: .relaxed) < Self.connectionLimit, pace.value.passes(now: .now()) else {
            return elsewhere
        }
        let ruling = judge.value.judge(.call(asked.question))
        guard !ruling.isReviewed, let answer = asked.answer(ruling.answer) else { return elsewhere }
        open.add(1, ordering: .relaxed)
        let told = told(ruling).flatMapErrorThrowing { [self] error in unwritten(error) }
        pending.value.begin(asked, told, now: .now())
        return told.map { said in said == ruling.answer ? answer : asked.answer(said) ?? asked.elsewhere }
            .always { [self] _ in open.subtract(1, ordering: .relaxed) }
    }

    /// The answer where the event that tells of it is not on the disk.
    private func unwritten(_ error: any Error) -> ToolAnswer {
        if !(error is ToolReviews.Left) { log.error("no decision about a tool", ["reason": "\(error)"]) }
        return ToolAnswer(
            run: nil, rule: "audit", layer: "org", reason: "the decision cannot be written down",
            nextSteps: ["aibox status, on the host, says what is wrong"])
    }

    private func told(_ ruling: ToolJudge.Ruling) -> EventLoopFuture<ToolAnswer> {
        audit.before(ruling.event, on: loop).map { ruling.answer }
    }

    private func reviewed(
        _ ask: ToolAsk, _ ruling: ToolJudge.Ruling, _ ticket: Int, _ asking: @escaping @Sendable (String) -> Void
    ) -> EventLoopFuture<ToolAnswer> {
        let question = ask.question
        switch reviews.value.ask(question, ruling, by: ticket) {
        case .decided(let verdict): return told(judge.value.concluded(ruling, verdict))
        case .refused: return told(judge.value.crowded(ruling))
        case .overlong: return told(judge.value.overlong(ruling))
        case .waits(let id, let asked, let verdict):
            let seconds = reviews.value.patience
            asked.whenSuccess { asking(ToolReply.waiting(ruling.answer, for: id, seconds: seconds, to: question)) }
            return asked.and(verdict).flatMap { [self] _, verdict in
                // A sandbox that learned when it asked may be held to its own policy by now.
                let now = judge.value.judge(ask)
                return told(now.answer.run == nil ? now : judge.value.concluded(ruling, verdict))
            }
        }
    }

    /// Something came that is no gate's question. On the loop of this door.
    func refused(_ asked: [UInt8], status: Int?) -> EventLoopFuture<Void> { strays.value.note(asked, status: status) }

    /// A connection is gone.
    func left(_ ticket: Int) { reviews.value.left(ticket) }

    /// Lets run what the organisation alone lets run until then; nil: no more.
    func learn(until: NIODeadline?) -> EventLoopFuture<Void> {
        loop.submit { [judge] in judge.value.learn(until: until) }
    }

    /// Exceptions of the policy have ended.
    func end(_ ending: ExceptionEnding) -> EventLoopFuture<Void> {
        loop.submit { [judge] in judge.value.end(ending) }
    }

    /// The calls that wait for a person.
    func openApprovals() -> EventLoopFuture<[ApprovalQuestion]> { loop.submit { [reviews] in reviews.value.open } }

    /// Takes a person's answer.
    func answer(_ answer: ApprovalAnswer, by person: String) -> EventLoopFuture<Void> {
        loop.flatSubmit { [reviews] in reviews.value.answer(answer, by: person) }
    }

    static func unknown(_ id: String, why: String = "no such question is open") -> AiboxError {
        AiboxError(
            .failed, "cannot answer \(SafeText.escaped(id))", why: why,
            remedy: "aibox approvals list shows those that are")
    }

    func end() { try? group.syncShutdownGracefully() }
}

/// Spreads questions, so that a sandbox cannot flood the audit log: a burst at once, then so many a second.
struct ToolPace {
    static let burst = 10_000
    static let perSecond = 200
    /// When the next question would be due if all came evenly.
    private var due: NIODeadline

    init(now: NIODeadline) { due = now - Self.step * Int64(Self.burst) }

    private static let step = TimeAmount.nanoseconds(1_000_000_000 / Int64(perSecond))

    /// Takes the place of a question that has to wait for nobody; false, and nothing is taken, if it has to.
    mutating func passes(now: NIODeadline) -> Bool {
        if due + Self.step > now { return false }
        return next(now: now) == .nanoseconds(0)
    }

    /// How long a question has to wait.
    mutating func next(now: NIODeadline) -> TimeAmount {
        due = max(due, now - Self.step * Int64(Self.burst)) + Self.step
        return max(.nanoseconds(0), due - now)
    }
}
