import AiboxSystem
import CLinux
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// The control socket: only the sandbox's owner and root get in.
final class ControlServer: Sendable {
    private let service: ControlService
    private let log: GatewayLog
    private let open = Atomic(0)

    private static let connectionLimit = 32
    /// A silent connection is closed.
    private static let idleLimit = TimeAmount.seconds(60)

    init(service: ControlService, log: GatewayLog) {
        self.service = service
        self.log = log
    }

    func serve(_ listener: Descriptor, on group: any EventLoopGroup) throws -> any Channel {
        try ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.admit(channel) }
            }
            .withBoundSocket(listener.release())
            .wait()
    }

    private func admit(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let peer = try pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { Self.peer($0) } ?? nil
        guard let peer, peer == geteuid() || peer == 0 else {
            log.warning("control connection refused", ["uid": peer.map { "\($0)" } ?? "unknown"])
            throw AiboxError(.denied, "cannot use the control socket", why: "it belongs to another user")
        }
        let isRoom = open.add(1, ordering: .relaxed).newValue <= Self.connectionLimit
        channel.closeFuture.whenComplete { _ in self.open.subtract(1, ordering: .relaxed) }
        if !isRoom { throw AiboxError(.failed, "cannot use the control socket", why: "too many connections") }
        // Root's daemon serves root alone; an ordinary user's serves root as well.
        let person = peer == geteuid() ? service.owner : "root"
        try pipeline.addHandler(IdleStateHandler(allTimeout: Self.idleLimit))
        try pipeline.addHandler(ControlHandler(service: service, person: person, log: log))
    }

    /// The user at the other end.
    private static func peer(_ socket: Int32) -> uid_t? {
        var (pid, uid, gid): (pid_t, uid_t, gid_t) = (0, 0, 0)
        return aibox_peer_credentials(socket, &pid, &uid, &gid) == 0 ? uid : nil
    }
}
