/// One connection of the sandbox on its way out, as a state machine without input or output.
///
/// It is told what happened (bytes, verdicts, the state of the connection to Squid) and returns what to do;
/// whoever owns the sockets does exactly that, in order. Every request is asked about before a byte of it
/// goes on; a denial is answered here, in words, and nothing leaves (P1, P3).
public struct EgressConnection: Sendable {
    /// Where the sandbox came in.
    public enum Door: Sendable, Equatable {
        /// The proxy port: CONNECT and absolute-form requests.
        case proxy
        /// Port 80, for clients that know no proxy: the Host field names the destination.
        case http
        /// Port 443, for clients that know no proxy: the SNI names the destination.
        case tls
    }

    public enum Action: Sendable, Equatable {
        /// Find the verdict, write it down, then call `decided`.
        case ask(EgressRequest)
        /// Look the host up and check its addresses, then call `resolved`.
        case resolve(HostName)
        /// Write down that this request goes out, then call `recorded`: nothing of it leaves before. What follows does
        /// not wait for it.
        case record(EgressRequest, EgressGrant)
        /// Connect to Squid, then call `upstreamConnected` or `upstreamEnded`. What follows does not wait for it.
        case openUpstream
        case sendUpstream([UInt8])
        case sendClient([UInt8])
        /// From here on bytes pass both ways unread: `countUp` and `countDown` tell when to stop.
        case startTunnel
        /// A request of plain HTTP goes out: from here on its time is Squid's to limit.
        case startExchange
        /// A request was refused here: to be written down. The answer, if any, is an action of its own.
        case denied(EgressDenial, EgressAttempt)
        /// A request that was recorded has ended.
        case finished(EgressTraffic)
        /// Nothing more is said to Squid; its last bytes still count.
        case closeUpstream
        /// Send what is queued, then close.
        case closeClient
    }

    public let door: Door
    /// What `CONNECT` lines and requests to Squid carry.
    private let key: String
    let screen: SurrogateScreen
    var state: State
    /// Bytes that came while something else has to happen first.
    var held: [UInt8] = []
    var upstream: Upstream = .closed
    /// Bytes from the sandbox that went on, and bytes that came back.
    public private(set) var bytesUp: Int64 = 0
    public private(set) var bytesDown: Int64 = 0
    /// The last request that was allowed, for a second look when the policy changes.
    public internal(set) var authorised: (request: EgressRequest, grant: EgressGrant)?
    /// The sandbox has said all it has to say.
    private var isClientDone = false
    /// What the counters showed when the request that is under way was recorded.
    private var underWay: (request: EgressRequest, up: Int64, down: Int64)?
    /// The request that is being written down.
    private var inWriting: EgressRequest?

    enum State: Sendable {
        case head(HTTPRequestHeadParser)
        case hello(TLSClientHelloParser, expected: HostName?)
        case asking(Pending)
        case resolving(Pending)
        /// Nothing leaves before it is in the audit log and Squid is ready for it.
        case connecting(Pending)
        case tunnel
        case exchange(HTTPExchange)
        case closed
    }

    /// The connection to Squid. It is made, and Squid asked for its tunnel, while the sandbox speaks and the record is
    /// written; no byte of the sandbox is on it before both are done.
    enum Upstream: Sendable, Equatable {
        case closed, opening, open
        /// Squid was asked for a tunnel; the part of its answer that is there.
        case tunnelAsked([UInt8])
        case tunnel
    }

    /// - Parameters:
    ///   - key: the secret of `SquidConfiguration`.
    ///   - screen: what is looked for in the heads of requests.
    public init(door: Door, key: String, screen: SurrogateScreen = SurrogateScreen()) {
        self.door = door
        self.key = key
        self.screen = screen
        state = door == .tls ? .hello(TLSClientHelloParser(), expected: nil) : .head(HTTPRequestHeadParser())
    }

    /// False while bytes of the sandbox would only be queued: do not read then.
    public var wantsClientBytes: Bool {
        switch state {
        case .head, .hello, .tunnel: true
        case .exchange(let exchange): !exchange.body.isFinished
        case .asking, .resolving, .connecting, .closed: false
        }
    }

    public var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    // MARK: What happened

