import AiboxAudit
import AiboxSystem
import AiboxWire
import NIOCore

/// Answers control requests.
final class ControlService: Sendable {
    private let settings: GatewaySettings
    private let ready: GatewayReady
    private let supervisor: Supervisor
    private let holder: HolderConnection
    private let containment: Containment
    private let audit: GatewayAudit
    private let ssh: PortForward
    private let forwards: PortForwards
    private let landlock: Int
    private let egress: Egress?
    private let llm: LLMSupervisor?
    private let tools: ToolDoor?
    private let learning: Learning
    private let exceptions: ExceptionEnds
    private let start = ContinuousClock.now

    init(
        settings: GatewaySettings, ready: GatewayReady, supervisor: Supervisor, holder: HolderConnection,
        containment: Containment, audit: GatewayAudit, ssh: PortForward, forwards: PortForwards, egress: Egress?,
        llm: LLMSupervisor?, tools: ToolDoor?, learning: Learning, exceptions: ExceptionEnds, landlock: Int
    ) {
        self.settings = settings
        self.ready = ready
        self.supervisor = supervisor
        self.holder = holder
        self.containment = containment
        self.audit = audit
        self.ssh = ssh
        self.forwards = forwards
        self.landlock = landlock
        self.egress = egress
        self.llm = llm
        self.tools = tools
        self.learning = learning
        self.exceptions = exceptions
    }

    /// Whose sandbox it is.
    var owner: String { settings.user }

    /// - Parameter person: who asks; stands in the log where it matters.
    func answer(
        _ request: ControlRequest, by person: String, on loop: any EventLoop
    ) -> EventLoopFuture<ControlReply> {
        switch request {
        case .status: return loop.makeSucceededFuture(.status(status))
        case .stop: return loop.makeSucceededFuture(.done)
        case .serving:
            let services = [egress?.serving, llm?.serving].compactMap(\.self)
            return EventLoopFuture.andAllSucceed(services.map { $0.hop(to: loop) }, on: loop).map { .done }
        case .network: return loop.makeSucceededFuture(.network(network))
        case .changeNetwork(let change):
            guard let egress else {
                return loop.makeFailedFuture(
                    AiboxError(.failed, "cannot change the network", why: "the sandbox has no way out"))
            }
            return egress.change(change).hop(to: loop).map { .done }
        case .changeCredential(let change): return changeCredential(change, on: loop)
        case .readdress: return holder.request(.readdress, on: loop).map { _ in .done }
        case .forward(let port): return forwards.open(port, on: loop).map { .done }
        case .endForward(let port): return forwards.close(port, on: loop).map { .done }
        case .approvals:
            guard let tools else { return loop.makeSucceededFuture(.approvals([])) }
            return tools.openApprovals().hop(to: loop).map { .approvals($0) }
        case .answerApproval(let answer):
            guard let tools else { return loop.makeFailedFuture(ToolDoor.unknown(answer.id)) }
            return tools.answer(answer, by: person).hop(to: loop).map { .done }
        case .learn(let change): return learning.make(change, by: person, on: loop).map { .done }
        case .repair: return repair(on: loop)
        case .watch(let pid):
            return loop.makeCompletedFuture {
                try supervisor.watch(pid)
                return .done
            }
        }
    }

    /// A new secret is used once the log tells of it. One that is taken back ends whatever the log does: protecting comes
    /// first.
    private func changeCredential(
        _ change: CredentialChange, on loop: any EventLoop
    ) -> EventLoopFuture<ControlReply> {
        guard let llm, let kind = llm.kind(of: change.name) else { return loop.makeSucceededFuture(.lent(false)) }
        // Told at the start: for how long it is lent at most.
        if change.isRenewal, llm.holds(change) { return llm.change(change).hop(to: loop).map { .lent(true) } }
        let reason = change.lease?.reason ?? "changed while the sandbox runs"
        let event = AuditEvent(
            change.isRevocation ? .credentialRevoke : .credentialRotate, subject: change.name,
            details: ["kind": .string(kind), "reason": .string(AuditText.carried(Array(reason.utf8)))])
        let done =
            change.isRevocation
            ? llm.change(change).hop(to: loop).flatMap { self.audit.before(event, on: loop) }
            : audit.before(event, on: loop).flatMap { llm.change(change).hop(to: loop) }
        return done.map { .lent(true) }
    }

    private func repair(on loop: any EventLoop) -> EventLoopFuture<ControlReply> {
        guard let reason = containment.reason else { return loop.makeSucceededFuture(.done) }
        return audit.repairing(reason, on: loop)
            .flatMap { self.holder.request(.repair, on: loop) }
            .map { _ in
                self.containment.isRepaired()
                return .done
            }
    }

    /// Ends the daemon; called once the reply to `stop` is on its way.
    func stop() { supervisor.stop() }

    private var network: JSONValue {
        guard case .object(var document)? = egress?.document else { return ["enabled": false] }
        if let llm, case .array(let services)? = document["services"] {
            document["services"] = .array(services + [llm.document])
        }
        return .object(document)
    }

    private var status: GatewayStatus {
        GatewayStatus(
            sandbox: settings.sandbox, container: settings.container, ready: ready, monitorPid: supervisor.monitorPid,
            uptime: Int(start.duration(to: .now).components.seconds), sshConnections: ssh.connections,
            cutOff: containment.reason, landlock: landlock, forwards: forwards.list,
            learning: learning.left, exceptions: exceptions.words)
    }
}
