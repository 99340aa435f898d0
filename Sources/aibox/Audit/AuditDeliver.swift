import AiboxAudit
import AiboxConfig
import AiboxSystem
import AiboxWire
import ArgumentParser
import Glibc

struct AuditDeliver: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliver", abstract: "Put the newest checkpoint into the places in audit.checkpoint_places.",
        discussion: """
            aibox start does this by itself, in the background, for as long as a sandbox runs. Ends with status 1 if a \
            place takes none, and with status 4 if one contradicts the log, which then takes no more events.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "Go on for as long as a sandbox runs, in silence, unless another process does.")
    var whileRunning = false

    /// Between two deliveries.
    private static let pause: UInt32 = 10
    /// How long a place is tried that cannot be reached while nothing runs: what starts next tries again.
    private static let patience = Duration.seconds(120)

    func run() throws {
        let paths = Paths.current
        let places = try CheckpointPlaces(global)
        if places.addresses.isEmpty {
            throw AiboxError(
                .usage, "there is no place to deliver checkpoints to",
                remedy: "aibox config set audit.checkpoint_places git+ssh://git.example.org/audit.git")
        }
        let courier = CheckpointCourier(folder: paths.auditFolder, to: places.addresses)
        if whileRunning { return try serve(courier, paths) }
        let deliveries = try courier.run()
        tell(deliveries)
        global.output.answer(
            .listing(
                Listing(
                    columns: ["place", "delivered", "signed", "state"],
                    rows: deliveries.map(\.standing).map { standing in
                        [
                            .text(standing.place), .integer(Int(standing.delivered)), .integer(Int(standing.signed)),
                            .text(standing.words),
                        ]
                    })))
        let errors = deliveries.compactMap(\.error)
        if let error = errors.first(where: { $0.code == .integrity }) ?? errors.first { throw error }
    }

    private func serve(_ courier: CheckpointCourier, _ paths: Paths) throws {
        signal(SIGHUP, SIG_IGN)
        guard let lock = try FileLock.take(paths.auditFolder + "/places.serving") else { return }
        defer { lock.release() }
        var seen: UInt64?
        var failedSince: ContinuousClock.Instant?
        while true {
            let spool = courier.spool
            if spool != seen || failedSince != nil {
                let deliveries = try courier.run()
                seen = spool
                tell(deliveries)
                let hasFailed = deliveries.contains { $0.error != nil }
                failedSince = hasFailed ? failedSince ?? .now : nil
                if deliveries.contains(where: { $0.error?.code == .integrity }) { return }
            }
            let isIdle = ((try? Folder.names(paths.runtimeRoot)) ?? []).allSatisfy { name in
                !File.exists(paths.runtimeRoot + "/" + name + "/" + Wire.controlSocket)
            }
            if isIdle, courier.spool == seen, failedSince.map({ .now - $0 > Self.patience }) ?? true { return }
            sleep(Self.pause)
        }
    }

    /// Puts it into the log where a place can no longer be written, or can be again.
    private func tell(_ deliveries: [CheckpointCourier.Delivery]) {
        for delivery in deliveries where delivery.hasChanged {
            let reason: JSONObject =
                delivery.error.map { ["reason": .string(AuditText.carried(Array($0.reason.utf8)))] } ?? [:]
            try? CommandAudit(global: global, wakes: false).record(
                .auditPlace, subject: delivery.standing.place, outcome: delivery.error == nil ? .success : .failure,
                reason)
        }
    }
}
