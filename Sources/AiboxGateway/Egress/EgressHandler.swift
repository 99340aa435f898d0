import AiboxAudit
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import NIOCore

/// The sandbox's side of one connection on its way out: does what `EgressConnection` says, in order.
///
/// Nothing is read that could not be passed on: the sockets' buffers are all that a slow reader costs.
final class EgressHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    typealias Action = EgressConnection.Action

    private let service: EgressService
    private let door: EgressConnection.Door
    private var machine: EgressConnection
    private var context: ChannelHandlerContext?
    private var upstream: SquidConnection?
    /// Of what Squid reads itself; what it only passes on does not stay with it.
    private var pace = UploadPace()
    /// What is still to be done, in order.
    private var actions: [Action] = []
    private var isRunning = false
    /// A refusal is being written down: what follows waits for it.
    private var isRecording = false
    private var isTunnel = false
    private var isReading = false
    private var isUpstreamReading = false
    /// The client said all it has to say.
    private var isInputClosed = false
    /// An answer was sent that ends the connection: what still comes is thrown away, for a while.
    private var isLingering = false
    private var wasRefused = false
    private var discarded = 0
    private var timer: Scheduled<Void>?
    private var hasBytes = false
    /// What a rule's limits count this connection for.
    private var held: EgressGrant?
    /// What the policies in Rego said of the last request.
    private var rego: NetworkDecider.Rego?
    /// What learning has to do with it.
    private var learned: NetworkDecider.Learned?
    private var recorded: (id: EventID, begun: ContinuousClock.Instant)?

    private static let headLimit = TimeAmount.seconds(30)
    private static let answerLimit = TimeAmount.seconds(90)
    private static let lingerLimit = TimeAmount.seconds(2)
    private static let discardLimit = 1 << 20

    init(service: EgressService, door: EgressConnection.Door, key: String) {
        self.service = service
        self.door = door
        machine = EgressConnection(door: door, key: key, screen: service.screen)
    }

    // MARK: The sandbox's side

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        limitTime(Self.headLimit)
        if !service.admit(self, on: context.eventLoop) {
            perform(machine.abort(.crowded(EgressService.connectionLimit)))
        }
        if context.channel.isActive { updateReading() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        updateReading()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        hasBytes = true
        if isLingering { return discard(buffer.readableBytes) }
        if isTunnel, let upstream {
            let actions = machine.countUp(buffer.readableBytes)
            if machine.isClosed { return perform(actions) }
            pace.sent(buffer.readableBytes)
            upstream.channel.write(buffer, promise: nil)
            return
        }
        perform(machine.received(Array(buffer.readableBytesView)))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        upstream?.channel.flush()
        updateReading()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { resume() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .inputClosed? = event as? ChannelEvent else { return context.fireUserInboundEventTriggered(event) }
        isInputClosed = true
        if isLingering { return context.close(promise: nil) }
        if isTunnel {
            upstream?.channel.close(mode: .output, promise: nil)
        } else {
            perform(machine.clientEnded())
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        // Whatever the machine still wants done for the record; nobody is left to be answered.
        perform(machine.clientLost())
        closeUpstream()
        releaseHeld()
        service.leave(self)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// The list has changed: what it no longer allows ends here.
    func reconsider() {
        guard !machine.isClosed, let (request, _) = machine.authorised else { return }
        let verdict = service.judge(request)
        rego = verdict.rego
        learned = verdict.learned
        if case .deny(let denial) = verdict.decision { perform(machine.abort(.tightened(denial))) }
    }

    /// Ends it if what is asked for inside is judged by Squid.
    func closeIfOpened() {
        if let (_, grant) = machine.authorised, grant.needsInspection { cut() }
    }

    /// The sandbox is cut off.
    func cut() { context?.close(promise: nil) }

    // MARK: Squid's side

    func upstreamRead(_ buffer: ByteBuffer, from channel: any Channel) {
        guard upstream?.channel === channel, let context else { return }
        if isTunnel {
            machine.countDown(buffer.readableBytes)
            context.write(wrapOutboundOut(buffer), promise: nil)
            return
        }
        perform(machine.upstreamReceived(Array(buffer.readableBytesView)))
    }

    func upstreamReadComplete(_ channel: any Channel) {
        guard upstream?.channel === channel else { return }
        isUpstreamReading = false
        context?.flush()
        updateReading()
    }

    func upstreamEnded(_ channel: any Channel) {
        guard upstream?.channel === channel else { return }
        upstream = nil
        channel.close(promise: nil)
        perform(machine.upstreamEnded())
    }

    /// Something can be written again.
    func resume() { updateReading() }

    private func updateReading() {
        guard let context, context.channel.isActive else { return }
        askForRoom()
        let canPassUp = upstream.map { $0.channel.isWritable && !(isPaced && pace.isSpent) } ?? true
        if !isReading, !isInputClosed, isLingering || (machine.wantsClientBytes && canPassUp && !isRecording) {
            isReading = true
            context.read()
        }
        if let upstream, !isUpstreamReading, context.channel.isWritable, !machine.isClosed {
            isUpstreamReading = true
            upstream.channel.read()
        }
    }

    // MARK: The pace

    /// Squid reads a request's body itself in the clear, and in the tunnels that it opens.
    private var isPaced: Bool { !isTunnel || machine.authorised?.grant.needsInspection == true }

    /// Asks how much of what was sent Squid still holds, if that may be much.
    private func askForRoom() {
        guard let upstream, isPaced, pace.isSpent, !pace.isAsking, !machine.isClosed else { return }
        pace.asks()
        askForRoom(of: upstream)
    }

    private func askForRoom(of upstream: SquidConnection) {
        guard let loop = context?.eventLoop, let port = upstream.channel.localAddress?.port else { return }
        let squid = upstream.squid
        // What is still on its way to Squid would not be counted.
        let held = upstream.channel.writeAndFlush(ByteBuffer()).flatMap {
            squid.gauge.held(from: UInt16(port), on: loop)
        }
        whenDone(held) { handler, result in
            guard handler.upstream?.channel === upstream.channel else { return }
            guard let pause = handler.pace.answered(held: try? result.get()) else { return handler.updateReading() }
            loop.assumeIsolated().scheduleTask(in: pause) { [weak handler] in
                if handler?.upstream?.channel === upstream.channel { handler?.askForRoom(of: upstream) }
            }
        }
    }

    // MARK: Doing

    private func perform(_ more: [Action]) {
        actions += more
        if isRunning { return }
        isRunning = true
        while !isRecording, !actions.isEmpty { step(actions.removeFirst()) }
        isRunning = false
        context?.flush()
        upstream?.channel.flush()
        updateReading()
    }

    private func step(_ action: Action) {
        // What was recorded has an end, also where the client did not wait for it.
        if case .finished(let traffic) = action { return finished(traffic) }
        guard let context else { return }
        switch action {
        case .ask(let request):
            refreshUpstream()
            let verdict = service.decide(request)
            rego = verdict.rego
            learned = verdict.learned
            if case .allow(let grant) = verdict.decision { held = grant }
            limitTime(Self.answerLimit)
            actions += machine.decided(verdict.decision)
        case .resolve(let host):
            guard let grant = held else { return actions += machine.resolved(EgressConnection.unavailable) }
            whenDone(service.check(host, grant, on: context.eventLoop)) { handler, result in
                switch result {
                case .success(let refusal): handler.perform(handler.machine.resolved(refusal))
                case .failure: handler.perform(handler.machine.resolved(EgressConnection.unavailable))
                }
            }
        case .record(let request, let grant):
            let begun = ContinuousClock.now
            refreshUpstream()
            whenDone(service.recorder.allowed(request, grant, rego, learned, .door(door), on: context.eventLoop)) {
                handler, result in
                handler.recorded = (try? result.get()).map { ($0, begun) }
                handler.perform(handler.machine.recorded(handler.recorded == nil ? .unrecorded : nil))
            }
        case .openUpstream:
            // Somebody may be waiting for what was said to the client.
            context.flush()
            whenDone(service.connect(self, on: context.eventLoop)) { $0.opened($1, isFirst: true) }
        case .sendUpstream(let bytes):
            pace.sent(bytes.count)
            upstream?.channel.write(ByteBuffer(bytes: bytes), promise: nil)
        case .sendClient(let bytes): context.write(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        case .startTunnel:
            isTunnel = true
            timer?.cancel()
        case .startExchange: timer?.cancel()
        case .denied(let denial, let attempt):
            wasRefused = true
            releaseHeld()
            isRecording = true
            // What cannot be written down is refused all the same.
            whenDone(
                service.recorder.denied(
                    denial, attempt, rego.flatMap { $0.refuses ? $0 : nil }, learned, .door(door), on: context.eventLoop
                )
            ) { handler, _ in
                handler.isRecording = false
                handler.perform([])
            }
        case .finished: break
        case .closeUpstream: closeUpstream()
        case .closeClient: closeClient(context)
        }
    }

    private func finished(_ traffic: EgressTraffic) {
        if let (id, begun) = recorded { service.recorder.ended(traffic, of: id, after: begun.duration(to: .now)) }
        recorded = nil
        releaseHeld()
        hasBytes = false
        if !machine.isClosed { limitTime(Self.headLimit) }
    }

    private func whenDone<Value: Sendable>(
        _ future: EventLoopFuture<Value>, _ body: @escaping (EgressHandler, Result<Value, any Error>) -> Void
    ) {
        future.assumeIsolated().whenComplete { result in body(self, result) }
    }

    private func opened(_ result: Result<SquidConnection, any Error>, isFirst: Bool) {
        let connection = try? result.get()
        guard let context, context.channel.isActive, !machine.isClosed else {
            // Nobody asks for it any more.
            connection?.channel.close(promise: nil)
            return
        }
        // Since it was made the list may have changed, and Squid with it, or Squid may have died.
        if let connection, connection.squid !== service.squid || !connection.channel.isActive {
            connection.channel.close(promise: nil)
            if isFirst {
                return whenDone(service.connect(self, on: context.eventLoop)) { $0.opened($1, isFirst: false) }
            }
            return perform(machine.upstreamEnded())
        }
        upstream = connection
        pace = UploadPace()
        isUpstreamReading = false
        perform(connection == nil ? machine.upstreamEnded() : machine.upstreamConnected())
    }

    private func closeUpstream() {
        upstream?.channel.close(promise: nil)
        upstream = nil
    }

    /// A connection that was made before goes to the Squid with the list in force, or is made anew.
    private func refreshUpstream() {
        guard let upstream, upstream.squid !== service.squid else { return }
        self.upstream = nil
        upstream.channel.close(promise: nil)
        actions += machine.upstreamEnded()
    }

    private func releaseHeld() {
        if let held { service.release(held) }
        held = nil
    }

    // MARK: The end

    /// Closes behind the last byte. After a refusal the client may still be sending: closing at once would take the
    /// answer away from it (RFC 9112 section 9.6).
    private func closeClient(_ context: ChannelHandlerContext) {
        timer?.cancel()
        closeUpstream()
        let channel = context.channel
        guard wasRefused, !isInputClosed else {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
            limitTime(Self.headLimit)
            return
        }
        isLingering = true
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            channel.close(mode: .output, promise: nil)
        }
        limitTime(Self.lingerLimit)
    }

    private func discard(_ count: Int) {
        discarded += count
        if discarded > Self.discardLimit { context?.close(promise: nil) }
    }

    private func limitTime(_ limit: TimeAmount) {
        timer?.cancel()
        guard let context else { return }
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [weak self] in self?.timeIsUp() }
    }

    private func timeIsUp() {
        guard let context else { return }
        if machine.isClosed || !hasBytes { return context.close(promise: nil) }
        perform(machine.abort(machine.wantsClientBytes ? .tooSlow : EgressConnection.unavailable))
    }
}
