import AiboxContainer
import AiboxState
import AiboxSystem
import AiboxWire
import ArgumentParser

struct NetworkTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Try from inside of the sandbox to get out, by every way there is.",
        discussion: "Exit status 3 if a probe gets through, or if one that must work does not.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions

    func run() throws {
        let context = try global.context()
        let record = try global.sandbox(sandbox, in: context)
        let findings = try NetworkProof(context: context, record: record).findings()
        global.output.answer(
            .listing(
                Listing(
                    columns: ["layer", "probe", "promised", "found", "holds"],
                    rows: findings.map {
                        [
                            .text($0.layer), .text($0.probe), .text($0.promised), .text($0.found),
                            global.format == .text ? .text($0.holds ? "yes" : "NO") : .boolean($0.holds),
                        ]
                    })))
        if let broken = findings.first(where: { !$0.holds }) {
            throw AiboxError(
                .layerMissing, "the network does not hold what it promises: \(broken.probe)", why: broken.found,
                remedy: "aibox stop, then aibox doctor")
        }
    }
}
