import AiboxConfig
import AiboxState
public import AiboxSystem

/// `aibox setup`: what a user needs once. Each step leaves alone what is there, so it can run at any time.
public struct UserSetup: Sendable {
    let context: SandboxContext

    public init(_ context: SandboxContext) { self.context = context }

    /// One line about what was done, or found.
    public typealias Report = (String) -> Void

    /// - Parameters:
    ///   - template: the settings written where there are none.
    ///   - file: the settings' file.
    public func run(template: String, file: String, report: Report) throws(AiboxError) {
        if File.exists(file) {
            report("settings: \(file) is kept")
        } else {
            try Folder.makePrivate(Path.parent(file))
            try File.replace(file, with: template)
            report("settings: \(file) is written")
        }
        let key = SSHConfiguration(paths: context.paths).identityFile
        let isNew = !File.exists(key)
        _ = try SSHKeys(runner: context.runner).ensure(key, comment: "aibox \(context.user.name)")
        report("SSH key: \(key) is \(isNew ? "made" : "kept")")
        try SSHConfiguration(paths: context.paths).write(try context.store().all().filter { $0.phase == .running })
        report("SSH settings: \(context.paths.userSSHConfiguration)")
        if case .docker(let docker) = try context.configuredEngine() { try register(docker, report) }
    }

    /// Makes the daemon know aibox's runtime.
    private func register(_ docker: Docker, _ report: Report) throws(AiboxError) {
        let isRoot = context.host.isRoot
        let daemon = try docker.socket.daemon(isRoot: isRoot)
        let registration = try DockerRegistration(context)
        if try docker.daemon().runtime != registration.command {
            try registration.write(daemon: daemon)
            try docker.daemon().require(registration, isRoot: isRoot)
            report("Docker: aibox's runtime is in \(registration.file)")
        } else {
            report("Docker: aibox's runtime is known")
        }
    }
}
