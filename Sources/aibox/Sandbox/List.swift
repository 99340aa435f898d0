import AiboxContainer
import AiboxState
import ArgumentParser

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the sandboxes that run.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        LeaseCare(global).sweep()
        let records = try global.running(try global.context())
        global.output.answer(
            .listing(
                Listing(
                    columns: ["name", "workspace", "state", "engine", "ssh_port", "started"],
                    rows: records.map { record in
                        [
                            .text(record.name), .text(record.workspace), .text(record.phase.rawValue),
                            .text(record.engine), .integer(record.sshPort), .time(record.started),
                        ]
                    })))
    }
}
