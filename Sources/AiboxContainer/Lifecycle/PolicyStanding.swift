import AiboxConfig
import AiboxPolicy
public import AiboxState
public import AiboxSystem

/// How the policy on the disk stands to the one that a running sandbox is held to, which is that of its start.
public enum PolicyStanding: Sendable, Equatable {
    case same
    /// Documents or policies in Rego were edited, or an exception has ended: another one takes effect at the next start.
    case differs
    /// What is on the disk starts nothing, and why.
    case unusable(String)

    /// For people.
    public var words: String {
        switch self {
        case .same: "that of its start, as it is on the disk"
        case .differs: "that of its start; the one on the disk differs, and takes effect at the next start"
        case .unusable(let why): "that of its start; the one on the disk cannot be used, and nothing starts: \(why)"
        }
    }
}

extension SandboxContext {
    /// Reads the documents as the sandbox's next start would. What is wrong with them is an answer.
    ///
    /// - Throws: if what was kept at the start cannot be read.
    public func policyStanding(of record: SandboxRecord) throws(AiboxError) -> PolicyStanding {
        let kept = try keptDigest(of: record.name)
        let keptRego = try keptRegoDigest(of: record.name)
        do throws(AiboxError) {
            let digest = try policySet(workspace: record.workspace).effective().digest()
            let rego = try policyModules().digest()
            return digest == kept && rego == keptRego ? .same : .differs
        } catch {
            return .unusable(error.reason)
        }
    }

    private func keptRegoDigest(of sandbox: String) throws(AiboxError) -> String? {
        let pointer = try paths.sandboxState(sandbox) + "/" + SandboxFolder.rego
        return File.exists(pointer) ? try File.text(pointer, limit: 100).filter { !$0.isWhitespace } : nil
    }
}
