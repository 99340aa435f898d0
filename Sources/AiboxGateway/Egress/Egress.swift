import AiboxAudit
import AiboxCrypto
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import AiboxWire
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// The way out of one sandbox: the list, the doors in the gateway's namespace, Squid behind them.
final class Egress: Sendable {
    /// The port that the sandbox's proxy variables name.
    static let proxyPort: UInt16 = 3128
    private static let doors: [(port: UInt16, door: EgressConnection.Door)] = [
        (proxyPort, .proxy), (80, .http), (443, .tls),
    ]
    /// Connections that wait to be taken; a burst beyond it waits for seconds.
    private static let queueLength: Int32 = 2048
    /// Ports of the gateway's address that are served.
    static let ports = doors.map(\.port)

    let service: EgressService
    /// Certificate of the authority that opens tunnels, as PEM; nil where none is opened.
    let authority: String?
    private let supervisor: SquidSupervisor
    private let judge: SquidJudge
    private let changes: EgressChanges
    private let recorder: EgressRecorder
    var decisions: EgressRecorder.Counts { recorder.counts }
    private let lookup: AddressLookup
    private let group: MultiThreadedEventLoopGroup
    private let log: GatewayLog
    private let channels = Mutex<[any Channel]>([])
    private let squidReady: EventLoopFuture<Void>
    /// Fulfilled once Squid and the resolver answer, or failed with why they do not.
    private let first: EventLoopPromise<Void>
    var serving: EventLoopFuture<Void> { first.futureResult }

    /// Checks the list and begins to start Squid; nothing is open yet.
    ///
    /// - Parameter misused: told of a stand-in for a credential that was used where it does not belong, once the log has it.
    static func start(
        _ plan: EgressPlan, learn: LearnPlan?, policies: NetworkRules, runFolder: String, sandbox: String,
        screen: SurrogateScreen, audit: GatewayAudit, log: GatewayLog, misused: @escaping @Sendable (String) -> Void
    ) throws(AiboxError) -> Egress {
        let learn = try learn.map { plan throws(AiboxError) in try Self.learned(plan) }
        var rules: SessionRules
        let list: AllowList
        do throws(AllowListProblems) {
            rules = try SessionRules(plan.allow, permitsAdditions: plan.permitsAdditions)
            // Between the policy's merge and now a day may have ended.
            for ending in plan.endings where ending.at <= Timestamp.now.seconds { try rules.end(ending) }
            list = try rules.list()
        } catch {
            throw error.asError
        }
        let lookup = AddressLookup(
            pinned: Dictionary(plan.names.map { ($0.name, $0.addresses) }, uniquingKeysWith: { $0 + $1 }))
        let recorder = EgressRecorder(sink: audit.sink, sandbox: sandbox, log: log, misused: misused)
        let service = EgressService(
            list: list, rules: policies, exceptions: plan.targets, hasUpstream: plan.upstream != nil, lookup: lookup,
            recorder: recorder, screen: screen, log: log)
        let authority = try CertificateAuthority.make(name: "aibox \(sandbox)", days: 30)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let judge = try SquidJudge(
            on: group,
            left: { question, event, time in
                recorder.left(EgressAttempt(question.url, method: question.method), event: event, after: time)
            }, decide: { question, loop in service.decide(inside: question, on: loop) })
        let supervisor = try SquidSupervisor(
            folder: try SquidFolder.make(runFolder: runFolder), surroundings: surroundings(plan, judge),
            authority: authority, log: log,
            changed: { squid, why in
                service.use(squid)
                if let why { recorder.lost("squid", why) }
            }, spoke: { line in service.squidSpoke(line) })
        service.supervisor.withLock { $0 = supervisor }
        let certificate = list.inspects ? String(decoding: authority.certificate, as: UTF8.self) : nil
        return Egress(
            rules, learn, service, supervisor, judge, recorder, lookup, group, audit, log, authority: certificate)
    }

    /// What the organisation alone permits.
    private static func learned(
        _ plan: LearnPlan
    ) throws(AiboxError) -> (allow: [AllowRuleSource], policy: JSONValue) {
        var allow: [AllowRuleSource] = []
        do throws(WireError) {
            for entry in plan.allow { allow.append(try AllowRuleSource(json: entry)) }
        } catch {
            throw AiboxError(.usage, "cannot read the gateway's settings", why: "\(error)")
        }
        do throws(AllowListProblems) { _ = try AllowList(allow) } catch { throw error.asError }
        return (allow, plan.policy)
    }

