import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxCredentials
import AiboxSystem
import AiboxWire
import CLinux
import Glibc

/// The keeper of what one sandbox is lent from Vault, from its first order to its end.
///
/// Descriptors at start: 1 and 2 the log, 3 the socket to whoever started it. What that is for, and all secrets, come and go
/// over descriptors alone. Until the gateway is there it ends with that socket, from then on with the gateway; what it holds of
/// Vault is revoked first.
enum LeaseKeeperDaemon {
    private static let controlDescriptor: Int32 = 3

    /// - Returns: the exit status: 0 if nothing is left in Vault.
    static func run() -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        signal(SIGHUP, SIG_IGN)
        umask(0o077)
        let control = PacketSocket(Descriptor(controlDescriptor))
        do throws(AiboxError) {
            try ProcessLockDown.holdSecrets()
            let signals = try endingSignals()
            switch try order(from: control) {
            case .begin(let settings)?: return try keep(settings, control, signals)
            case .revoke(let settings)?: return try revoke(settings, signals)
            default: throw AiboxError(.usage, "the keeper of leases is started by aibox")
            }
        } catch {
            say("error start failed reason=\(JSONValue.string(error.reason).text)")
            try? control.send(LeaseKeeperReport.failed(wire(error)).json.bytes)
            return 1
        }
    }

    // MARK: Keeping

    private static func keep(
        _ settings: LeaseKeeperSettings, _ control: PacketSocket, _ signals: Descriptor
    ) throws(AiboxError) -> Int32 {
        let log = try LeaseLog(settings.vault, sandbox: settings.sandbox)
        let client = GatewayClient(runFolder: settings.runFolder)
        let keeper = try LeaseKeeper(
            settings, paths: Paths(identity: .current, environment: [:]),
            outlet: LeaseKeeper.Outlet(
                tell: { (change) throws(AiboxError) in try client.change(change) },
                record: { (event) throws(AiboxError) in try log.record(event) }))
        let gateway: Descriptor
        let identity: X509SVIDFollower?
        do throws(AiboxError) {
            try control.send(LeaseKeeperReport.lent(try keeper.begin()).json.bytes)
            guard try isToKeep(control, signals) else { return settle(keeper, "the start failed", signals, log) }
            gateway = try client.process()
            identity = try keeper.followIdentity()
            try keeper.confirm()
            try control.send(LeaseKeeperReport.kept.json.bytes)
        } catch {
            try? control.send(LeaseKeeperReport.failed(wire(error)).json.bytes)
            control.descriptor.close()
            return settle(keeper, "the start failed", signals, log)
        }
        control.descriptor.close()
        while !keeper.isEmpty {
            switch try wait(keeper.pause, [signals, gateway] + (identity.map { [$0.news] } ?? [])) {
            case nil: keeper.work()
            case 0: return takeBack(keeper, "the keeper of its leases was ended", signals, log)
            case 1: return settle(keeper, LeaseKeeper.stopped, signals, log)
            default:
                guard let update = identity?.take(), let reason = keeper.heard(update) else { continue }
                return takeBack(keeper, reason, signals, log)
            }
        }
        return settle(keeper, "the policy's time is over", signals, log)
    }

    private static func takeBack(
        _ keeper: LeaseKeeper, _ reason: String, _ signals: Descriptor, _ log: LeaseLog
    ) -> Int32 {
        keeper.takeBackAll(reason: reason)
        return settle(keeper, reason, signals, log)
    }

    /// Until the gateway has what was lent; false: the start is gone, or this process is to end.
    private static func isToKeep(_ control: PacketSocket, _ signals: Descriptor) throws(AiboxError) -> Bool {
        guard try wait(nil, [signals, control.descriptor]) == 1 else { return false }
        return try order(from: control) == .keep
    }

    /// - Returns: the first that has something to read, by its place; nil after the pause.
    private static func wait(_ pause: Double?, _ descriptors: [Descriptor]) throws(AiboxError) -> Int? {
        var waiting = descriptors.map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
        // Not longer than a minute: a machine that slept finds its leases in time.
        let milliseconds = Int32(min(60, pause ?? 60) * 1000) + 1
        let count = try retrying("cannot wait") { poll(&waiting, nfds_t(waiting.count), milliseconds) }
        if pause == nil, count == 0 { return try wait(nil, descriptors) }
        return waiting.firstIndex { $0.revents != 0 }
    }

    /// Until Vault has taken everything back, or it has ended by itself.
    private static func settle(
        _ keeper: LeaseKeeper, _ reason: String, _ signals: Descriptor, _ log: LeaseLog
    ) -> Int32 {
        defer { log.close() }
        while let pause = keeper.settle(reason: reason) {
            do throws(AiboxError) { if try wait(pause, [signals]) != nil { return 1 } } catch { return 1 }
        }
        return 0
    }

    // MARK: After a keeper that died

    private static func revoke(_ settings: LeaseRevocationSettings, _ signals: Descriptor) throws(AiboxError) -> Int32 {
        let recovery = try LeaseRecovery(settings, paths: Paths(identity: .current, environment: [:]))
        let log = try LeaseLog(settings, sandbox: "")
        defer { log.close() }
        try recovery.begin()
        while let pause = recovery.work(record: { (event, sandbox, session) throws(AiboxError) in
            try log.record(event, sandbox: sandbox, session: session)
        }) {
            if try wait(pause, [signals]) != nil { return 1 }
        }
        return 0
    }

    // MARK: The process

    private static func order(from control: PacketSocket) throws(AiboxError) -> LeaseKeeperOrder? {
        guard let bytes = try control.receive(limit: LeaseKeeperOrder.limit) else { return nil }
        do { return try LeaseKeeperOrder(json: try JSONParser.parse(bytes)) } catch {
            // The words of the parser name a place or a member, never a value.
            throw AiboxError(.usage, "cannot read an order of aibox", why: "\(error)")
        }
    }

    private static func endingSignals() throws(AiboxError) -> Descriptor {
        let numbers = [SIGTERM, SIGINT]
        let descriptor = aibox_signal_descriptor(numbers, Int32(numbers.count))
        if descriptor < 0 { throw .system("cannot take signals", errno: descriptor) }
        return Descriptor(descriptor)
    }

    private static func wire(_ error: AiboxError) -> WireError {
        WireError(code: error.code.description, what: error.what, why: error.why, remedy: error.remedy)
    }

    static func say(_ text: String) {
        let line = "\(Timestamp.now.rfc3339.prefix(23))Z lease-keeper \(text)\n"
        _ = write(STDERR_FILENO, line, line.utf8.count)
    }
}
