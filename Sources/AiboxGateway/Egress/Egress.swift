import AiboxAudit
import AiboxCrypto
import AiboxNetwork
import AiboxSystem
import AiboxWire
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
    /// Ports of the gateway's address that are served.
    static let ports = doors.map(\.port)

    let service: EgressService
    private let supervisor: SquidSupervisor
    private let lookup: AddressLookup
    private let group: MultiThreadedEventLoopGroup
    private let log: GatewayLog
    private let channels = Mutex<[any Channel]>([])

    /// Checks the list and begins to start Squid; nothing is open yet.
    static func start(
        _ plan: EgressPlan, runFolder: String, sandbox: String, audit: AuditLog, log: GatewayLog
    ) throws(AiboxError) -> Egress {
        let list: AllowList
        do { list = try AllowList(plan.allow) } catch { throw error.asError }
        let lookup = AddressLookup(
            pinned: Dictionary(plan.names.map { ($0.name, $0.addresses) }, uniquingKeysWith: { $0 + $1 }))
        let recorder = EgressRecorder(sink: audit, sandbox: sandbox, log: log)
        let service = EgressService(
            list: list, exceptions: plan.targets, hasUpstream: plan.upstream != nil, lookup: lookup,
            recorder: recorder, log: log)
        let supervisor = try SquidSupervisor(
            folder: try SquidFolder.make(runFolder: runFolder), surroundings: surroundings(plan),
            authority: try CertificateAuthority.make(name: "aibox \(sandbox)", days: 30), log: log,
            changed: { squid, why in
                service.use(squid)
                if let why { recorder.lost("squid", why) }
            }, spoke: { line in service.squidSpoke(line) })
        service.supervisor.withLock { $0 = supervisor }
        return Egress(service: service, supervisor: supervisor, lookup: lookup, log: log)
    }

    private init(service: EgressService, supervisor: SquidSupervisor, lookup: AddressLookup, log: GatewayLog) {
        self.service = service
        self.supervisor = supervisor
        self.lookup = lookup
        self.log = log
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        first = group.next().makePromise(of: Void.self)
        install(service.list).cascade(to: first)
    }

    /// Fulfilled once the first Squid answers, or failed with why it does not.
    private let first: EventLoopPromise<Void>
    var serving: EventLoopFuture<Void> { first.futureResult }

    /// A Squid for this list; none where nothing is allowed.
    private func install(_ list: AllowList) -> EventLoopFuture<Void> {
        let promise = group.next().makePromise(of: Void.self)
        supervisor.install(list.hosts.isEmpty ? nil : list) { result in
            switch result {
            case .success: promise.succeed()
            case .failure(let error): promise.fail(error)
            }
        }
        return promise.futureResult
    }

    /// Serves the listening sockets, in the order of `ports`.
    func serve(_ listeners: [Descriptor]) throws {
        for (listener, (_, door)) in zip(listeners, Self.doors) {
            let channel = try ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 1024)
                .childChannelOption(.autoRead, value: false)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
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
            channels.withLock { $0.append(channel) }
        }
    }

    /// Closes the doors, ends Squid, removes its files.
    func end() {
        for channel in channels.withLock({ $0 }) { try? channel.close().wait() }
        supervisor.end()
        lookup.end()
        first.fail(AiboxError(.failed, "the gateway is ending"))
        try? group.syncShutdownGracefully()
    }

    private static func surroundings(_ plan: EgressPlan) throws(AiboxError) -> SquidSupervisor.Surroundings {
        var hosts: String?
        if !plan.names.isEmpty {
            hosts = plan.names.flatMap { entry in entry.addresses.map { "\($0) \(entry.name)\n" } }.joined()
            hosts? += (try? File.text("/etc/hosts", limit: 1 << 20)) ?? ""
        }
        return SquidSupervisor.Surroundings(
            targets: TargetPolicy(exceptions: plan.targets, hostAddresses: HostAddresses.current()),
            originAuthorities: plan.originAuthorities, upstream: plan.upstream, hosts: hosts)
    }
}
