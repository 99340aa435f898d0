public import AiboxConfig
public import AiboxState
public import AiboxSystem
import Glibc

/// Writes what lets a person's own `ssh` reach the sandboxes: known hosts, an includable file, and the
/// managed block of `~/.ssh/config`.
public struct SSHConfiguration {
    let paths: Paths

    public init(paths: Paths) { self.paths = paths }

    public var identityFile: String { paths.sshFolder + "/aibox_ed25519" }

    /// The `Host` blocks of sandboxes, the latest start first.
    public func hosts(_ records: [SandboxRecord]) -> String {
        records.enumerated().map { index, record in
            SSHHostBlock(
                host: record.container, isDefault: index == 0, port: record.sshPort, identityFile: identityFile,
                knownHostsFile: paths.sshKnownHosts,
                // Where SSH ends on the host to be recorded, it is the host's user who logs in.
                user: RecordedDoor.innerConfiguration(of: record.name, paths) == nil ? "dev" : UserIdentity.current.name
            ).text
        }.joined()
    }

    /// - Parameter records: the running sandboxes, the latest start first.
    public func write(_ records: [SandboxRecord]) throws(AiboxError) {
        try Folder.makePrivate(paths.sshFolder)
        var known = ""
        for record in records {
            let file = try paths.sandboxState(record.name) + "/" + SandboxFolder.hostKey + ".pub"
            guard File.exists(file) else { continue }
            let words = try File.text(file).split(whereSeparator: \.isWhitespace).prefix(2)
            known += "\(record.container) \(words.joined(separator: " "))\n"
        }
        try File.replace(paths.sshKnownHosts, with: known)
        try File.replace(paths.sshIncludable, with: hosts(records))
        try writeManagedBlock(hosts(records))
    }

    private func writeManagedBlock(_ hosts: String) throws(AiboxError) {
        let file = Path.real(paths.userSSHConfiguration) ?? paths.userSSHConfiguration
        let old = File.exists(file) ? try File.text(file) : ""
        let new = SSHManagedBlock.replaced(in: old, with: hosts)
        if new == old { return }
        try Folder.make(Path.parent(paths.userSSHConfiguration), mode: 0o700)
        var status = stat()
        let mode = stat(file, &status) == 0 ? status.st_mode & 0o777 : 0o600
        try File.replace(file, with: new, mode: mode)
    }
}

/// Names of the files that a sandbox keeps from start to start, in `Paths.sandboxState`.
enum SandboxFolder {
    static let hostKey = "ssh_host_ed25519_key"
    static let lock = "lock"
    /// Holds the digest of the policy that the sandbox is held to.
    static let policy = "policy"
    /// Holds the digest of the policies in Rego that decide for the sandbox.
    static let rego = "policy-rego"
}
