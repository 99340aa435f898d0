import AiboxAudit
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import AiboxWire
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// What all connections of a sandbox on its way out share: the list, the limits, the Squid, the record.
final class EgressService: Sendable {
    private struct State {
        var limits = EgressLimits()
        var squid: SquidProcess?
        /// A connection to it that waits for the next request.
        var spare: SquidConnection?
        var isSpareOnItsWay = false
        var ownAddresses: (addresses: [IPAddress], end: ContinuousClock.Instant)?
        var connections: [ObjectIdentifier: NIOLoopBound<EgressHandler>] = [:]
    }

    let recorder: EgressRecorder
    /// What is looked for in the heads of requests.
    let screen: SurrogateScreen
    let supervisor: Mutex<SquidSupervisor?> = Mutex(nil)
    private let lookup: AddressLookup
    private let log: GatewayLog
    private let exceptions: [AddressRange]
    private let hasUpstream: Bool
    private let state: Mutex<State>
    /// What decides, by the list in force.
    private let decider: Mutex<NetworkDecider>
    let rules: NetworkRules
    /// What decides beside it while the sandbox learns, and until when.
    private let learning = Mutex<(decider: NetworkLearning, until: NIODeadline)?>(nil)

    /// Connections of the sandbox at a time.
    static let connectionLimit = 1024

    init(
        list: AllowList, rules: NetworkRules, exceptions: [AddressRange], hasUpstream: Bool, lookup: AddressLookup,
        recorder: EgressRecorder, screen: SurrogateScreen = SurrogateScreen(), log: GatewayLog
    ) {
        self.screen = screen
        state = Mutex(State())
        decider = Mutex(rules.decider(list))
        self.rules = rules
        self.exceptions = exceptions
        self.hasUpstream = hasUpstream
        self.lookup = lookup
        self.recorder = recorder
        self.log = log
    }

    // MARK: Deciding

    /// The verdict; an allowed request has used one of its rule's, and `release` has to be called at its end.
    func decide(_ request: EgressRequest) -> NetworkDecider.Verdict {
        let verdict = judge(request)
        guard case .allow(let grant) = verdict.decision else { return verdict }
        guard let denial = state.withLock({ $0.limits.begin(grant, now: .now) }) else { return verdict }
        // The limit refuses, and not the policies in Rego.
        return verdict.refused(denial)
    }

    /// What the list and the policies in Rego say.
    func judge(_ request: EgressRequest) -> NetworkDecider.Verdict {
        let verdict = decider.withLock { $0.decide(request) }
        if verdict.decision.isAllowed { return verdict }
        return learning.withLock { learning in
            guard let (decider, until) = learning, .now() < until else { return verdict }
            return decider.judge(request, verdict)
        }
    }

    /// Decides about a request in an opened tunnel, in the form in which it goes out. The answer comes once the log has it.
    func decide(inside question: ICAPQuestion, on loop: any EventLoop) -> EventLoopFuture<ICAPAnswer> {
        let (url, method) = (question.url, question.method)
        func refused(_ denial: EgressDenial, _ attempt: EgressAttempt, _ verdict: NetworkDecider.Verdict? = nil)
            -> EventLoopFuture<ICAPAnswer>
        {
            let rego = verdict?.rego.flatMap { $0.refuses ? $0 : nil }
            let recorded = recorder.denied(denial, attempt, rego, verdict?.learned, .opened, on: loop)
            // What cannot be written down is refused all the same.
            return recorded.map { _ in }.recover { _ in }.map { .refused(denial, isHead: method == "HEAD") }
        }
        if let found = screen.find(lines: question.head(asking: url)) {
            var attempt = EgressAttempt(url, method: method)
            // The log never has the stand-in itself.
            attempt.path = nil
            if let host = attempt.host, screen.find(in: Array(host.utf8)) != nil { attempt.host = nil }
            return refused(.elsewhere(found), attempt)
        }
        guard url.hasPrefix("https://"), let request = try? EgressRequest(url, method: method) else {
            return refused(.unreadable, EgressAttempt(url, method: method))
        }
        let head: [UInt8]?
        switch request.form(inside: url, hasBody: question.hasBody) {
        case .refused(let denial): return refused(denial, EgressAttempt(url, method: method))
        case .asWritten: head = nil
        case .rewritten(let url): head = question.head(asking: url)
        }
        let verdict = judge(request)
        switch verdict.decision {
        case .deny(let denial): return refused(denial, EgressAttempt(request), verdict)
        case .allow(let grant):
            return recorder.allowed(request, grant, verdict.rego, verdict.learned, .opened, on: loop)
                .map { .passes(event: "\($0)", head: head) }
                .recover { _ in .refused(.unrecorded, isHead: method == "HEAD") }
        }
    }

