import AiboxContainer
import AiboxState
import AiboxSystem
import AiboxWire
import ArgumentParser

struct NetworkShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show where the sandbox may connect, and what serves it.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    func run() throws {
        let context = try global.context()
        let record = try global.sandbox(sandbox, in: context)
        let document = try GatewayClient(runFolder: record.runFolder).network()
        if global.format != .text { return global.output.answer(.text("", AuditReport.document(document))) }
        for service in document["services"]?.elements ?? [] {
            let state = service["state"]?.stringValue ?? "?"
            if state != "serves" { global.output.note("\(service["name"]?.stringValue ?? "?"): \(state)") }
        }
        guard document["enabled"]?.truth == true else {
            return global.output.answer(.text("The sandbox has no way out (network.enabled is false).", .null))
        }
        let rules = document["rules"]?.elements ?? []
        let denials = document["denials"]?.elements ?? []
        if rules.isEmpty, denials.isEmpty {
            return global.output.answer(
                .text("Nothing is on the allow-list: every request is refused.", .list([])))
        }
        var rows: [[OutputValue]] = []
        for rule in rules {
            for host in rule["hosts"]?.elements ?? [] {
                let names = ["ports", "schemes", "methods", "paths", "layer", "id"]
                rows.append([.text(words(host))] + names.map { .text(words(rule[$0])) })
            }
        }
        for denial in denials {
            rows.append([.text(words(denial["host"])), "-", "refused", "-", "-", "session", "session-deny"])
        }
        global.output.answer(
            .listing(
                Listing(
                    columns: ["host", "ports", "schemes", "methods", "paths", "layer", "rule"], rows: rows)))
    }

    private func words(_ value: JSONValue?) -> String {
        switch value {
        case .string(let text): text
        case .integer(let number): "\(number)"
        case .array(let values): values.map { words($0) }.joined(separator: ",")
        default: "-"
        }
    }
}
