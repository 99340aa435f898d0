import AiboxConfig
import AiboxCrypto
import AiboxSystem
import AiboxWire

/// The files that a start needs on the host: profiles and the runtime wrapper, shared by all sandboxes
/// and named by their digest, so that a running sandbox never sees one change.
struct SandboxFiles {
    let context: SandboxContext

    private var folder: String { context.paths.stateFolder + "/profiles" }

    /// In the form that the engine understands.
    ///
    /// - Parameter listener: where the filter's listener goes; nil: it has none.
    func seccompProfile(for engine: SandboxSpec.Engine, listener: String?) throws(AiboxError) -> String {
        var profile = try SeccompProfile(parsing: context.profiles.seccomp)
        if let listener { profile = profile.watched(by: listener) }
        return try ensure("seccomp", ".json", profile.file(for: engine.seccompDialect), mode: 0o600)
    }

    func podmanSettings() throws(AiboxError) -> String {
        try ensure("containers", ".conf", Array(Podman.plainSettings.utf8), mode: 0o600)
    }

    func runscWrapper(_ wrapper: RunscWrapper) throws(AiboxError) -> String {
        try ensure("runsc", "", Array(wrapper.text.utf8), mode: 0o700)
    }

    func traceSession(_ session: TraceSession) throws(AiboxError) -> String {
        try ensure("trace", ".json", session.json.bytes, mode: 0o600)
    }

    /// Written again whenever the content differs: a profile that somebody changed is not used (F07).
    private func ensure(_ name: String, _ ending: String, _ bytes: [UInt8], mode: UInt32) throws(AiboxError) -> String {
        let path = "\(folder)/\(name)-\(try SHA256.digest(bytes).hex.prefix(16))\(ending)"
        if File.exists(path), (try? File.read(path)) == bytes { return path }
        try Folder.makePrivate(folder)
        try File.replace(path, with: bytes, mode: mode)
        return path
    }
}