    var isLearning: Bool { learning.withLock { learning in learning.map { .now() < $0.until } ?? false } }

    func release(_ grant: EgressGrant) { state.withLock { $0.limits.ended(grant) } }

    /// Why the host cannot be reached, or nil.
    func check(_ host: HostName, _ grant: EgressGrant, on loop: any EventLoop) -> EventLoopFuture<EgressDenial?> {
        let (exceptions, hasUpstream) = (exceptions, hasUpstream)
        return lookup.addresses(of: host, on: loop).map { answer in
            switch answer {
            case .none(let why):
                // A company's proxy may know names that this machine does not.
                return hasUpstream ? nil : .notResolved(why, rule: grant.rule)
            case .addresses(let addresses):
                let own: [IPAddress]
                do throws(AiboxError) { own = try self.ownAddresses() } catch {
                    return .notResolved(error.reason, rule: grant.rule)
                }
                let policy = TargetPolicy(exceptions: exceptions, hostAddresses: own)
                let refusal = addresses.lazy.compactMap { policy.refusal(of: $0) }.first
                return refusal.map { .privateTarget(host, $0, rule: grant.rule) }
            }
        }
    }

    /// Asking the kernel takes longer than all the rest of a decision: the answer serves for a second.
    private func ownAddresses() throws(AiboxError) -> [IPAddress] {
        if let (addresses, end) = state.withLock({ $0.ownAddresses }), end > .now { return addresses }
        let addresses = try HostAddresses.current()
        state.withLock { $0.ownAddresses = (addresses, .now + .seconds(1)) }
        return addresses
    }

    // MARK: The list

    var list: AllowList { decider.withLock { $0.list } }

    /// Nothing more is let through by learning.
    func endLearning() {
        learning.withLock { $0 = nil }
        reconsider()
        closeOpenedTunnels()
    }

    /// Ends the tunnels that Squid opens: each stays with the list that its Squid had when it began.
    func closeOpenedTunnels() {
        let open = state.withLock { Array($0.connections.values) }
        for handler in open { handler.eventLoop.execute { handler.value.closeIfOpened() } }
    }

    /// Takes another list from now on, and closes what it no longer allows.
    ///
    /// - Parameter learned: what the organisation alone permits, and until when that counts.
    func use(_ list: AllowList, learned: (list: AllowList, organisation: JSONValue, until: NIODeadline)? = nil) {
        decider.withLock { $0 = rules.decider(list) }
        learning.withLock { learning in
            learning = nil
            if let learned, let decider = rules.learning(learned.list, organisation: learned.organisation) {
                learning = (decider, learned.until)
            }
        }
        reconsider()
    }

    private func reconsider() {
        let open = state.withLock { Array($0.connections.values) }
        for handler in open { handler.eventLoop.execute { handler.value.reconsider() } }
    }

    /// The sandbox is cut off.
    func closeConnections() {
        let open = state.withLock { Array($0.connections.values) }
        for handler in open { handler.eventLoop.execute { handler.value.cut() } }
    }

    // MARK: Squid

    func use(_ squid: SquidProcess?) {
        let spare = state.withLock { state in
            defer { state.spare = nil }
            state.squid = squid
            return state.spare
        }
        spare?.channel.close(promise: nil)
    }

    /// What Squid did; what the gateway itself decided is recorded already.
    func squidSpoke(_ line: SquidLogLine) {
        guard let url = line.url else { return }
        let isRefused = line.result.hasPrefix("TCP_DENIED") || line.bumpMode == "terminate"
        switch line.event {
        case ICAPAnswer.told: return
        case nil where isRefused || line.isUnreadable:
            return recorder.denied(by: line, url, list, isLearning: isLearning)
        case nil: break
        case let event?:
            recorder.ended(by: line, url, event: event)
            if isRefused { recorder.denied(by: line, url, list, isLearning: isLearning) }
        }
        if line.isRefused {
            // Queries hold secrets.
            let place = String(url.prefix { $0 != "?" })
            log.warning("squid failed", ["url": place, "result": line.result, "error": line.error ?? "-"])
        }
    }

