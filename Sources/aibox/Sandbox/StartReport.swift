import AiboxContainer
import AiboxState
import AiboxSystem

/// What `aibox start` says when all of it holds.
enum StartReport {
    static func answer(_ started: StartedSandbox) -> Answer {
        let record = started.record
        let layers = started.findings.map(\.layer).joined(separator: ", ")
        let text = """
            Sandbox \(record.name) is running.
              workspace  \(SafeText.escaped(record.workspace)) at /workspace
              isolation  \(record.engine); checked: \(layers)
              limits     \(record.limits)
              network    \(SafeText.escaped(started.network))
              SSH        ssh \(record.container)   (127.0.0.1:\(record.sshPort))

            Go on with: aibox shell    Stop it with: aibox stop
            """
        return .text(
            text, .object(SandboxReport.fields(record) + [.init("layers", LayerReport.value(started.findings))]))
    }
}

/// A sandbox as fields, the same in every command.
enum SandboxReport {
    static func fields(_ record: SandboxRecord) -> [OutputValue.Field] {
        [
            .init("name", .text(record.name)), .init("container", .text(record.container)),
            .init("workspace", .text(record.workspace)), .init("state", .text(record.phase.rawValue)),
            .init("engine", .text(record.engine)), .init("image", .text(record.image)),
            .init("image_id", .text(record.imageID)), .init("ssh_port", .integer(record.sshPort)),
            .init("limits", .text(record.limits)), .init("started", .time(record.started)),
        ]
    }
}

/// The layers of a running sandbox, as the checker found them.
enum LayerReport {
    static func value(_ findings: [HardeningCheck.Finding]) -> OutputValue {
        .list(
            findings.map { finding in
                .object([
                    .init("layer", .text(finding.layer)), .init("promised", .text(finding.promised)),
                    .init("found", .text(finding.found)), .init("holds", .boolean(finding.holds)),
                ])
            })
    }

    static func listing(_ findings: [HardeningCheck.Finding]) -> Answer {
        .listing(
            Listing(
                columns: ["layer", "holds", "found"],
                rows: findings.map { [.text($0.layer), .text($0.holds ? "yes" : "NO"), .text($0.found)] }))
    }
}
