import AiboxAudit
import AiboxCrypto
import AiboxNetwork
import AiboxSystem
import AiboxWire
import NIOCore
import NIOPosix

/// The sandbox's side of one connection: one request after the other, each decided as a whole before a byte of it goes on.
///
/// A request is read completely and held: what is forwarded is exactly what was decided on. An answer is never held. How it is
/// decided is in `LLMConnection+Deciding.swift`.
final class LLMConnection: ChannelInboundHandler, RemovableChannelHandler, UpstreamAsker {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Between requests, or in the middle of a head.
        case head
        case body
        /// The decision is written down, the upstream connected.
        case deciding
        case answering
        /// The last answer is out: what still comes is thrown away for a moment, so that it is not taken away from a
        /// client that is sending (RFC 9112 section 9.6).
        case lingering
        case closed
    }

    let service: BrokerService
    let pool: UpstreamPool
    let link: ClientLink
    var phase = Phase.head
    private var isCounted: Bool
    private let isTakenOver: Bool
    private var input = RequestInput()
    var request: LLMExchange?
    private var heldBytes = 0
    /// The body is with another thread: until it is back its bytes are not given back either.
    var isAway = false
    var upstream: (any UpstreamCarrier)?

    /// - Parameter input: of a connection that is taken over: what came behind the head that `begin` gets.
    init(service: BrokerService, pool: UpstreamPool, input: RequestInput? = nil) {
        self.service = service
        self.pool = pool
        link = ClientLink(silence: service.bounds.silence)
        if let input { self.input = input }
        isCounted = input != nil
        isTakenOver = input != nil
    }

    /// Takes the connection over with a request's head.
    func begin(_ head: HTTPRequestHead) {
        if accept(head) { process() }
        updateReading()
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        link.attach(context)
        if isTakenOver { return }
        isCounted = service.enter()
        if context.channel.isActive { begin() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { link.detach() }

    func channelActive(context: ChannelHandlerContext) {
        begin()
        context.fireChannelActive()
    }

    private func begin() {
        if !isCounted {
            refuse(
                BrokerRefusal(
                    kind: .overloaded, rule: "llm.connections",
                    reason: "more than \(service.bounds.connections) connections are open", closes: true))
            return
        }
        limitTime(service.bounds.idleTime)
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
        // What is under way with a key that was taken back ends at once.
        if let grant = request?.grant, service.configuration.bases(of: grant).isEmpty {
            request?.ending = "llm.credential: the key was taken back"
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        link.stopTimer()
        phase = .closed
        upstream?.abandon()
        upstream = nil
        settle(isComplete: false)
        request?.body = ByteBuffer()
        if !isAway { release() }
        if isCounted { service.leave() }
        isCounted = false
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func updateReading() {
        // While an answer is under way it reads on as well: to hear that the client has gone.
        if phase == .closed || phase != .lingering && input.bytes.readableBytes >= RequestInput.limit { return }
        link.read()
    }

    // MARK: Reading a request

    private func process() {
        while true {
            switch phase {
            case .head:
                guard readHead() else { return }
            case .body:
                guard readBody() else { return }
            default: return
            }
        }
    }

    /// - Returns: true if there is more to do at once.
    private func readHead() -> Bool {
        input.skipEmptyLine()
        guard input.bytes.readableBytes > 0 else { return false }
        if input.isIdle { limitTime(service.bounds.headTime) }
        switch input.head() {
        case .success(nil): return false
        case .success(.some(let head)):
            if PlaceRoutes.kind(of: head) != nil {
                handOver(head)
                return false
            }
            return accept(head)
        case .failure(let refusal):
            refuse(refusal)
            return false
        }
    }

    /// Requests for other places than models.
    private func handOver(_ head: HTTPRequestHead) {
        guard let context = link.context else { return }
        link.stopTimer()
        phase = .closed
        let places = PlaceConnection(service: service, pool: pool, input: input)
        // It leaves in this one's place.
        isCounted = false
        do {
            try context.pipeline.syncOperations.addHandler(places, position: .after(self))
        } catch {
            service.leave()
            return context.close(promise: nil)
        }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
        places.begin(head)
    }

    private func accept(_ head: HTTPRequestHead) -> Bool {
        let configuration = service.configuration
        var exchange = LLMExchange(head, configuration, id: service.nextRequest())
        do throws(BrokerRefusal) {
            let target = try service.rules.target(head)
            exchange.record.path = String(
                decoding: target.prefix { $0 != UInt8(ascii: "?") }.prefix(200), as: UTF8.self)
            try service.rules.checkConnection(head)
            try service.rules.checkBody(head)
            if let greeting = LLMRoute.greeting(head, target) {
                link.write(greeting)
                link.flush()
                next(keepsAlive: head.keepsAlive)
                return phase == .head
            }
            exchange.route = try LLMRoute.decide(
                method: head.method, target: target, configuration.style,
                permitsUploads: configuration.plan.permitsUploads
            ).get()
            if let route = exchange.route { exchange.record.path = String(route.path.prefix(200)) }
            exchange.grant = try CallerFields.grant(
                head.fields, among: configuration.plan.grants, for: exchange.route?.api)
            if let grant = exchange.grant {
                exchange.record.provider = configuration.bases(of: grant).first?.host ?? ""
                if let refusal = service.end(of: grant) { throw refusal }
            }
            let namesModel = exchange.route?.namesModel ?? false
            switch head.body {
            case .none where namesModel: throw .request("the request has no body")
            case .none, .length(0): break
            case .length, .chunked:
                if exchange.route?.mayHaveBody != true || head.method == "GET" || head.method == "DELETE" {
                    throw .framing("\(head.method) has no body here")
                }
            }
            if case .length(let size) = head.body {
                try hold(Int(size))
                exchange.body.reserveCapacity(min(Int(size), 1 << 20))
            }
        } catch {
            request = exchange
            refuse(error)
            return false
        }
        request = exchange
        if head.fields.contains(where: { $0.is("expect") }), head.body != .none, head.body != .length(0),
            input.bytes.readableBytes == 0
        {
            link.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
            link.flush()
        }
        phase = .body
        limitTime(service.bounds.bodyTime)
        return true
    }

    private func hold(_ count: Int) throws(BrokerRefusal) {
        guard service.reserve(count) else {
            throw BrokerRefusal(
                kind: .overloaded, rule: "llm.size", reason: "too many large requests are under way", retryAfter: 1,
                closes: true)
        }
        heldBytes += count
    }

    func release() {
        if heldBytes > 0 { service.release(heldBytes) }
        heldBytes = 0
    }

    private func readBody() -> Bool {
        guard var exchange = request else { return false }
        // Not two owners of the same storage.
        request = nil
        do {
            while let piece = try exchange.reader.next(&input.bytes) {
                if exchange.body.readableBytes + piece.readableBytes > service.rules.bodyLimit {
                    throw service.rules.tooLarge
                }
                if exchange.head.body == .chunked { try hold(piece.readableBytes) }
                exchange.add(piece)
            }
        } catch {
            request = exchange
            refuse((error as? BrokerRefusal) ?? .framing(HTTPRefusal.chunk.reason))
            return false
        }
        request = exchange
        if !exchange.reader.isFinished { return false }
        decide()
        return false
    }

    // MARK: The answer

    var canTakeMore: Bool { link.isWritable }

    /// The body was given whole.
    func upstreamTakesMore() {}

    func answerBegins(_ head: UpstreamHead) {
        link.progressed()
        if !isFinal(head.status) { return }
        // The body is with the provider by now.
        release()
        guard var exchange = request else { return }
        // Not two owners of the same storage.
        request = nil
        exchange.status = head.status
        exchange.body = ByteBuffer()
        let isMetered = exchange.route?.call == .generation && head.status < 400
        if exchange.configuration.plan.digests, exchange.route?.mayHaveBody == true {
            exchange.digest = try? SHA256()
            try? exchange.digest?.start()
        }
        exchange.meter = UsageMeter(isMetered ? UsageMeter.form(contentType: head.value("content-type")) : .unread)
        if isMetered, exchange.configuration.style == .bedrock { exchange.meter.take(head) }
        link.write(exchange.answer.begin(head, for: exchange.head))
        request = exchange
    }

    func answerGoesOn(_ content: ByteBuffer) {
        request?.meter.feed(content)
        request?.answered += content.readableBytes
        if let digest = request?.digest { content.withUnsafeReadableBytes { try? digest.update($0) } }
        if let file = request?.payload {
            do throws(AiboxError) { try file.answer(content) } catch {
                // What cannot be kept is not passed on.
                upstream?.abandon()
                return answerFails(.unkept, isUntouched: false)
            }
        }
        request?.answer.pass(content) { link.write($0) }
        // An event that is whole does not wait for the next one.
        if request?.meter.isBetweenFrames == true { request?.answer.release { link.write($0) } }
    }

    func answerPauses() {
        link.progressed()
        link.flush()
    }

    func answerEnds() {
        upstream = nil
        request?.answer.finish { link.write($0) }
        link.flush()
        settle(isComplete: true)
        next(keepsAlive: request?.head.keepsAlive == true && request?.answer.endsWithConnection != true)
    }

    func answerFails(_ refusal: BrokerRefusal, isUntouched: Bool) {
        upstream = nil
        if isUntouched { return askAgain(refusal) }
        if let exchange = request, exchange.status == nil {
            var refusal = refusal
            refusal.reason = (exchange.failures + [refusal.reason]).joined(separator: "; ")
            // What became of it nobody knows: the client may try again, and meets another upstream then.
            if refusal.kind == .upstream, let base = exchange.base { pool.circuit.failed(base) }
            return refuse(refusal)
        }
        // The answer has begun: the one honest thing left is to end it so that it is seen to be incomplete.
        request?.ending = "\(refusal.rule): \(refusal.reason)"
        settle(isComplete: false)
        link.stopTimer()
        phase = .closed
        link.flush()
        link.close()
    }

    /// The request is over, or cut short: its cost is known as well as it will be.
    private func settle(isComplete: Bool) {
        guard var exchange = request, let reservation = exchange.reservation else { return }
        exchange.reservation = nil
        request?.reservation = nil
        let usage = exchange.cost(isComplete: isComplete)
        service.settle(reservation, cost: usage?.total ?? 0)
        let micros = usage.flatMap { exchange.price?.micros($0) }
        let cost = LLMAmount(tokens: usage?.total ?? 0, micros: micros ?? 0)
        if let settlement = exchange.settlement(cost), let loop = link.context?.eventLoop {
            request?.taken = nil
            service.settle(settlement, on: loop)
        }
        let digest = try? exchange.digest?.finish().hex
        var event = exchange.record.answered(
            status: exchange.status ?? 0, bytes: exchange.answered, usage: usage, micros: micros, digest: digest,
            redactions: exchange.answer.redactions, after: exchange.begun.duration(to: .now),
            isComplete: isComplete && exchange.status != nil,
            reason: exchange.ending)
        let (audit, wasSent, file) = (service.audit, exchange.wasSent, exchange.payload)
        request?.payload = nil
        guard let file, let loop = link.context?.eventLoop else {
            if wasSent { audit.note(event) }
            return
        }
        service.threads.runIfActive(eventLoop: loop) { try file.finish() }.assumeIsolated().whenComplete { result in
            event.details["payload_digest"] = (try? result.get()).map { .string($0) }
            if wasSent { audit.note(event) }
        }
    }

    /// Ready for another request, or not.
    private func next(keepsAlive: Bool) {
        release()
        request = nil
        guard keepsAlive else {
            phase = .lingering
            input.clear()
            return link.linger()
        }
        phase = .head
        input.next()
        limitTime(service.bounds.idleTime)
        updateReading()
        if input.bytes.readableBytes > 0 {
            // Not from within the upstream's handler: a client that sends requests ahead would grow the stack.
            link.context?.eventLoop.assumeIsolated().execute { self.process() }
        }
    }

    // MARK: Refusing

    func refuse(_ refusal: BrokerRefusal) {
        guard let context = link.context, phase != .closed, phase != .lingering else { return }
        link.stopTimer()
        phase = .deciding
        upstream?.abandon()
        upstream = nil
        settle(isComplete: false)
        // Nothing keeps the body's bytes any longer than they are counted.
        request?.body = ByteBuffer()
        if !isAway { release() }
        let exchange = request
        let record = exchange?.record ?? LLMRecord(id: service.nextRequest())
        // Bytes of a body that nobody will read: the connection cannot go on behind them.
        let isRead = exchange.map { $0.reader.isFinished } ?? false
        let keepsAlive = isRead && !refusal.closes && exchange?.head.keepsAlive == true
        let api = exchange?.grant?.api ?? exchange?.route?.api
        let layer = refusal.layer ?? exchange?.configuration.plan.layer ?? "org"
        let id = exchange?.record.id
        var written = service.audit.before(record.refused(refusal), on: context.eventLoop)
        if refusal.isMisuse {
            let surrogate = exchange.flatMap { $0.configuration.screen.find(in: $0.head) }
            written = service.misused(record.misused(refusal, surrogate), surrogate, on: context.eventLoop).and(written)
                .map { _ in }
        }
        // What cannot be written down is refused all the same.
        written.assumeIsolated().whenComplete { _ in
            guard self.phase == .deciding, self.request?.record.id == id else { return }
            let isHead = exchange?.head.method == "HEAD"
            var answer = refusal.response(
                api, style: exchange?.configuration.style, layer: layer, keepsAlive: keepsAlive)
            if isHead, let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) {
                answer.removeSubrange(end.upperBound...)
            }
            self.link.write(answer)
            self.link.flush()
            self.next(keepsAlive: keepsAlive)
        }
    }

    // MARK: Time

    private func limitTime(_ limit: TimeAmount) { link.after(limit) { [weak self] in self?.timeIsUp() } }

    private func timeIsUp() {
        switch phase {
        case .head where input.isIdle: link.close()
        case .head, .body:
            refuse(
                BrokerRefusal(
                    kind: .timeout, rule: "llm.time", reason: "the request did not come within the time for it",
                    closes: true, given: 408))
        default: link.close()
        }
    }

    /// Looks from time to time whether an answer still goes on, and may.
    func watch() {
        link.after(service.bounds.look) { [weak self] in
            guard let self, phase == .answering else { return }
            if let refusal = request?.grant.flatMap({ service.end(of: $0) }) { return cut(refusal) }
            let isBegun = request?.status != nil
            let limit = isBegun ? service.bounds.silence : service.bounds.answerTime
            if !link.hasStalled(for: limit) { return watch() }
            let why = isBegun ? "nothing moved for" : "the provider did not answer within"
            cut(BrokerRefusal(kind: .timeout, rule: "llm.time", reason: "\(why) \(limit.wholeSeconds) s"))
        }
    }

    /// Ends what is under way.
    private func cut(_ refusal: BrokerRefusal) {
        upstream?.abandon()
        answerFails(refusal, isUntouched: false)
    }
}
