import AiboxSystem
import CLinux
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A port on the host's loopback whose connections are joined with a port in the sandbox.
///
/// Every local user can connect there, as to any loopback port: what listens inside has to authenticate, as sshd does.
final class PortForward: Sendable {
    struct Limits: Sendable {
        /// Connections at a time; one more is closed at once.
        var connections = 128
        /// To connect into the sandbox.
        var dial: Duration = .seconds(5)
        /// Silence of a connection that one side has ended.
        var halfOpen: TimeAmount = .minutes(5)
    }

    private let limits: Limits
    private let holder: HolderConnection
    private let log: GatewayLog
    /// What a connection from the host passes before it is joined.
    private let gate: (@Sendable () -> any ChannelHandler)?
    private let target: (address: IPv4, port: UInt16)
    private let open = Atomic(0)
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    /// Connections that are open or being made.
    var connections: Int { open.load(ordering: .relaxed) }

    init(
        to address: IPv4, _ port: UInt16, through holder: HolderConnection, log: GatewayLog, limits: Limits = Limits(),
        gate: (@Sendable () -> any ChannelHandler)? = nil
    ) {
        self.gate = gate
        target = (address, port)
        self.holder = holder
        self.log = log
        self.limits = limits
    }

    /// Takes the first free port on 127.0.0.1 from `wish` on. Binding is the claim: two gateways never get the same.
    static func claimPort(
        from wish: UInt16, for purpose: String = "SSH", setting: String = "ide.ssh_port"
    ) throws(AiboxError) -> (Descriptor, UInt16) {
        let last = UInt16(min(Int(wish) + 999, 65535))
        for port in wish...last {
            let result = aibox_tcp_listen(IPv4.loopback.value, port, 128)
            if result >= 0 { return (Descriptor(result), port) }
            if result != -EADDRINUSE { throw .system("cannot listen on 127.0.0.1:\(port)", errno: result) }
        }
        throw AiboxError(
            .failed, "cannot find a port for \(purpose)", why: "\(wish) to \(last) on 127.0.0.1 are all taken",
            remedy: "set another \(setting), or stop a sandbox: aibox list")
    }

    /// Serves a listening socket until its channel is closed.
    func serve(_ listener: Descriptor, on group: any EventLoopGroup) -> EventLoopFuture<any Channel> {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 128)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { self.join($0) }
            .withBoundSocket(listener.release())
    }

    /// Closes what is open; the port stays.
    func closeConnections() {
        for channel in channels.withLock({ Array($0.values) }) { channel.close(promise: nil) }
    }

    /// Connects into the sandbox, and only then lets the new connection read.
    private func join(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard open.add(1, ordering: .relaxed).newValue <= limits.connections else {
            open.subtract(1, ordering: .relaxed)
            log.warning("connection refused", ["reason": "\(limits.connections) are open already"])
            return channel.eventLoop.makeFailedFuture(
                AiboxError(.failed, "cannot connect", why: "too many connections"))
        }
        channels.withLock { $0[ObjectIdentifier(channel)] = channel }
        channel.closeFuture.whenComplete { _ in
            self.open.subtract(1, ordering: .relaxed)
            _ = self.channels.withLock { $0.removeValue(forKey: ObjectIdentifier(channel)) }
        }
        let limit = limits.dial.milliseconds
        return holder.request(.dial(target.address, target.port, milliseconds: limit), on: channel.eventLoop)
            .flatMap { socket in self.relay(channel, socket) }
            .flatMapErrorThrowing { error in
                self.log.warning("connection into the sandbox failed", ["reason": "\(error)"])
                throw error
            }
    }

    private func relay(_ channel: any Channel, _ socket: Descriptor?) -> EventLoopFuture<Void> {
        guard let socket else {
            return channel.eventLoop.makeFailedFuture(AiboxError(.failed, "cannot connect", why: "no socket came"))
        }
        let (halfOpen, gate) = (limits.halfOpen, gate)
        return ClientBootstrap(group: channel.eventLoop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .withConnectedSocket(socket.release())
            .flatMapThrowing { inner in
                let (outside, inside) = RelayHandler.pair(halfOpenLimit: halfOpen)
                if let gate { try channel.pipeline.syncOperations.addHandler(gate()) }
                try channel.pipeline.syncOperations.addHandler(outside)
                try inner.pipeline.syncOperations.addHandler(inside)
            }
    }
}