    /// The Squid for new connections; nil while there is none.
    var squid: SquidProcess? {
        state.withLock { state in state.squid.flatMap { $0.isAlive ? $0 : nil } }
    }

    /// A connection to Squid: the one that waits, or a new one. Another is made to wait for the next request, once this one
    /// has had the time to get on.
    func connect(_ handler: EgressHandler, on loop: any EventLoop) -> EventLoopFuture<SquidConnection> {
        loop.scheduleTask(in: Self.spareDelay) { self.makeSpare(on: loop) }
        let spare = state.withLock { state in
            defer { state.spare = nil }
            return state.spare
        }
        if let spare {
            if spare.channel.eventLoop === loop, spare.channel.isActive, spare.squid === squid {
                spare.owner.value.owner = handler
                return loop.makeSucceededFuture(spare)
            }
            spare.channel.close(promise: nil)
        }
        return open(handler, on: loop)
    }

    private static let spareDelay = TimeAmount.milliseconds(10)

    private func makeSpare(on loop: any EventLoop) {
        let isNeeded = state.withLock { state in
            if state.spare != nil || state.isSpareOnItsWay { return false }
            state.isSpareOnItsWay = true
            return true
        }
        if !isNeeded { return }
        open(nil, on: loop).whenComplete { result in
            let spare = try? result.get()
            let isKept = self.state.withLock { state in
                state.isSpareOnItsWay = false
                guard let spare, spare.squid === state.squid, state.spare == nil else { return false }
                state.spare = spare
                return true
            }
            // Its end is seen only by who reads; Squid says nothing on it.
            if isKept { spare?.channel.read() } else { spare?.channel.close(promise: nil) }
        }
    }

    private func open(_ handler: EgressHandler?, on loop: any EventLoop) -> EventLoopFuture<SquidConnection> {
        guard let squid, let supervisor = supervisor.withLock({ $0 }) else {
            return loop.makeFailedFuture(AiboxError(.failed, "Squid does not run"))
        }
        // By address: a host goes through a resolver on another thread, and back.
        let address: SocketAddress
        do { address = try SocketAddress(ipAddress: IPv4.loopback.description, port: Int(squid.port)) } catch {
            return loop.makeFailedFuture(error)
        }
        supervisor.beginConnection(squid)
        let owner = NIOLoopBound(UpstreamHandler(owner: handler), eventLoop: loop)
        return ClientBootstrap(group: loop)
            .connectTimeout(.seconds(3))
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: Self.allocator)
            .channelOption(.writeBufferWaterMark, value: Self.waterMark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(owner.value)
                }
            }
            .connect(to: address)
            .flatMapErrorThrowing { error in
                supervisor.endConnection(squid)
                throw error
            }
            .flatMapThrowing { channel in
                channel.closeFuture.whenComplete { _ in supervisor.endConnection(squid) }
                // It had the port from its start to now: nobody else can have taken this connection.
                guard squid.isAlive else {
                    channel.close(promise: nil)
                    throw AiboxError(.failed, "Squid does not run")
                }
                return SquidConnection(squid: squid, channel: channel, owner: owner)
            }
    }

    static let allocator: any RecvByteBufferAllocator = AdaptiveRecvByteBufferAllocator(
        minimum: 2048, initial: 16_384, maximum: 262_144)
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 131_072, high: 524_288)

    // MARK: Connections

    /// False if there are too many.
    func admit(_ handler: EgressHandler, on loop: any EventLoop) -> Bool {
        let bound = NIOLoopBound(handler, eventLoop: loop)
        let id = ObjectIdentifier(handler)
        return state.withLock { state in
            if state.connections.count >= Self.connectionLimit { return false }
            state.connections[id] = bound
            return true
        }
    }

    func leave(_ handler: EgressHandler) {
        let id = ObjectIdentifier(handler)
        _ = state.withLock { $0.connections.removeValue(forKey: id) }
    }

    var connections: Int { state.withLock { $0.connections.count } }
}

/// A connection to a Squid, and which.
struct SquidConnection: Sendable {
    var squid: SquidProcess
    var channel: any Channel
    /// Knows whose it is.
    var owner: NIOLoopBound<UpstreamHandler>
}
