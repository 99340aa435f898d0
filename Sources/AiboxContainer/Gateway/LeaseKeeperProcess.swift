public import AiboxSystem
public import AiboxWire
import Glibc

/// The keeper of leases of one sandbox, started by this process.
///
/// Until `keep` it hangs on a socket: if this value goes away, or this process dies, it revokes what it has and ends. From then
/// on it ends with the gateway.
public final class LeaseKeeperProcess: Sendable {
    /// The secrets, for the gateway alone.
    public let changes: [CredentialChange]
    private let control: PacketSocket

    private static let name = "aibox-lease-keeper"
    private static let patience = Duration.seconds(60)

    private init(changes: [CredentialChange], control: PacketSocket) {
        self.changes = changes
        self.control = control
    }

    /// - Parameters:
    ///   - logFile: what it says goes to the end of this file; made 0600.
    ///   - executable: nil looks beside this program, else where an installation puts it.
    /// - Throws: the keeper's own error: what it had taken from Vault is given back.
    public static func start(
        _ settings: LeaseKeeperSettings, logFile: String, executable: String? = nil
    ) throws(AiboxError) -> LeaseKeeperProcess {
        let (control, _) = try launch(.begin(settings), logFile: logFile, executable: executable)
        guard case .lent(let changes) = try report(control) else {
            throw AiboxError(.failed, "cannot understand the keeper of leases", why: "it answers something else")
        }
        return LeaseKeeperProcess(changes: changes, control: control)
    }

    /// Has what died keepers left revoked, in the background.
    ///
    /// - Returns: the process, which ends when nothing is left.
    public static func revoke(
        _ settings: LeaseRevocationSettings, logFile: String, executable: String? = nil
    ) throws(AiboxError) -> ChildProcess {
        try launch(.revoke(settings), logFile: logFile, executable: executable).child
    }

    /// From now on it belongs to the gateway, which runs.
    public func keep() throws(AiboxError) {
        do throws(AiboxError) { try control.send(LeaseKeeperOrder.keep.json.bytes) } catch {
            throw AiboxError(.failed, "cannot keep what Vault lends", why: "the keeper of its leases has ended")
        }
        guard case .kept = try Self.report(control) else {
            throw AiboxError(.failed, "cannot understand the keeper of leases", why: "it answers something else")
        }
        control.descriptor.close()
    }

    private static func launch(
        _ order: LeaseKeeperOrder, logFile: String, executable: String?
    ) throws(AiboxError) -> (control: PacketSocket, child: ChildProcess) {
        let program: String
        if let executable { program = executable } else { program = try GatewayExecutable.find(name) }
        try Folder.makePrivate(Path.parent(logFile))
        let log = Descriptor(
            try retrying("cannot open the log \(logFile)") {
                open(logFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0o600)
            })
        let nothing = Descriptor(try retrying("cannot open /dev/null") { open("/dev/null", O_RDWR | O_CLOEXEC) })
        var environment = GatewayExecutable.environment()
        // Where the SPIFFE Workload API listens, unless a setting says so.
        environment.removeValue(forKey: "SPIFFE_ENDPOINT_SOCKET")
        let (ours, theirs) = try PacketSocket.pair()
        let child = try ChildProcess.start(
            Command(program, ["serve"], environment: environment, directory: "/"),
            descriptors: [nothing.number, log.number, log.number, theirs.descriptor.number], options: .newSession)
        theirs.descriptor.close()
        try ours.send(order.json.bytes)
        return (ours, child)
    }

    private static func report(_ control: PacketSocket) throws(AiboxError) -> LeaseKeeperReport {
        let what = "cannot keep what Vault lends"
        var waiting = pollfd(fd: control.descriptor.number, events: Int16(POLLIN), revents: 0)
        guard try retrying(what, { poll(&waiting, 1, patience.milliseconds) }) == 1 else {
            throw AiboxError(.failed, what, why: "its keeper says nothing for \(patience)")
        }
        guard let bytes = try control.receive(limit: LeaseKeeperOrder.limit) else {
            throw AiboxError(
                .failed, what, why: "the keeper of its leases ended; leases.log of the sandbox may say why")
        }
        let report: LeaseKeeperReport
        do { report = try LeaseKeeperReport(json: try JSONParser.parse(bytes)) } catch {
            throw AiboxError(.failed, "cannot understand the keeper of leases", why: "\(error)")
        }
        if case .failed(let error) = report { throw AiboxError(wire: error) }
        return report
    }
}