    /// Bytes from the sandbox.
    public mutating func received(_ bytes: [UInt8]) -> [Action] {
        switch state {
        case .head(var parser):
            let progress = parser.feed(bytes[...])
            switch progress {
            case .needsMore:
                state = .head(parser)
                return []
            case .refused(let refusal): return refuse(EgressDenial(refusal))
            case .head(let head, let unread):
                held = Array(bytes.suffix(unread))
                return begin(head)
            }
        case .hello(var parser, let expected):
            held += bytes
            let progress = parser.feed(bytes[...])
            state = .hello(parser, expected: expected)
            return hello(progress, expected)
        case .tunnel: return countUp(bytes.count) + (isClosed ? [] : [.sendUpstream(bytes)])
        case .exchange(let exchange): return body(bytes, exchange)
        case .asking, .resolving, .connecting:
            held += bytes
            // Only a reader that ignores `wantsClientBytes` gets here with this much.
            return held.count > 1 << 20 ? close() : []
        case .closed: return []
        }
    }

    /// The verdict that was asked for.
    public mutating func decided(_ decision: EgressDecision) -> [Action] {
        guard case .asking(var pending) = state else { return [] }
        switch decision {
        case .deny(let denial): return refuse(denial, pending.attempt)
        case .allow(let grant):
            pending.grant = grant
            if let limit = grant.maxUpload, case .http(let head, _) = pending.kind, case .length(let size) = head.body,
                size > limit
            {
                return refuse(Self.tooLarge(grant, limit), pending.attempt)
            }
            state = .resolving(pending)
            return [.resolve(pending.request.host)]
        }
    }