    private init(
        _ rules: SessionRules, _ learn: (allow: [AllowRuleSource], policy: JSONValue)?, _ service: EgressService,
        _ supervisor: SquidSupervisor, _ judge: SquidJudge, _ recorder: EgressRecorder,
        _ lookup: AddressLookup, _ group: MultiThreadedEventLoopGroup, _ audit: GatewayAudit, _ log: GatewayLog,
        authority: String?
    ) {
        self.authority = authority
        self.service = service
        self.supervisor = supervisor
        self.judge = judge
        self.recorder = recorder
        self.lookup = lookup
        self.log = log
        self.group = group
        let loop = group.next()
        first = loop.makePromise(of: Void.self)
        squidReady = Self.install(service.list, supervisor, loop)
        let resolver = Installer(service.rules)
        changes = EgressChanges(
            rules, learn: learn, service: service, audit: audit, log: log, loop: loop
        ) { served, own in
            EventLoopFuture.andAllSucceed(
                [Self.install(served, supervisor, loop), resolver.install(served, broker: own, on: loop)], on: loop)
        }
        installer = resolver
    }

    /// How changes of the list reach the resolver and the broker, which exist later than they do.
    private final class Installer: Sendable {
        let resolver = Mutex<ResolverSupervisor?>(nil)
        let broker = Mutex<LLMSupervisor?>(nil)
        private let rules: NetworkRules

        init(_ rules: NetworkRules) { self.rules = rules }

        /// - Parameter own: the sandbox's own list, which the broker goes by.
        func install(_ list: AllowList, broker own: AllowList, on loop: any EventLoop) -> EventLoopFuture<Void> {
            let promise = loop.makePromise(of: Void.self)
            if let resolver = resolver.withLock({ $0 }) {
                resolver.install(ResolverZone(list)) { result in
                    promise.completeWith(result.mapError { $0 as any Error })
                }
            } else {
                promise.succeed()
            }
            let followed = broker.withLock { $0 }?.follow(rules.decider(own)) ?? loop.makeSucceededVoidFuture()
            return promise.futureResult.and(followed.hop(to: loop)).map { _ in }
        }
    }

    private let installer: Installer

