import AiboxConfig
import AiboxState
import AiboxSystem
import AiboxWire

extension DoctorCheck {
    /// Whether every sandbox that runs is connected. One whose packet filter was changed is cut off until `--fix`.
    static func sandboxes(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("running sandboxes") { () throws(AiboxError) in
            guard File.exists(context.paths.stateDatabase) else { return .pass("none") }
            let records = try context.store().all().filter {
                $0.phase == .running && GatewayRemains.state(of: $0.runFolder) == .running
            }
            var cut: [(record: SandboxRecord, reason: String)] = []
            for record in records {
                let status = try GatewayClient(runFolder: record.runFolder).status()
                if let reason = status.cutOff { cut.append((record, reason)) }
            }
            if cut.isEmpty { return .pass(records.isEmpty ? "none" : "\(records.count), connected") }
            let words = cut.map { "\($0.record.name) is cut off: \($0.reason)" }
            let folders = cut.map(\.record.runFolder)
            return .fail(
                words.joined(separator: "; "),
                "find out who changed it, then aibox doctor --fix   (loads the filter again and connects)"
            ).mended { () throws(AiboxError) in
                for folder in folders { try GatewayClient(runFolder: folder).repair() }
            }
        }
    }
}
