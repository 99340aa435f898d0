import AiboxConfig
public import AiboxPolicy
public import AiboxSystem
import AiboxWire
import Glibc

/// Where the policy of a sandbox comes from: files at its start, and for its stay what was kept then.
extension SandboxContext {
    /// The documents in force for a project: the organisation's, the team's and the one in the workspace.
    ///
    /// - Parameters:
    ///   - workspace: a real path; nil leaves the project out.
    ///   - evenExpired: takes signed bundles whose time is over, for the audit log.
    public func policySet(workspace: String?, evenExpired: Bool = false) throws(AiboxError) -> PolicySet {
        let settings = configuration.policy
        let configured = ConfiguredPolicy(settings, paths: paths, evenExpired: evenExpired)
        var sources = [try configured.organisation(embedded: profiles.orgBaseline)]
        if let team = try configured.team() { sources.append(team) }
        guard let workspace else { return PolicySet(sources) }
        for key in try configured.keys() where Path.isInside(Path.real(key) ?? key, workspace) {
            throw AiboxError(
                .denied, "cannot use the key \(key)", why: "it lies in the workspace, where the sandbox can change it",
                remedy: "keep the keys of bundles outside of the workspace")
        }
        for source in sources where source.file.hasPrefix("/") {
            if Path.isInside(Path.real(source.file) ?? source.file, workspace) {
                throw AiboxError(
                    .denied, "cannot use the policy \(source.file)",
                    why: "it lies in the workspace, where the sandbox can change it",
                    remedy: "keep \(source.layer.words) outside of the workspace")
            }
        }
        if let bytes = try Self.projectPolicy(settings.projectPolicyPath, workspace) {
            sources.append(PolicySet.Source(layer: .project, file: settings.projectPolicyPath, bytes: bytes))
        }
        return PolicySet(sources)
    }

    /// The bytes of the project's policy; nil if it has none. A workspace may have been written by an agent: only an
    /// ordinary file within it is read.
    public static func projectPolicy(_ relative: String, _ workspace: String) throws(AiboxError) -> [UInt8]? {
        let path = workspace + "/" + relative
        var status = stat()
        if lstat(path, &status) != 0 {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .system("cannot read \(SafeText.escaped(path))", errno: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG, let real = Path.real(path), Path.isInside(real, workspace) else {
            throw AiboxError(
                .policyInvalid, "cannot use the policy \(SafeText.escaped(path))",
                why: "it is not an ordinary file in the workspace")
        }
        return try File.readRegular(path, limit: YAMLDocument.Limits().bytes)
    }

    /// The policies in Rego that decide here.
    func policyModules() throws(AiboxError) -> PolicyModules {
        try ConfiguredPolicy(configuration.policy, paths: paths).modules(profiles.rego)
    }

    /// The policy that a sandbox is held to: what was kept at its start.
    ///
    /// - Parameter sandbox: nil, or one of which nothing was kept, stands for no sandbox: what the organisation and the
    ///   team say now.
    public func policy(of sandbox: String?) throws(AiboxError) -> EffectivePolicy {
        if let policy { return policy }
        if let sandbox, let kept = try keptPolicy(of: sandbox) { return try kept.effective() }
        return try policySet(workspace: nil).effective()
    }

    /// What was kept at the start of a sandbox; nil if nothing was.
    public func keptPolicy(of sandbox: String) throws(AiboxError) -> PolicySet? {
        guard let digest = try keptDigest(of: sandbox) else { return nil }
        return try keptPolicy(digest: digest)
    }

    /// The digest of the policy that was kept at the start of a sandbox.
    func keptDigest(of sandbox: String) throws(AiboxError) -> String? {
        let pointer = try paths.sandboxState(sandbox) + "/" + SandboxFolder.policy
        return File.exists(pointer) ? try File.text(pointer, limit: 100).filter { !$0.isWhitespace } : nil
    }

    /// A policy that a sandbox was held to once, by its digest.
    public func keptPolicy(digest: String) throws(AiboxError) -> PolicySet {
        guard digest.utf8.count == 64, digest.allSatisfy({ $0.isHexDigit }) else {
            throw AiboxError(.usage, "there is no policy \(SafeText.escaped(String(digest.prefix(80))))")
        }
        let file = paths.policies + "/\(digest).json"
        do {
            return try PolicySet(json: try JSONParser.parse(try File.read(file, limit: 16 << 20)))
        } catch let error as AiboxError {
            throw error
        } catch {
            throw AiboxError(.integrity, "cannot use \(file)", why: "\(error)", remedy: "aibox stop, then aibox start")
        }
    }

    /// Keeps what decides about a start under its digests, so that the decision can be made again.
    func keepDecider(_ ruling: StartRuling, _ modules: PolicyModules) throws(AiboxError) {
        try Folder.makePrivate(paths.policies)
        try keep(ruling.documents.json.bytes, as: ruling.digest)
        try keep(modules.json.bytes, as: "rego-" + modules.digest())
    }

    private func keep(_ bytes: [UInt8], as name: String) throws(AiboxError) {
        let file = paths.policies + "/\(name).json"
        if File.exists(file), (try? File.read(file)) == bytes { return }
        try File.replace(file, with: bytes)
    }

    /// Notes which policy a sandbox is held to.
    ///
    /// - Returns: the digest of the sandbox's start before, if it was another one.
    func keep(
        _ ruling: StartRuling, _ modules: PolicyModules, sandbox: String
    ) throws(AiboxError) -> String? {
        let digest = ruling.digest
        try File.replace(
            try paths.sandboxState(sandbox) + "/" + SandboxFolder.rego, with: try modules.digest() + "\n")
        let pointer = try paths.sandboxState(sandbox) + "/" + SandboxFolder.policy
        let before = try keptDigest(of: sandbox)
        if before == digest { return nil }
        try File.replace(pointer, with: digest + "\n")
        return before
    }
}
