import AiboxConfig
import AiboxState
public import AiboxSystem

/// Removes what aibox keeps on this machine for this user. Workspaces are never touched.
public struct Uninstall: Sendable {
    let context: SandboxContext

    public init(_ context: SandboxContext) { self.context = context }

    /// What would go, in words, for the question before.
    public func inventory() throws(AiboxError) -> [String] {
        let volumes = try context.configuredEngine().volumes(prefix: "aibox-")
        return [
            "\(volumes.count) volumes with home folders and caches of sandboxes",
            "images that aibox built", "aibox's block in \(context.paths.userSSHConfiguration)",
            context.paths.configurationFolder, context.paths.stateFolder, context.paths.cacheFolder,
        ]
    }

    public func run(report: (String) -> Void) throws(AiboxError) {
        for record in try context.runningSandboxes(report: report) {
            try context.stop(record)
            report("stopped \(record.name)")
        }
        let engine = try context.configuredEngine()
        for volume in try engine.volumes(prefix: "aibox-") { try engine.removeVolume(volume) }
        try engine.removeSecrets(try engine.secrets(prefix: "aibox-"))
        for image in try engine.builtImages() { try engine.removeImage(image.id) }
        report("volumes, secrets and images are removed")
        if case .docker = engine, let registration = try? DockerRegistration(context),
            (try? File.text(registration.file)) == registration.text
        {
            try File.remove(registration.file)
            report("removed \(registration.file)")
        }
        try SSHConfiguration(paths: context.paths).write([])
        for folder in [
            context.paths.runtimeRoot, context.paths.configurationFolder, context.paths.stateFolder,
            context.paths.cacheFolder,
        ] {
            try Folder.removeTree(folder)
            report("removed \(folder)")
        }
    }
}
