import AiboxAudit
import AiboxNetwork
import AiboxSystem
import AiboxWire
import CLinux
import Glibc
import NIOCore
import NIOPosix

/// The parts of a running gateway, wired.
struct Gateway {
    let ready: GatewayReady
    private let holder: HolderConnection
    private let supervisor: Supervisor
    private let group: MultiThreadedEventLoopGroup
    private let channels: [any Channel]
    private let egress: Egress?
    private let audit: AuditLog?
    private let log: GatewayLog

    /// What a rootful gateway keeps once the holder is on its way: to own files (CAP_CHOWN 0, CAP_DAC_OVERRIDE 1,
    /// CAP_FOWNER 3) and to run its own children as other users (CAP_KILL 5, CAP_SETGID 6, CAP_SETUID 7). Not the network,
    /// not namespaces, not other processes.
    private static let keptAsRoot: UInt64 = 0b1110_1011

    /// Brings everything up in the order in which it protects: namespaces and filter first, then the doors.
    ///
    /// Must run on the thread that will call `serve`, the main one.
    static func start(
        _ settings: GatewaySettings, _ folder: RunFolder, leash: Descriptor, signals: Descriptor, log: GatewayLog
    ) throws(AiboxError) -> Gateway {
        let holder = try HolderConnection.start(owner: settings.userNamespacePid)
        do {
            // Before the event loop's thread exists: capabilities belong to threads.
            if geteuid() == 0 { try check(aibox_keep_capabilities(keptAsRoot), "cannot give up capabilities") }
            let audit = try openAudit(settings)
            // Squid takes longest: it starts while the namespaces are made.
            let egress = try startEgress(settings, audit, log)
            let control = try UnixSocket.listen(folder: folder.path, name: Wire.controlSocket)
            let (sshListener, sshPort) = try PortForward.claimPort(from: settings.sshPort)
            let supervisor = try Supervisor(holder: holder, leash: leash, signals: signals)
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let restingPid = try holder.awaitReady()
            let ready = GatewayReady(
                pid: getpid(), holderPid: restingPid, networkNamespace: "/proc/\(restingPid)/ns/net", sshPort: sshPort)
            let ssh = PortForward(to: SandboxLink.boxAddress, SandboxLink.sshPort, through: holder, log: log)
            let service = ControlService(
                settings: settings, ready: ready, supervisor: supervisor, holder: holder, ssh: ssh, egress: egress)
            if let egress { try open(egress, holder) }
            let channels = [
                try ControlServer(service: service, log: log).serve(control, on: group),
                try ssh.serve(sshListener, on: group),
            ]
            return Gateway(
                ready: ready, holder: holder, supervisor: supervisor, group: group, channels: channels,
                egress: egress, audit: audit, log: log)
        } catch {
            holder.end()
            // Squid goes with the process.
            throw (error as? AiboxError) ?? AiboxError(.failed, "cannot start the gateway", why: "\(error)")
        }
    }

    private static func openAudit(_ settings: GatewaySettings) throws(AiboxError) -> AuditLog? {
        guard let place = settings.audit else { return nil }
        var options = AuditLog.Options()
        options.secondPlaces = [SecondPlace(folder: place.checkpoints)]
        return try AuditLog.open(
            folder: place.folder,
            context: AuditContext(
                source: .gateway, session: place.session, sandbox: settings.sandbox, user: settings.user),
            options: options)
    }

    private static func startEgress(
        _ settings: GatewaySettings, _ audit: AuditLog?, _ log: GatewayLog
    ) throws(AiboxError) -> Egress? {
        guard let network = settings.network, let audit else { return nil }
        let plan: EgressPlan
        do { plan = try EgressPlan(json: network) } catch {
            throw AiboxError(.usage, "cannot read the gateway's settings", why: "\(error)")
        }
        return try Egress.start(
            plan, runFolder: settings.runFolder, sandbox: settings.sandbox, audit: audit, log: log)
    }

    /// A port is open only while somebody answers there: first the service, then the filter.
    private static func open(_ egress: Egress, _ holder: HolderConnection) throws {
        var listeners: [Descriptor] = []
        for port in Egress.ports {
            guard let socket = try holder.perform(.listen(SandboxLink.gatewayAddress, port)) else {
                throw AiboxError(.failed, "cannot open the way out", why: "no socket came")
            }
            listeners.append(socket)
        }
        try egress.serve(listeners)
        _ = try holder.perform(.filter(SandboxLink.filter(tcp: Egress.ports).text))
    }

    /// Serves until something ends it, then takes everything down. Returns the exit status.
    func serve() -> Int32 {
        let ending = supervisor.run()
        if ending.isFailure {
            log.error("ending", ["reason": ending.reason])
        } else {
            log.info("ending", ["reason": ending.reason])
        }
        for channel in channels { try? channel.close().wait() }
        holder.end()
        egress?.end()
        try? audit?.close()
        try? group.syncShutdownGracefully()
        return ending.isFailure ? 1 : 0
    }
}
