import AiboxAudit
import AiboxNetwork
import AiboxSystem
import AiboxWire
import NIOCore

/// A connection to git servers, mirrors and other places: the broker adds the credential, nothing inside has one.
///
/// Each request is decided by its head. Bodies are passed on as they come, either way, and never held; a slow side slows
/// the other down.
final class PlaceConnection: ChannelInboundHandler, RemovableChannelHandler, UpstreamAsker {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        /// Between requests, or in the middle of a head.
        case head
        /// The decision is written down, the server connected.
        case deciding
        /// The body goes up, the answer comes down.
        case asking
        /// The last answer is out: what still comes is thrown away for a moment (RFC 9112 section 9.6).
        case lingering
        case closed
    }

    private let service: BrokerService
    private let pool: UpstreamPool
    private let link: ClientLink
    private var phase = Phase.head
    /// Of the newest request.
    private var kind = PlaceGrant.Kind.git
    private var input: RequestInput
    private var request: PlaceExchange?
    private var upstream: (any UpstreamCarrier)?

    /// - Parameter input: what came behind the first head.
    init(service: BrokerService, pool: UpstreamPool, input: RequestInput) {
        self.service = service
        self.pool = pool
        link = ClientLink(silence: service.bounds.silence)
        self.input = input
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) { link.attach(context) }
    func handlerRemoved(context: ChannelHandlerContext) { link.detach() }

    /// Takes the connection over with a request's head.
    func begin(_ head: HTTPRequestHead) {
        accept(head)
        updateReading()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if phase == .lingering || phase == .closed { return }
        input.append(unwrapInboundIn(data))
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        link.hasRead()
        updateReading()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            link.progressed()
            upstream?.updateReading()
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is BrokerService.PlanChanged else { return context.fireUserInboundEventTriggered(event) }
        // What is under way for a place that is no longer open ends at once.
        if let grant = request?.access?.grant, !service.configuration.plan.places.contains(where: grant.isSamePlace) {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        link.stopTimer()
        phase = .closed
        upstream?.abandon()
        upstream = nil
        noteRedactions()
        request = nil
        service.leave()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func updateReading() {
        let isFull = phase != .lingering && input.bytes.readableBytes >= RequestInput.limit
        if phase != .closed, !isFull { link.read() }
    }

    // MARK: A request

    private func process() {
        while phase == .head {
            input.skipEmptyLine()
            guard input.bytes.readableBytes > 0 else { return }
            if input.isIdle { link.after(service.bounds.headTime) { self.link.close() } }
            switch input.head() {
            case .success(nil): return
            case .success(.some(let head)): accept(head)
            case .failure(let refusal): refuse(refusal)
            }
        }
        if phase == .asking { sendBody() }
    }

    private func accept(_ head: HTTPRequestHead) {
        link.stopTimer()
        guard let kind = PlaceRoutes.kind(of: head) else { return handBack(head) }
        let configuration = service.configuration
        var exchange = PlaceExchange(head, kind, configuration, id: service.nextRequest())
        self.kind = kind
        do throws(BrokerRefusal) {
            let target = try service.rules.target(head)
            try service.rules.checkConnection(PlaceFields.withoutOffers(head, kind))
            if let found = configuration.screen.find(in: head) {
                exchange.misuse = found
                throw BrokerRefusal.misplaced(found, kind)
            }
            let route = try PlaceRoutes.decide(kind, method: head.method, target: target)
            exchange.route = route
            try PlaceFields.refuseCredentials(head, kind)
            try route.check(head)
            let access = try access(route, configuration)
            try PlaceFields.refuseCredentials(head, kind, header: access.grant.header)
            exchange.access = access
        } catch {
            request = exchange
            return refuse(error)
        }
        request = exchange
        guard let access = exchange.access, let context = link.context else { return }
        phase = .deciding
        service.audit.before(exchange.asked(), on: context.eventLoop).assumeIsolated().whenComplete { result in
            guard self.isDeciding(exchange.id) else { return }
            if case .failure = result { return self.refuse(.unrecorded) }
            self.connect(access, id: exchange.id)
        }
    }

    /// A request for a language model, on the connection that a program keeps for all of this address: it goes on there.
    private func handBack(_ head: HTTPRequestHead) {
        guard let context = link.context else { return }
        phase = .closed
        let models = LLMConnection(service: service, pool: pool, input: input)
        do {
            try context.pipeline.syncOperations.addHandler(models, position: .after(self))
        } catch {
            service.leave()
            return context.close(promise: nil)
        }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
        models.begin(head)
    }

    private func access(
        _ route: any PlaceRoute, _ configuration: BrokerConfiguration
    ) throws(BrokerRefusal) -> PlaceAccess {
        let known = configuration.places.filter { route.isFor($0.grant) }
        guard let access = known.first(where: { $0.covers(route.host, route.port, route.path) }) else {
            let isKnown = known.contains { $0.host == route.host && $0.grant.port == route.port }
            let name = (route as? CustomRoute).map { "custom:\($0.name) --host \(route.authority)" }
            let type = route.kind == .git ? "git-token" : "mirror-token"
            throw route.refusal(
                isKnown
                    ? "the credential for \(route.authority) is not for \(route.path)"
                    : "there is no credential for \(route.authority), or the policy does not open the host",
                rule: "credential",
                nextSteps: ["Ask the person at this machine: aibox auth add \(name ?? "\(type):\(route.authority)")"])
        }
        if let refusal = service.end(of: access.grant) { throw refusal }
        return access
    }

    private func isDeciding(_ id: String) -> Bool { phase == .deciding && request?.id == id }

    private func connect(_ access: PlaceAccess, id: String) {
        guard let exchange = request else { return }
        pool.carrier(access.base, exchange.configuration.connector, isFresh: exchange.isRepeated) { result in
            guard self.isDeciding(id) else {
                // The client has gone meanwhile.
                if case .success(let carrier) = result { carrier.abandon() }
                return
            }
            switch result {
            case .success(let carrier): self.ask(carrier, access)
            case .failure(let error):
                let why = (error as? AiboxError)?.reason ?? "it cannot be reached"
                self.refuse(self.upstreamFails("cannot ask \(access.base.host): \(why)"))
            }
        }
    }

    private func ask(_ carrier: any UpstreamCarrier, _ access: PlaceAccess) {
        guard let exchange = request, let route = exchange.route else { return }
        phase = .asking
        upstream = carrier
        link.progressed()
        watch()
        let isWhole = exchange.reader.isFinished
        request?.isSent = isWhole
        carrier.ask(
            route.request(access, exchange.head), body: exchange.kept ?? ByteBuffer(), isWhole: isWhole, for: self)
        guard phase == .asking, upstream === carrier, !isWhole else { return }
        if exchange.sent == 0, exchange.head.fields.contains(where: { $0.is("expect") }), input.bytes.readableBytes == 0
        {
            link.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
            link.flush()
        }
        sendBody()
        updateReading()
    }

    /// Passes on what there is of the body, as far as the server takes it. Each write may bring an answer, or the end.
    private func sendBody() {
        do {
            while let upstream = taker, upstream.takesMore, let piece = try request?.reader.next(&input.bytes) {
                link.progressed()
                request?.passed(piece)
                if let limit = request?.route?.bodyLimit, request?.sent ?? 0 > limit {
                    return refuse(CustomRoute.tooLarge)
                }
                upstream.send(piece)
            }
        } catch {
            return refuse(.framing(HTTPRefusal.chunk.reason))
        }
        guard let upstream = taker, request?.reader.isFinished == true else { return }
        request?.isSent = true
        upstream.endBody()
    }

    /// The server, while a part of the body is still to go there.
    private var taker: (any UpstreamCarrier)? { phase == .asking && request?.isSent == false ? upstream : nil }

    func upstreamTakesMore() {
        sendBody()
        updateReading()
    }

    // MARK: The answer

    var canTakeMore: Bool { link.isWritable }

    func answerBegins(_ head: UpstreamHead) {
        link.progressed()
        guard let exchange = request, let route = exchange.route, let access = exchange.access else { return }
        var head = head
        do throws(BrokerRefusal) { try route.check(head, from: access) } catch { return refuse(error) }
        let locations = head.fields.filter { $0.name == "location" }
        head.fields.removeAll { $0.name == "location" }
        for field in locations {
            if let place = route.location(field.text, among: exchange.configuration.places) {
                head.fields.append(HTTPRequestHead.Field(name: "location", value: Array(place.utf8)))
            } else if (300..<400).contains(head.status) {
                return refuse(upstreamFails("\(access.base.host) sends elsewhere, and the credential stays here"))
            }
        }
        if let bytes = request?.begin(head) { link.write(bytes) }
    }

    func answerGoesOn(_ content: ByteBuffer) { request?.pass(content) { link.write($0) } }

    func answerPauses() {
        link.progressed()
        link.flush()
    }

    func answerEnds() {
        upstream = nil
        request?.finish { link.write($0) }
        link.flush()
        noteRedactions()
        // Bytes of a body that nobody will read: the connection cannot go on behind them.
        let isWhole = request?.reader.isFinished == true && request?.endsWithConnection == false
        next(keepsAlive: isWhole && request?.head.keepsAlive == true)
    }

    func answerFails(_ refusal: BrokerRefusal, isUntouched: Bool) {
        upstream = nil
        // Once more, on another connection, if all that went on is still there (RFC 9113 section 8.7).
        guard isUntouched, let exchange = request, let access = exchange.access, exchange.kept != nil,
            !exchange.isRepeated
        else { return refuse(refusal) }
        request?.isRepeated = true
        request?.isSent = false
        link.stopTimer()
        phase = .deciding
        connect(access, id: exchange.id)
    }

    /// An answer has begun: the one honest thing left is to end it so that it is seen to be incomplete.
    private func breakOff() {
        noteRedactions()
        link.stopTimer()
        phase = .closed
        link.flush()
        link.close()
    }

    private func noteRedactions() {
        if let request, request.redactions > 0 { service.audit.note(request.redacted()) }
    }

    private func next(keepsAlive: Bool) {
        request = nil
        guard keepsAlive else {
            phase = .lingering
            input.clear()
            return link.linger()
        }
        phase = .head
        input.next()
        link.after(service.bounds.idleTime) { self.link.close() }
        updateReading()
        if input.bytes.readableBytes > 0 {
            // Not from within the upstream's handler: a client that sends requests ahead would grow the stack.
            link.context?.eventLoop.assumeIsolated().execute { self.process() }
        }
    }

    // MARK: Refusing

    private func upstreamFails(_ reason: String) -> BrokerRefusal {
        BrokerRefusal(kind: .upstream, rule: "\(kind.rawValue).upstream", reason: reason)
    }

    private func refuse(_ refusal: BrokerRefusal) {
        guard let context = link.context, phase != .closed, phase != .lingering else { return }
        upstream?.abandon()
        upstream = nil
        if let request, request.isAnswering {
            service.audit.note(request.refused(refusal))
            return breakOff()
        }
        link.stopTimer()
        phase = .deciding
        let exchange = request
        let keepsAlive = exchange?.reader.isFinished == true && !refusal.closes && exchange?.head.keepsAlive == true
        let id = exchange?.id
        let event =
            exchange?.refused(refusal)
            ?? AuditEvent(
                .credentialUse, subject: kind.rawValue, outcome: .failure,
                details: ["kind": .string(kind.rawValue), "reason": .string("\(refusal.rule): \(refusal.reason)")])
        let loop = context.eventLoop
        let written =
            refusal.isMisuse
            ? service.misused(event, exchange?.misuse, on: loop) : service.audit.before(event, on: loop)
        // What cannot be written down is refused all the same.
        written.assumeIsolated().whenComplete { _ in
            guard self.phase == .deciding, self.request?.id == id else { return }
            self.link.write(refusal.placeResponse(self.kind, to: exchange?.head, keepsAlive: keepsAlive))
            self.link.flush()
            self.next(keepsAlive: keepsAlive)
        }
    }

    /// Looks from time to time whether the exchange still goes on, and may.
    private func watch() {
        link.after(service.bounds.look) { [weak self] in
            guard let self, phase == .asking else { return }
            if let refusal = request?.access.flatMap({ service.end(of: $0.grant) }) { return refuse(refusal) }
            let limit = service.bounds.silence
            if !link.hasStalled(for: limit) { return watch() }
            refuse(
                BrokerRefusal(
                    kind: .timeout, rule: "\(kind.rawValue).time",
                    reason: "nothing moved for \(limit.wholeSeconds) s"))
        }
    }
}
