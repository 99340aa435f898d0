import AiboxCrypto
import AiboxNetwork
import AiboxSystem
import AiboxWire
import NIOCore
import NIOPosix
import Synchronization

/// What is spoken on a connection to an upstream: with TLS what the server chose (ALPN, RFC 7301), else HTTP/1.1.
enum UpstreamProtocol: Sendable { case http1, http2 }

/// Makes connections to upstreams, and to nothing else: the name is looked up here, and every address is checked before
/// anything is sent there.
final class UpstreamConnector: Sendable {
    private let names: [String: [IPAddress]]
    private let exceptions: [AddressRange]
    private let tls: TLSClientContext
    private let threads: NIOThreadPool
    /// For a connection, and once more for TLS.
    private let patience: TimeAmount
    private let known = Mutex<[String: (addresses: [IPAddress], until: ContinuousClock.Instant)]>([:])

    private static let lifetime = Duration.seconds(20)

    init(_ plan: BrokerPlan, threads: NIOThreadPool, patience: TimeAmount) throws(AiboxError) {
        names = Dictionary(
            plan.names.map { ($0.name.lowercased(), $0.addresses.compactMap { IPAddress($0) }) },
            uniquingKeysWith: { $0 + $1 })
        exceptions = plan.targets.compactMap { AddressRange($0) }
        tls = try TLSClientContext(authorities: plan.authorities)
        self.threads = threads
        self.patience = patience
    }

    /// A connection over which HTTP can be spoken; over TLS the server has proved its name.
    func connect(_ base: UpstreamBase, on loop: any EventLoop) -> EventLoopFuture<(any Channel, UpstreamProtocol)> {
        addresses(base, on: loop).flatMap { addresses in self.dial(base, addresses[...], on: loop) }
    }

    private func addresses(_ base: UpstreamBase, on loop: any EventLoop) -> EventLoopFuture<[IPAddress]> {
        if let address = IPAddress(base.host) { return checked([address], base, loop) }
        if let fixed = names[base.host] { return checked(fixed, base, loop) }
        if let entry = known.withLock({ $0[base.host] }), entry.until > .now {
            return checked(entry.addresses, base, loop)
        }
        return threads.runIfActive(eventLoop: loop) {
            switch HostLookup.addresses(of: base.host) {
            case .success(let found): return found
            case .failure(let error):
                throw AiboxError(.failed, "cannot find \(base.host)", why: error.words)
            }
        }.flatMap { found in
            self.known.withLock { $0[base.host] = (found, .now + Self.lifetime) }
            return self.checked(found, base, loop)
        }
    }

    /// One address that may not be reached is enough to refuse all: the name is not what it should be.
    private func checked(
        _ addresses: [IPAddress], _ base: UpstreamBase, _ loop: any EventLoop
    ) -> EventLoopFuture<[IPAddress]> {
        let own: [IPAddress]
        do throws(AiboxError) { own = try HostAddresses.current() } catch { return loop.makeFailedFuture(error) }
        let policy = TargetPolicy(exceptions: exceptions, hostAddresses: own)
        if let why = addresses.lazy.compactMap({ policy.refusal(of: $0) }).first {
            return loop.makeFailedFuture(
                AiboxError(
                    .denied, "cannot connect to \(base.host)",
                    why: "\(why), and the policy's network.targets does not open it"))
        }
        if addresses.isEmpty {
            return loop.makeFailedFuture(
                AiboxError(.failed, "cannot connect to \(base.host)", why: "it has no address"))
        }
        return loop.makeSucceededFuture(addresses)
    }

    /// The addresses one after the other.
    private func dial(
        _ base: UpstreamBase, _ addresses: ArraySlice<IPAddress>, on loop: any EventLoop
    ) -> EventLoopFuture<(any Channel, UpstreamProtocol)> {
        guard let address = addresses.first else {
            return loop.makeFailedFuture(AiboxError(.failed, "cannot connect to \(base.host)"))
        }
        return dial(base, address, on: loop).flatMapError { error in
            let rest = addresses.dropFirst()
            // What has no right certificate at one address is not tried at the next: that would be luck.
            if rest.isEmpty || (error as? AiboxError)?.isDistrust == true {
                return loop.makeFailedFuture(error)
            }
            return self.dial(base, rest, on: loop)
        }
    }

    private func dial(
        _ base: UpstreamBase, _ address: IPAddress, on loop: any EventLoop
    ) -> EventLoopFuture<(any Channel, UpstreamProtocol)> {
        let established = loop.makePromise(of: UpstreamProtocol.self)
        let socketAddress: SocketAddress
        do { socketAddress = try SocketAddress(ipAddress: address.description, port: Int(base.port)) } catch {
            established.fail(error)
            return loop.makeFailedFuture(error)
        }
        let (tls, patience) = (tls, patience)
        let connecting = ClientBootstrap(group: loop)
            .connectTimeout(patience)
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: LLMProxyServer.upstreamAllocator)
            .channelOption(.writeBufferWaterMark, value: LLMProxyServer.waterMark)
            .channelInitializer { channel in
                guard base.isTLS else {
                    established.succeed(.http1)
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        try TLSHandler(tls, host: base.host, established: established))
                }
            }
            .connect(to: socketAddress)
        connecting.whenFailure { error in established.fail(error) }
        return connecting.flatMap { channel in
            let limit = channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
            return established.futureResult.map { chosen in
                limit.cancel()
                return (channel, chosen)
            }
        }
    }
}

extension AiboxError {
    /// A server that did not prove its name, as `TLSClientSession` says it.
    var isDistrust: Bool { what.hasPrefix("cannot trust") }
}
