import AiboxNetwork
import AiboxPolicy
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
    private let llm: LLMSupervisor?
    private let tools: ToolDoor?
    private let traces: TraceReceiver?
    private let learning: Learning
    private let audit: GatewayAudit
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
            // Before this process confines itself: what watches the sandbox's calls needs what the gateway gives up.
            let watcher = try settings.traces.flatMap { demand throws(AiboxError) in
                settings.watchesCalls ? try CallWatcher.start(waits: demand == .required, folder: folder) : nil
            }
            // Before the event loop's thread exists: capabilities belong to threads.
            if geteuid() == 0 { try check(aibox_keep_capabilities(keptAsRoot), "cannot give up capabilities") }
            for folder in [settings.audit.folder, settings.audit.checkpoints] { try Folder.makePrivate(folder) }
            let plan = try plan(settings)
            if let payloads = settings.llm?.payloads { try Folder.makePrivate(payloads.folder) }
            // Outside what it may touch afterwards.
            let ledgers = try SpendingLedgers(settings)
            let landlock = try LockDown.daemon(settings, plan)
            let audit = try GatewayAudit(settings, log: log)
            let containment = Containment(audit: audit, log: log)
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let misused: @Sendable (String) -> Void = { words in
                guard settings.endsOnMisuse else { return }
                let reason = "\(words), and credentials.on_misuse of the policy is stop"
                cut(holder, containment, "credentials", reason, on: group.next(), log)
            }
            // Squid takes longest: it starts while the namespaces are made.
            let egress = try plan.map { plan throws(AiboxError) in
                try Egress.start(
                    plan, learn: settings.learn, policies: try rules(settings), runFolder: settings.runFolder,
                    sandbox: settings.sandbox, screen: screen(settings), audit: audit, log: log, misused: misused)
            }
            // Before the container is made, whose runtime connects.
            let traces = try settings.traces.map { demand throws(AiboxError) in
                try TraceReceiver(demand, watcher: watcher, folder: folder, audit: audit, log: log) { reason in
                    cut(holder, containment, "trace points", reason, on: group.next(), log)
                }
            }
            let control = try UnixSocket.listen(folder: folder.path, name: Wire.controlSocket)
            let (sshListener, sshPort) = try PortForward.claimPort(from: settings.sshPort)
            var metrics: (listener: Descriptor, port: UInt16)?
            if let wish = settings.metricsPort {
                metrics = try PortForward.claimPort(from: wish, for: "Prometheus", setting: "audit.metrics_port")
            }
            let supervisor = try Supervisor(
                holder: holder, containment: containment, audit: audit, leash: leash, signals: signals)
            let restingPid = try holder.awaitReady()
            let ready = GatewayReady(
                pid: getpid(), holderPid: restingPid, networkNamespace: "/proc/\(restingPid)/ns/net", sshPort: sshPort,
                metricsPort: metrics?.port, authority: egress?.authority)
            let ssh = PortForward(to: SandboxLink.boxAddress, SandboxLink.sshPort, through: holder, log: log) {
                SSHAuditHandler(audit, port: sshPort)
            }
            let doors = Doors(holder: holder)
            let forwards = PortForwards(holder: holder, doors: doors, audit: audit, log: log)
            containment.whenCut {
                ssh.closeConnections()
                forwards.closeConnections()
            }
            let llm = try egress.flatMap { egress throws(AiboxError) in
                try llmProxy(settings, ledgers, holder, doors, egress, audit, log, misused)
            }
            let tools = try settings.tools.map { plan throws(AiboxError) in
                try ToolDoor(
                    plan, learn: settings.learn, user: settings.user, sandbox: settings.sandbox, audit: audit, log: log)
            }
            let learning = Learning(settings, egress: egress, tools: tools, audit: audit, log: log)
            let exceptions = ExceptionEnds(
                plan, egress: egress, llm: llm, tools: tools, learning: learning, log: log)
            let service = ControlService(
                settings: settings, ready: ready, supervisor: supervisor, holder: holder, containment: containment,
                audit: audit, ssh: ssh, forwards: forwards, egress: egress, llm: llm,
                tools: tools, learning: learning, exceptions: exceptions, landlock: landlock)
            let toolDoors = try open(egress, tools, holder, doors)
            containment.whenCut {
                egress?.service.closeConnections()
                llm?.cut()
            }
            var channels = [
                try ControlServer(service: service, log: log).serve(control, on: group),
                try ssh.serve(sshListener, on: group).wait(),
            ]
            channels += toolDoors
            if let metrics {
                let server = try MetricsServer(folder: settings.audit.folder, sandbox: settings.sandbox, log: log)
                channels.append(try server.serve(metrics.listener, on: group))
            }
            if let egress, let plan {
                try egress.startResolver(
                    try resolver(plan), runFolder: settings.runFolder, holder: holder, doors: doors)
            }
            if let llm { egress?.tell(llm) }
            try llm?.start()
            try audit.started(ready)
            exceptions.begin()
            return Gateway(
                ready: ready, holder: holder, supervisor: supervisor, group: group, channels: channels,
                egress: egress, llm: llm, tools: tools, traces: traces, learning: learning, audit: audit, log: log)
        } catch {
            holder.end()
            // Squid goes with the process.
            throw (error as? AiboxError) ?? AiboxError(.failed, "cannot start the gateway", why: "\(error)")
        }
    }

    /// Takes the cable down for something that the sandbox was promised and that is gone.
    private static func cut(
        _ holder: HolderConnection, _ containment: Containment, _ layer: String, _ reason: String,
        on loop: any EventLoop, _ log: GatewayLog
    ) {
        if containment.reason != nil { return }
        holder.request(.cut, on: loop).whenComplete { result in
            if case .failure(let error) = result { log.error("cannot cut the sandbox off", ["reason": "\(error)"]) }
            containment.isCut(layer: layer, reason: reason)
        }
    }

    private static func plan(_ settings: GatewaySettings) throws(AiboxError) -> EgressPlan? {
        guard let network = settings.network else { return nil }
        do { return try EgressPlan(json: network) } catch {
            throw AiboxError(.usage, "cannot read the gateway's settings", why: "\(error)")
        }
    }

    /// Without the policies in Rego nothing decides about connections, and there is no gateway.
    private static func rules(_ settings: GatewaySettings) throws(AiboxError) -> NetworkRules {
        guard let decisions = settings.decisions else {
            throw AiboxError(
                .usage, "cannot read the gateway's settings",
                why: "there is a way out and nothing that decides about it")
        }
        return try NetworkRules(decisions, user: settings.user, sandbox: settings.sandbox)
    }

    /// CoreDNS where it is installed, else unbound, unless the settings name one.
    private static func resolver(_ plan: EgressPlan) throws(AiboxError) -> ResolverProgram {
        let choices: [ResolverProgram] = plan.resolver.map { [$0] } ?? [.coredns, .unbound]
        if let found = choices.first(where: { ExecutableSearch.find($0.rawValue) != nil }) { return found }
        throw AiboxError(
            .layerMissing, "the sandbox cannot have a resolver",
            why: "\(choices.map(\.rawValue).joined(separator: " or ")) is not on this machine",
            remedy: "apt-get install unbound")
    }

    /// The proxy for language models, where there is a key for one. It begins once the supervisor runs.
    private static func llmProxy(
        _ settings: GatewaySettings, _ ledgers: SpendingLedgers?, _ holder: HolderConnection, _ doors: Doors,
        _ egress: Egress, _ audit: GatewayAudit, _ log: GatewayLog, _ misused: @escaping @Sendable (String) -> Void
    ) throws(AiboxError) -> LLMSupervisor? {
        guard let plan = settings.llm, let decisions = settings.decisions else { return nil }
        guard let listener = try holder.perform(.listen(SandboxLink.gatewayAddress, BrokerPlan.port)) else {
            throw AiboxError(.failed, "cannot open the LLM proxy", why: "no socket came")
        }
        let authorities = brokers.map { "\($0):\(BrokerPlan.port)" }
        return try LLMSupervisor(
            LLMProxySettings(
                sandbox: settings.sandbox, user: settings.user, audit: settings.audit, authorities: authorities,
                plan: plan), decisions: decisions, ledgers: ledgers, listener: listener, doors: doors,
            loop: egress.loop, audit: audit, log: log, misused: misused
        ) { egress.lost("llm-proxy", $0) }
    }

    /// The broker's hosts, as the sandbox calls it.
    private static let brokers = ["\(SandboxLink.gatewayAddress)", "llm.aibox.internal"]

    private static func screen(_ settings: GatewaySettings) -> SurrogateScreen {
        SurrogateScreen(settings.llm?.grants ?? [], brokers: Set(brokers))
    }

    /// A port is open only while somebody answers there: first the service, then the filter.
    ///
    /// - Returns: the channels of the door for tools.
    private static func open(
        _ egress: Egress?, _ tools: ToolDoor?, _ holder: HolderConnection, _ doors: Doors
    ) throws -> [any Channel] {
        func listener(_ port: UInt16) throws -> Descriptor {
            if let socket = try holder.perform(.listen(SandboxLink.gatewayAddress, port)) { return socket }
            throw AiboxError(.failed, "cannot open the sandbox's port \(port) of the gateway", why: "no socket came")
        }
        var ports = OpenPorts()
        if let egress {
            ports.tcp = Egress.ports
            try egress.serve(try ports.tcp.map(listener))
        }
        var channels: [any Channel] = []
        if let tools {
            let port = ToolQuestion.port
            channels.append(try tools.serve(try listener(port)))
            guard let socket = try holder.perform(.bind(SandboxLink.gatewayAddress, port)) else {
                throw AiboxError(
                    .failed, "cannot open the sandbox's port \(port) of the gateway", why: "no socket came")
            }
            channels.append(try tools.serve(datagrams: socket))
            ports.tcp.append(port)
            ports.udp.append(port)
        }
        if ports != OpenPorts() { try doors.begin(ports) }
        return channels
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
        egress?.willEnd()
        audit.dropped(holder.end())
        learning.end()
        llm?.end()
        tools?.end()
        traces?.end()
        egress?.end()
        try? group.syncShutdownGracefully()
        audit.stopped(ending, egress?.decisions)
        audit.close()
        return ending.isFailure ? 1 : 0
    }
}
