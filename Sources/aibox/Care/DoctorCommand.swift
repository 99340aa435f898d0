import AiboxContainer
import AiboxSystem
import ArgumentParser

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check what a sandbox needs of this machine.",
        discussion: "Ends with status 3 if a sandbox could not be started.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "Mend what can be mended without losing anything.")
    var fix = false

    @Flag(help: "Check the way of IDEs into a sandbox instead.")
    var ide = false

    func run() throws {
        let findings = Doctor(try global.context(), ide: ide).examine(fixing: fix)
        global.output.answer(DoctorReport.answer(findings))
        let failed = findings.filter { $0.outcome.grade == .fail }
        if !failed.isEmpty {
            throw AiboxError(
                .layerMissing, "\(failed.count) of \(findings.count) checks failed",
                why: failed.map(\.name).joined(separator: ", "))
        }
    }
}

/// What the doctor found, as an answer.
enum DoctorReport {
    static func answer(_ findings: [Doctor.Finding]) -> Answer {
        .listing(
            Listing(
                columns: ["check", "result", "found", "remedy"],
                rows: findings.map { finding in
                    [
                        .text(finding.name),
                        .text(finding.fixed ? "fixed" : finding.outcome.grade.rawValue),
                        .text(finding.outcome.message),
                        finding.outcome.remedy.map(OutputValue.text) ?? .null,
                    ]
                }))
    }
}