    /// A Squid for this list; none where nothing is allowed.
    private static func install(
        _ list: AllowList, _ supervisor: SquidSupervisor, _ loop: any EventLoop
    ) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        supervisor.install(list.hosts.isEmpty ? nil : list) { result in
            switch result {
            case .success: promise.succeed()
            case .failure(let error): promise.fail(error)
            }
        }
        return promise.futureResult
    }

    /// Starts the resolver. The last step: from here on the main thread has to take the holder's replies.
    func startResolver(
        _ program: ResolverProgram, runFolder: String, holder: HolderConnection, doors: Doors
    ) throws(AiboxError) {
        let loop = group.next()
        let recorder = recorder
        let service = service
        let resolver = try ResolverSupervisor(
            program, runFolder: runFolder, holder: holder, doors: doors, loop: loop, log: log,
            answered: { recorder.asked($0, service.list, isLearning: service.isLearning) },
            lost: { recorder.lost("resolver", $0) })
        installer.resolver.withLock { $0 = resolver }
        let ready = installer.install(service.list, broker: service.list, on: loop)
        try resolver.start()
        EventLoopFuture.andAllSucceed([squidReady, ready], on: loop).cascade(to: first)
    }

    /// The broker goes where the list leads, and nowhere else.
    func tell(_ broker: LLMSupervisor) {
        installer.broker.withLock { $0 = broker }
        _ = broker.follow(service.rules.decider(service.list))
    }

    /// Where the way out is served.
    var loop: any EventLoop { group.next() }

    /// Something that the sandbox was promised is gone; it is cut off from that.
    func lost(_ layer: String, _ why: String) { recorder.lost(layer, why) }

    /// Does what `aibox network allow` or `deny` asked for.
    func change(_ change: NetworkChange) -> EventLoopFuture<Void> { changes.make(change) }

    /// Lets through what the organisation alone permits until then; nil: no more.
    func learn(until: NIODeadline?) -> EventLoopFuture<Void> { changes.learn(until: until) }

    /// Ends what rested on exceptions of the policy.
    func end(_ ending: ExceptionEnding) -> EventLoopFuture<Void> { changes.end(ending) }

    /// What holds now, for `aibox network show`.
    var document: JSONValue {
        let list = service.list
        let isSquidNeeded = !list.hosts.isEmpty
        let squid = service.squid != nil ? "serves" : isSquidNeeded ? "is down, requests get 503" : "serves"
        let resolver = installer.resolver.withLock { $0 }
        let rules: [JSONValue] = list.rules.map { rule in
            var object: JSONObject = [
                "id": .string(rule.id), "layer": .string(rule.layer),
                "hosts": .array(rule.hosts.map { .string($0.description) }),
                "ports": .array(rule.ports.map { .integer(Int64($0)) }),
                "schemes": .array(rule.schemes.map(\.rawValue).sorted().map { .string($0) }),
            ]
            object["methods"] = rule.methods.map { .array($0.map { .string($0) }) }
            object["paths"] = rule.paths.map { .array($0.map { .string($0.text) }) }
            return .object(object)
        }
        return [
            "enabled": true, "learning": .bool(service.isLearning), "connections": .integer(Int64(service.connections)),
            "rules": .array(rules),
            "denials": .array(list.denials.map { ["host": .string($0.host.description)] }),
            "services": [
                ["name": "squid", "state": .string(squid)],
                [
                    "name": .string(resolver?.program.rawValue ?? "resolver"),
                    "state": .string(resolver?.serves == true ? "serves" : "is down, names do not resolve"),
                ],
            ],
        ]
    }

    /// Serves the listening sockets, in the order of `ports`.
    func serve(_ listeners: [Descriptor]) throws {
        for (listener, (_, door)) in zip(listeners, Self.doors) {
            let queue = Descriptor(
                try retrying("cannot serve the sandbox") { fcntl(listener.number, F_DUPFD_CLOEXEC, 3) })
            let channel = try ServerBootstrap(group: group)
                .serverChannelOption(.maxMessagesPerRead, value: 64)
                .childChannelOption(.autoRead, value: false)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                // What `UploadPace` counts with.
                .childChannelOption(.maxMessagesPerRead, value: 1)
                .childChannelOption(.recvAllocator, value: EgressService.allocator)
                .childChannelOption(.writeBufferWaterMark, value: EgressService.waterMark)
                .childChannelInitializer { [service, supervisor] channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            EgressHandler(service: service, door: door, key: supervisor.key))
                    }
                }
                .withBoundSocket(listener.release())
                .wait()
            // NIO makes the queue of a socket that it is given 128 long, whatever its options say.
            try check(listen(queue.number, Self.queueLength), "cannot serve the sandbox")
            channels.withLock { $0.append(channel) }
        }
    }

    /// The holder is about to end, and the resolver with it.
    func willEnd() { installer.resolver.withLock { $0 }?.end() }

    /// After `willEnd`: closes the doors, ends Squid, removes its files.
    func end() {
        for channel in channels.withLock({ $0 }) { try? channel.close().wait() }
        installer.resolver.withLock { $0 }?.awaitEnd()
        supervisor.end()
        judge.end()
        lookup.end()
        first.fail(AiboxError(.failed, "the gateway is ending"))
        try? group.syncShutdownGracefully()
    }

    /// A gateway that does not come up says why, and not that a promise was forgotten.
    deinit { first.fail(AiboxError(.failed, "the gateway did not start")) }

    private static func surroundings(
        _ plan: EgressPlan, _ judge: SquidJudge
    ) throws(AiboxError) -> SquidSupervisor.Surroundings {
        var hosts: String?
        if !plan.names.isEmpty {
            hosts = plan.names.flatMap { entry in entry.addresses.map { "\($0) \(entry.name)\n" } }.joined()
            hosts? += (try? File.text("/etc/hosts", limit: 1 << 20)) ?? ""
        }
        return SquidSupervisor.Surroundings(
            targets: TargetPolicy(exceptions: plan.targets, hostAddresses: try HostAddresses.current()),
            originAuthorities: plan.originAuthorities, upstream: plan.upstream, hosts: hosts, judge: judge.place)
    }
}
