import AiboxNetwork
public import AiboxSystem
public import AiboxWire
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A running LLM proxy: a listening socket, one event loop behind it.
public final class LLMProxyServer: Sendable {
    public struct Options: Sendable {
        /// `host:port` in lower case, as clients may call it.
        public var authorities: Set<String>
        public var bounds = Bounds()
        /// Seconds of a clock that never goes back.
        public var clock: @Sendable () -> Int64 = {
            Int64(LLMProxyServer.begun.duration(to: .now).components.seconds)
        }
        /// Told how many tokens are spent in all, after every request.
        public var spent: @Sendable (Int) -> Void = { _ in }
        /// Told of a key that was shown where it does not belong, in words, once the log has it.
        public var misused: @Sendable (String) -> Void = { _ in }

        /// Whose requests these are, for content that is kept.
        public var stay = Stay()
        /// Where the gateway is asked.
        public var desk: GatewayDesk

        public init(authorities: Set<String>, desk: GatewayDesk) {
            self.authorities = authorities
            self.desk = desk
        }
    }

    public struct Stay: Sendable {
        public var session = ""
        public var sandbox = ""
        public var user = ""

        public init(session: String = "", sandbox: String = "", user: String = "") {
            self.session = session
            self.sandbox = sandbox
            self.user = user
        }
    }

    private static let begun = ContinuousClock.now
    /// Room for what one read takes. A connection keeps it, and as many as a turn may have reads: the sandbox opens the
    /// connections, so theirs is small.
    private static let allocator = AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 2048, maximum: 16_384)
    static let upstreamAllocator = AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 4096, maximum: 131_072)
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 64 << 10, high: 256 << 10)
    private static let queueLength: Int32 = 2048

    private let service: BrokerService
    private let desk: GatewayDesk
    private let group: MultiThreadedEventLoopGroup
    private let threads: NIOThreadPool
    private let channel: any Channel
    private let pool: NIOLoopBound<UpstreamPool>
    private let connections: Connections

    /// Serves a listening socket, which it takes over.
    public static func start(
        _ listener: Descriptor, plan: BrokerPlan, options: Options, audit: any LLMAudit
    ) throws(AiboxError) -> LLMProxyServer {
        let threads = NIOThreadPool(numberOfThreads: 2)
        threads.start()
        let service = try BrokerService(
            plan, rules: RequestHeadRules(authorities: options.authorities, bodyLimit: options.bounds.body),
            bounds: options.bounds, audit: audit, threads: threads, desk: options.desk, stay: options.stay,
            clock: options.clock, spent: options.spent, misused: options.misused)
        do {
            return try LLMProxyServer(listener, service, options.desk, threads)
        } catch {
            throw (error as? AiboxError) ?? AiboxError(.failed, "cannot serve the LLM proxy", why: "\(error)")
        }
    }

    private init(
        _ listener: Descriptor, _ service: BrokerService, _ desk: GatewayDesk, _ threads: NIOThreadPool
    ) throws {
        self.service = service
        self.desk = desk
        self.threads = threads
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let connections = Connections()
        self.connections = connections
        let pool = try loop.submit { NIOLoopBound(UpstreamPool(loop: loop), eventLoop: loop) }.wait()
        self.pool = pool
        let queue = Descriptor(try retrying("cannot serve the LLM proxy") { dup(listener.number) })
        channel = try ServerBootstrap(group: group)
            .serverChannelOption(.maxMessagesPerRead, value: 64)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.recvAllocator, value: Self.allocator)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.writeBufferWaterMark, value: Self.waterMark)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = LLMConnection(service: service, pool: pool.value)
                    try channel.pipeline.syncOperations.addHandler(handler)
                    connections.add(channel)
                }
            }
            .withBoundSocket(listener.release())
            .wait()
        // NIO makes the queue of a socket that it is given 128 long, whatever its options say.
        listen(queue.number, Self.queueLength)
    }

    /// Takes another plan: requests from now on are decided by it. What is under way goes on, with the secret that it began
    /// with, unless its credential is gone: then it ends.
    public func use(_ plan: BrokerPlan) throws(AiboxError) {
        try service.use(plan)
        connections.tell(BrokerService.PlanChanged())
    }

    /// Whether this is the plan that it decides by.
    public func follows(_ plan: BrokerPlan) -> Bool { service.configuration.plan == plan }

    /// Ends at once what is open.
    public func closeConnections() { _ = connections.closeAll() }

    /// Stops serving and closes everything; then the gateway is asked nothing more, and has been told what it cost.
    public func end() {
        try? channel.close().wait()
        let closed = connections.closeAll()
        try? EventLoopFuture.andAllComplete(closed, on: group.next()).wait()
        let pool = pool
        try? group.next().submit { pool.value.closeAll() }.wait()
        desk.end()
        try? group.syncShutdownGracefully()
        try? threads.syncShutdownGracefully()
    }

    /// The open connections of the sandbox.
    private final class Connections: Sendable {
        private let open = Mutex<[ObjectIdentifier: any Channel]>([:])

        func add(_ channel: any Channel) {
            let id = ObjectIdentifier(channel)
            open.withLock { $0[id] = channel }
            channel.closeFuture.whenComplete { _ in self.open.withLock { _ = $0.removeValue(forKey: id) } }
        }

        func tell(_ event: some Sendable) {
            for channel in open.withLock({ Array($0.values) }) {
                channel.pipeline.fireUserInboundEventTriggered(event)
            }
        }

        /// - Returns: done once each of them is.
        func closeAll() -> [EventLoopFuture<Void>] {
            open.withLock({ Array($0.values) }).map { channel in
                channel.close(promise: nil)
                return channel.closeFuture
            }
        }
    }
}
