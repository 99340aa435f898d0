import AiboxAudit
import AiboxConfig
import AiboxSystem
import ArgumentParser

struct RecordingVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that recordings are as they were written, and none is missing.",
        discussion: """
            Without a name, all of them. The audit log knows the digest of each; with the key, every chunk is opened \
            as well. Ends with status 4 if one is not as it was written.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var recordings: RecordingOptions

    @Option(help: ArgumentHelp("Compare with the audit log in this folder instead of your own.", valueName: "dir"))
    var log: String?

    @Argument(help: "A recording's id, the beginning of one, or a session.")
    var recording: String?

    func run() throws {
        let store = recordings.store
        let key = try recordings.optionalKey()
        let log = self.log ?? Paths.current.auditFolder
        let knows = File.exists(log + "/log.pub")
        if self.log != nil, !knows { throw AiboxError(.failed, "there is no audit log in \(log)") }
        let entries = try recording.map { [try store.find($0)] } ?? store.list().entries
        var checks: [RecordingStore.Check] = []
        for entry in entries { checks.append(try store.check(entry, key: key, log: knows ? log : nil)) }
        let damaged = recording == nil ? try store.list().damaged : []
        let missing = recording == nil && knows ? try store.missing(log: log) : []
        global.output.answer(.text(text(checks, damaged, missing, knows), document(checks, damaged, missing)))
        if !damaged.isEmpty || !missing.isEmpty || checks.contains(where: { $0.problem != nil }) {
            throw ExitCode(AiboxError.Code.integrity.exitStatus)
        }
    }

    private func text(
        _ checks: [RecordingStore.Check], _ damaged: [String], _ missing: [String], _ knows: Bool
    ) -> String {
        var lines: [String] = []
        for check in checks {
            if let problem = check.problem {
                lines.append("\(check.id) is NOT as it was written: \(problem)")
            } else {
                let proofs = [
                    check.isInLog ? "the audit log vouches for it" : nil, check.isOpened ? "every chunk opens" : nil,
                ]
                lines.append("\(check.id) is as it was written: " + proofs.compactMap { $0 }.joined(separator: ", "))
            }
            lines += check.notices.map { "  note: " + $0 }
        }
        lines += damaged.map { "\($0) is no recording, or its beginning is damaged" }
        lines += missing.map { "\($0) is missing: the audit log says that it was made" }
        if !knows { lines.append("note: there is no audit log to compare with") }
        if checks.isEmpty, damaged.isEmpty, missing.isEmpty { lines.append("There are no recordings.") }
        return lines.map { SafeText.escaped($0) }.joined(separator: "\n")
    }

    private func document(
        _ checks: [RecordingStore.Check], _ damaged: [String], _ missing: [String]
    ) -> OutputValue {
        .object([
            .init(
                "recordings",
                .list(
                    checks.map { check in
                        .object([
                            .init("id", .text(check.id)), .init("file", .text(check.path)),
                            .init("ok", .boolean(check.problem == nil)),
                            .init("problem", check.problem.map(OutputValue.text) ?? .null),
                            .init("opened", .boolean(check.isOpened)), .init("in_log", .boolean(check.isInLog)),
                            .init("notices", .list(check.notices.map(OutputValue.text))),
                        ])
                    })),
            .init("damaged", .list(damaged.map(OutputValue.text))),
            .init("missing", .list(missing.map(OutputValue.text))),
        ])
    }
}
