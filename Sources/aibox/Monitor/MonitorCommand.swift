import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxState
import AiboxSystem
import AiboxWire
import ArgumentParser

struct MonitorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor", abstract: "Let other programs watch aibox.",
        subcommands: [MonitorGenerate.self, MonitorTest.self, MonitorMetrics.self, MonitorTargets.self])
}

struct MonitorGenerate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Write rules for Falco and SIEMs, a pipeline for Vector, dashboards and alerts.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The folder to write them to; files of these names are replaced.")
    var folder: String

    func run() throws {
        let names = try MonitoringPack.write(to: folder, stateFolder: Paths.current.stateFolder)
        global.output.answer(
            .text(
                names.map { SafeText.escaped(folder + "/" + $0) }.joined(separator: "\n"),
                .object([.init("files", .list(names.map(OutputValue.text)))])))
    }
}

struct MonitorTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Replay an attack and a day's work, and show which detection rules fire.",
        discussion: "Ends with status 1 if a rule misses the attack or fires on the work.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        let outcomes = try AttackReplay.run()
        global.output.answer(
            .listing(
                Listing(
                    columns: ["rule", "level", "on_attack", "on_work", "right"],
                    rows: outcomes.map {
                        [
                            .text($0.rule.name), .text($0.rule.level), .integer($0.onAttack), .integer($0.onWork),
                            .boolean($0.isRight),
                        ]
                    })))
        if outcomes.contains(where: { !$0.isRight }) { throw ExitCode(1) }
    }
}

struct MonitorMetrics: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Print figures of the audit log in Prometheus' text format.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var audit: AuditOptions

    func run() throws {
        let text = try AuditMetrics.text(folder: audit.folder)
        global.output.answer(.text(text, .object([.init("text", .text(text))])))
    }
}

struct MonitorTargets: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "targets",
        abstract: "List the running sandboxes' ports for Prometheus, as its file_sd_configs read.",
        discussion: "Only where audit.metrics_port is set.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        var targets: [OutputValue] = []
        for record in try global.running(try global.context()) {
            // One that ends at this moment is no target.
            guard let gateway = try? GatewayClient(runFolder: record.runFolder).status(),
                let port = gateway.ready.metricsPort
            else { continue }
            targets.append(
                .object([
                    .init("targets", .list([.text("127.0.0.1:\(port)")])),
                    .init("labels", .object([.init("sandbox", .text(record.name))])),
                ]))
        }
        global.output.answer(.text(OutputValue.list(targets).json(indented: true), .list(targets)))
    }
}