    /// What the host's addresses are.
    ///
    /// - Parameter refusal: why it cannot be reached; nil if it can.
    public mutating func resolved(_ refusal: EgressDenial?) -> [Action] {
        guard case .resolving(let pending) = state else { return [] }
        if let refusal { return refuse(refusal, pending.attempt) }
        guard let grant = pending.grant else { return close() }
        authorised = (pending.request, grant)
        if case .connect = pending.kind {
            state = .hello(TLSClientHelloParser(), expected: pending.request.host)
            let early = held
            held = []
            let answer = Action.sendClient(Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8))
            // It is written down while the client thinks of its ClientHello.
            let actions = [answer] + record(pending, grant) + (early.isEmpty ? [] : received(early))
            return actions + (isClientDone ? clientEnded() : [])
        }
        state = .connecting(pending)
        return record(pending, grant)
    }

    /// The request is in the audit log.
    ///
    /// - Parameter refusal: why it is not, and cannot go on.
    public mutating func recorded(_ refusal: EgressDenial?) -> [Action] {
        guard let request = inWriting else { return [] }
        inWriting = nil
        if let refusal {
            switch state {
            case .closed: return []
            case .hello: return end(refusal, EgressAttempt(request))
            default: return refuse(refusal, EgressAttempt(request))
            }
        }
        underWay = (request, bytesUp, bytesDown)
        switch state {
        case .connecting(let pending): return prepareUpstream(for: pending) + forward(pending)
        // It went away meanwhile: what was recorded has an end too.
        case .closed: return finish()
        default: return []
        }
    }

    public mutating func upstreamConnected() -> [Action] {
        guard case .opening = upstream else { return [] }
        upstream = .open
        switch state {
        case .hello(_, expected: .some): return authorised.map { askForTunnel($0.request) } ?? close()
        case .connecting(let pending): return pending.isTunnel ? askForTunnel(pending.request) : forward(pending)
        default: return []
        }
    }

    /// Bytes from Squid.
    public mutating func upstreamReceived(_ bytes: [UInt8]) -> [Action] {
        if case .tunnelAsked(let before) = upstream { return tunnelAnswer(before + bytes) }
        switch state {
        case .tunnel:
            countDown(bytes.count)
            return [.sendClient(bytes)]
        case .exchange(let exchange): return response(bytes, exchange)
        case .head, .hello, .asking, .resolving, .connecting:
            // Squid speaks only when spoken to: this connection cannot be trusted with another request.
            upstream = .closed
            return [.closeUpstream]
        case .closed: return []
        }
    }

    /// Squid closed the connection, or could not be reached.
    public mutating func upstreamEnded() -> [Action] {
        upstream = .closed
        switch state {
        // Another one is made once it is written down.
        case .connecting where inWriting != nil: return []
        case .connecting(let pending): return refuse(Self.unavailable, pending.attempt)
        case .exchange(let exchange):
            if exchange.hasAnswered { return close() }
            return refuse(Self.unavailable, exchange.attempt)
        case .tunnel: return close()
        // Another one is made once it is needed.
        case .head, .hello, .asking, .resolving, .closed: return []
        }
    }

    /// The sandbox said all it has to say.
    public mutating func clientEnded() -> [Action] {
        isClientDone = true
        switch state {
        case .exchange(let exchange): return exchange.body.isFinished ? [] : close()
        case .asking, .resolving, .connecting, .tunnel, .closed: return []
        case .head, .hello: return close()
        }
    }

    /// The sandbox is gone.
    public mutating func clientLost() -> [Action] {
        switch state {
        // Its host has been looked up: that is to be seen.
        case .resolving(let pending): end(.abandoned, pending.attempt)
        default: close()
        }
    }

    /// Time ran out, or the policy took back what it had allowed.
    public mutating func abort(_ denial: EgressDenial) -> [Action] {
        guard !isClosed else { return [] }
        let attempt = attempt
        switch state {
        case .tunnel, .exchange: return [.denied(denial, attempt)] + close()
        default: return refuse(denial, attempt)
        }
    }

    // MARK: Tunnels

    /// Counts bytes of the sandbox that pass a tunnel; beyond `max_upload` it ends.
    public mutating func countUp(_ count: Int) -> [Action] {
        bytesUp += Int64(count)
        guard let (request, grant) = authorised, let limit = grant.maxUpload, bytesUp > limit else { return [] }
        return [.denied(Self.tooLarge(grant, limit), EgressAttempt(request))] + close()
    }

    public mutating func countDown(_ count: Int) { bytesDown += Int64(count) }

    private mutating func hello(_ progress: TLSClientHelloParser.Progress, _ expected: HostName?) -> [Action] {
        let attempt = authorised.map { EgressAttempt($0.request) } ?? EgressAttempt(host: expected?.text, port: 443)
        switch progress {
        case .needsMore: return []
        case .notTLS: return end(EgressDenial.notTLS, attempt)
        case .malformed: return end(EgressDenial.brokenHello, attempt)
        case .hello(let hello):
            if hello.hasEncryptedHello { return end(EgressDenial.encryptedHello, attempt) }
            switch hello.serverName {
            case .absent: return end(EgressDenial.sniMissing, attempt)
            case .invalid(let failure): return end(EgressDenial(failure, written: "the SNI"), attempt)
            case .name(let name):
                if let expected, let (request, grant) = authorised {
                    if name != expected { return end(.sniMismatch(name, expected), attempt) }
                    let pending = Pending(request: request, kind: .connect, grant: grant)
                    state = .connecting(pending)
                    return prepareUpstream(for: pending) + forward(pending)
                }
                let request = EgressRequest(host: name, port: 443, content: .tunnel)
                state = .asking(Pending(request: request, kind: .transparent, grant: nil))
                return [.ask(request)]
            }
        }
    }

    private mutating func askForTunnel(_ request: EgressRequest) -> [Action] {
        upstream = .tunnelAsked([])
        let place = "\(request.host):\(request.port)"
        let head = "CONNECT \(place) HTTP/1.1\r\nHost: \(place)\r\n\(SquidConfiguration.keyHeader): \(key)\r\n\r\n"
        return [.sendUpstream(Array(head.utf8))]
    }

    private mutating func tunnelAnswer(_ bytes: [UInt8]) -> [Action] {
        switch HTTPResponseHead.read(bytes, isHead: false) {
        case .needsMore:
            upstream = .tunnelAsked(bytes)
            return []
        // Nobody has spoken to the origin yet: what follows the head is nobody's.
        case .head(let head) where head.status == 200 && head.size == bytes.count:
            upstream = .tunnel
            guard case .connecting(let pending) = state else { return [] }
            return forward(pending)
        case .head, .malformed:
            switch state {
            case .hello: return end(Self.unavailable, attempt)
            case .connecting(let pending): return refuse(Self.unavailable, pending.attempt)
            default: return close()
            }
        }
    }

    // MARK: On to Squid

    /// What is missing of a connection to Squid that the request can go on.
    private mutating func prepareUpstream(for pending: Pending) -> [Action] {
        switch upstream {
        case .closed:
            upstream = .opening
            return [.openUpstream]
        // Plain requests went over it before.
        case .open where pending.isTunnel: return askForTunnel(pending.request)
        case .open, .opening, .tunnelAsked, .tunnel: return []
        }
    }

    private mutating func record(_ pending: Pending, _ grant: EgressGrant) -> [Action] {
        inWriting = pending.request
        return prepareUpstream(for: pending) + [.record(pending.request, grant)]
    }

    /// Sends what was recorded, if Squid is ready for it.
    private mutating func forward(_ pending: Pending) -> [Action] {
        if inWriting != nil { return [] }
        switch (pending.kind, upstream) {
        case (.connect, .tunnel), (.transparent, .tunnel):
            state = .tunnel
            let first = held
            held = []
            let actions = countUp(first.count)
            return isClosed ? actions : actions + [.sendUpstream(first), .startTunnel]
        case (.http(let head, let path), .open):
            let exchange = HTTPExchange(head, pending)
            state = .exchange(exchange)
            let first = Action.sendUpstream(head.forwarded(to: pending.request, path, key: key))
            let early = held
            held = []
            return [.startExchange, first] + (early.isEmpty ? [] : body(early, exchange))
        default: return []
        }
    }

    mutating func body(_ bytes: [UInt8], _ exchange: HTTPExchange) -> [Action] {
        var exchange = exchange
        do throws(HTTPRefusal) {
            let progress = try exchange.body.feed(bytes[...])
            held += bytes.dropFirst(progress.consumed)
            bytesUp += Int64(progress.consumed)
            state = .exchange(exchange)
            if let grant = exchange.pending.grant, let limit = grant.maxUpload, exchange.body.contentBytes > limit {
                return refuse(Self.tooLarge(grant, limit), exchange.attempt)
            }
            if held.count > 1 << 20 { return close() }
            return progress.consumed == 0 ? [] : [.sendUpstream(Array(bytes.prefix(progress.consumed)))]
        } catch {
            return refuse(EgressDenial(error), exchange.attempt)
        }
    }

    private mutating func response(_ bytes: [UInt8], _ exchange: HTTPExchange) -> [Action] {
        var exchange = exchange
        guard let passed = exchange.receive(bytes) else { return close() }
        bytesDown += Int64(passed.count)
        state = .exchange(exchange)
        let send: [Action] = passed.isEmpty ? [] : [.sendClient(passed)]
        guard exchange.isAnswered else { return send }
        guard exchange.body.isFinished, exchange.mayContinue else { return send + close() }
        let ended = finish()
        state = .head(HTTPRequestHeadParser())
        let next = held
        held = []
        return send + ended + (next.isEmpty ? [] : received(next))
    }

    // MARK: The end

    private var attempt: EgressAttempt {
        authorised.map { EgressAttempt($0.request) } ?? EgressAttempt(host: nil, port: nil)
    }

    /// Refuses with an answer where one can be read, and ends the connection.
    mutating func refuse(_ denial: EgressDenial, _ attempt: EgressAttempt = EgressAttempt(host: nil, port: nil))
        -> [Action]
    {
        var actions: [Action] = [.denied(denial, attempt)]
        switch state {
        case .head, .asking, .resolving, .connecting:
            // After "200 Connection established" only TLS can be read by the client.
            let canRead = door != .tls && !isTunnelPromised
            actions.append(.sendClient(canRead ? denial.response : TLSAlert.unrecognizedName))
        case .exchange(let exchange) where !exchange.hasAnswered: actions.append(.sendClient(denial.response))
        default: break
        }
        return actions + close()
    }

    /// Refuses within TLS.
    private mutating func end(_ denial: EgressDenial, _ attempt: EgressAttempt) -> [Action] {
        let alert: [Action] = denial.code == .notTLS ? [] : [.sendClient(TLSAlert.unrecognizedName)]
        return [.denied(denial, attempt)] + alert + close()
    }

    mutating func close() -> [Action] {
        if isClosed { return [] }
        state = .closed
        held = []
        let goodbye: [Action] = upstream == .closed ? [] : [.closeUpstream]
        upstream = .closed
        return goodbye + finish() + [.closeClient]
    }

    private mutating func finish() -> [Action] {
        guard let (request, up, down) = underWay else { return [] }
        underWay = nil
        return [.finished(EgressTraffic(request: request, bytesUp: bytesUp - up, bytesDown: bytesDown - down))]
    }

    /// True once the client was told that its tunnel stands.
    private var isTunnelPromised: Bool {
        switch state {
        case .connecting(let pending): if case .connect = pending.kind { true } else { false }
        default: false
        }
    }
}
