import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxState
import AiboxSystem
import AiboxWire
import ArgumentParser

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show a sandbox, and with --layers what protects it.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    @Flag(help: "Check every promised layer of the running container again, and inside of it.")
    var layers = false

    func run() throws {
        let context = try global.context()
        let records = try global.running(context)
        LeaseCare(global).sweep()
        if records.isEmpty, sandbox.name == nil {
            return global.output.answer(.text("No sandbox is running. Start one: aibox start -w DIR", .list([])))
        }
        let record = try SandboxSelection.choose(sandbox.name, currentFolder: Path.current, among: records)
        guard layers else {
            let gateway = try GatewayClient(runFolder: record.runFolder).status()
            let places = try CheckpointPlaces(context.configuration).standings(context.paths.auditFolder)
            return global.output.answer(
                .record(
                    SandboxReport.fields(record) + [
                        .init("gateway_pid", .integer(Int(gateway.ready.pid))),
                        .init("policy", .text(try context.policyStanding(of: record).words)),
                        .init("network", .text(gateway.cutOff.map { "cut off: \($0)" } ?? "connected")),
                    ] + Self.learning(gateway.learning) + Self.exceptions(gateway.exceptions) + [
                        .init("uptime_seconds", .integer(gateway.uptime)),
                        .init("ssh_connections", .integer(gateway.sshConnections)),
                    ]
                        + Self.approvals(try GatewayClient(runFolder: record.runFolder).approvals())
                        + Self.leases(LeaseCare(global).reports(of: record.name))
                        + (gateway.ready.metricsPort.map { [.init("metrics_port", .integer(Int($0)))] } ?? [])
                        + PlaceReport.fields(places)))
        }
        let findings = try LayerProof(context: context, record: record).findings()
        global.output.answer(LayerReport.listing(findings))
        if let broken = findings.first(where: { !$0.holds }) {
            throw AiboxError(.layerMissing, "a promised layer does not hold: \(broken.layer)", why: broken.found)
        }
    }
}

extension Status {
    /// Whether it learns, and for how long.
    static func learning(_ left: Int?) -> [OutputValue.Field] {
        left.map { [.init("learning", .text("\($0) s left; aibox learn show, aibox learn stop"))] } ?? []
    }

    /// Which exceptions of the policy end when.
    static func exceptions(_ words: [String]) -> [OutputValue.Field] {
        words.isEmpty ? [] : [.init("exceptions", .list(words.map { .text($0) }))]
    }

    /// One field, however many journals a sandbox of this name left.
    static func leases(_ reports: [LeaseReport]) -> [OutputValue.Field] {
        reports.isEmpty ? [] : [.init("leases", .text(reports.map(\.words).joined(separator: "; ")))]
    }

    /// What waits for a person.
    static func approvals(_ open: [ApprovalQuestion]) -> [OutputValue.Field] {
        if open.isEmpty { return [] }
        return [.init("approvals", .text("\(open.count) wait for your answer: aibox approvals list"))]
    }
}

/// How far the places of the checkpoints have got.
enum PlaceReport {
    static func fields(_ places: [PlaceStanding]) -> [OutputValue.Field] {
        if places.isEmpty { return [] }
        return [.init("checkpoint_places", .list(places.map { .text($0.place + ": " + $0.words) }))]
    }
}
