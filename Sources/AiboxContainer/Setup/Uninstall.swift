import AiboxConfig
import AiboxState
public import AiboxSystem

/// Removes what aibox keeps on this machine for this user. Workspaces are never touched.
public struct Uninstall: Sendable {
    let context: SandboxContext

    public init(_ context: SandboxContext) { self.context = context }

    /// What would go, in words, for the question before.
    public func inventory() throws(AiboxError) -> [String] {
        let volumes = try context.podman.volumes(prefix: "aibox-")
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
        for volume in try context.podman.volumes(prefix: "aibox-") { try context.podman.removeVolume(volume) }
        for secret in try context.podman.secrets(prefix: "aibox-") { try context.podman.removeSecret(secret) }
        for image in try ImageStore(podman: context.podman).built() { try context.podman.removeImage(image.id) }
        report("volumes, secrets and images are removed")
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
