import AiboxConfig
import AiboxState
import AiboxSystem

extension DoctorCheck {
    /// What an IDE needs to reach a sandbox.
    static func ide(_ context: SandboxContext) -> [DoctorCheck] { [key(context), settings(context), login(context)] }

    private static func key(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("SSH key") { () throws(AiboxError) in
            let file = SSHConfiguration(paths: context.paths).identityFile
            guard File.exists(file), File.exists(file + ".pub") else {
                return .fail("\(file) is missing", "aibox setup")
            }
            return .pass(file)
        }
    }

    private static func settings(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("SSH settings") { () throws(AiboxError) in
            let file = context.paths.userSSHConfiguration
            let text = File.exists(file) ? try File.text(file) : ""
            if text.contains(SSHManagedBlock.begin) { return .pass("\(file) has aibox's block") }
            return .info("\(file) gets its block when a sandbox starts")
        }
    }

    /// A whole login: key exchange, host key, user key, a command.
    private static func login(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("SSH login") { () throws(AiboxError) in
            let running = try context.store().all().filter { $0.phase == .running }
            guard let record = running.first else { return .info("no sandbox is running to try it on") }
            let session = SandboxSession(paths: context.paths, record: record)
            let result = try context.runner.run(
                try session.command(["id", "-un"], terminal: false), timeout: .seconds(20))
            if result.succeeded, result.text == "dev" { return .pass("ssh \(record.container) logs in as dev") }
            return .fail("ssh \(record.container): \(SafeText.escaped(result.errorText))", "aibox logs container")
        }
    }
}
