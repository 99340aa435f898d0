import AiboxConfig
import AiboxState
public import AiboxSystem

extension SandboxContext {
    /// Removes what a stopped sandbox keeps: home folder, caches, host key, secrets. The workspace stays.
    ///
    /// - Returns: the volumes removed.
    /// - Throws: if the sandbox runs, or if there is nothing of that name.
    public func destroy(_ name: SandboxName) throws(AiboxError) -> [String] {
        let lock = try lock(name)
        defer { lock.release() }
        if try store().find(name.text) != nil {
            throw AiboxError(
                .failed, "cannot remove the volumes of \(name)", why: "it is running",
                remedy: "aibox stop --volumes --name \(name)")
        }
        let kept = Set(CacheVolumes.volumes(of: name).map(\.name))
        let engine = try configuredEngine()
        let volumes = try engine.volumes(prefix: name.container + "-").filter(kept.contains)
        let state = try paths.sandboxState(name.text)
        // The lock's file stays: whoever waits for it must find the same one.
        let files = try Folder.names(state).filter { $0 != SandboxFolder.lock }
        if volumes.isEmpty, files.isEmpty {
            throw AiboxError(.failed, "there is no sandbox \(name)", remedy: "aibox list")
        }
        let audit = try SandboxAudit(self, sandbox: name.text, session: SandboxAudit.newSession())
        try audit.destroying(volumes)
        for volume in volumes { try engine.removeVolume(volume) }
        try engine.removeSecrets(try engine.secrets(prefix: name.container + "-").filter { isSecret($0, of: name) })
        for file in files { try Folder.removeTree(state + "/" + file) }
        try audit.close()
        return volumes
    }

    /// A secret is named sandbox, purpose, digest; another sandbox's name may begin like this one's.
    func isSecret(_ secret: String, of name: SandboxName) -> Bool {
        let rest = secret.dropFirst(name.container.count + 1)
        return SandboxPreparation.secretPurposes.contains { rest.hasPrefix($0 + "-") && rest.count == $0.count + 13 }
    }
}
