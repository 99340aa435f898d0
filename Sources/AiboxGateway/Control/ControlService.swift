import AiboxSystem
import AiboxWire
import NIOCore

/// Answers control requests.
final class ControlService: Sendable {
    private let settings: GatewaySettings
    private let ready: GatewayReady
    private let supervisor: Supervisor
    private let holder: HolderConnection
    private let ssh: PortForward
    private let egress: Egress?
    private let start = ContinuousClock.now

    init(
        settings: GatewaySettings, ready: GatewayReady, supervisor: Supervisor, holder: HolderConnection,
        ssh: PortForward, egress: Egress?
    ) {
        self.settings = settings
        self.ready = ready
        self.supervisor = supervisor
        self.holder = holder
        self.ssh = ssh
        self.egress = egress
    }

    func answer(_ request: ControlRequest, on loop: any EventLoop) -> EventLoopFuture<ControlReply> {
        switch request {
        case .status: return loop.makeSucceededFuture(.status(status))
        case .stop: return loop.makeSucceededFuture(.done)
        case .serving: return egress?.serving.hop(to: loop).map { .done } ?? loop.makeSucceededFuture(.done)
        case .readdress: return holder.request(.readdress, on: loop).map { _ in .done }
        case .watch(let pid):
            return loop.makeCompletedFuture {
                try supervisor.watch(pid)
                return .done
            }
        }
    }

    /// Ends the daemon; called once the reply to `stop` is on its way.
    func stop() { supervisor.stop() }

    private var status: GatewayStatus {
        GatewayStatus(
            sandbox: settings.sandbox, container: settings.container, ready: ready, monitorPid: supervisor.monitorPid,
            uptime: Int(start.duration(to: .now).components.seconds), sshConnections: ssh.connections)
    }
}
