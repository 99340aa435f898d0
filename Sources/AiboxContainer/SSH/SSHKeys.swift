public import AiboxSystem

/// The key pairs of SSH: one of the user's for all sandboxes, and one host key a sandbox.
public struct SSHKeys: Sendable {
    let runner: any CommandRunner

    public init(runner: any CommandRunner = SystemCommandRunner()) { self.runner = runner }

    public struct Pair: Sendable, Equatable {
        /// Path of the private key, 0600.
        public var privatePath: String
        /// `ssh-ed25519 AAAA…` without the comment.
        public var publicKey: String
    }

    /// The Ed25519 pair at `path`, made if it is missing.
    public func ensure(_ path: String, comment: String) throws(AiboxError) -> Pair {
        if !File.exists(path) {
            try Folder.makePrivate(Path.parent(path))
            // Made beside and moved, so that a killed ssh-keygen leaves no half key.
            let fresh = try Folder.makeTemporary(prefix: "aibox-key")
            defer { try? Folder.removeTree(fresh) }
            try runner.require(
                Command("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", fresh + "/key"]),
                "cannot make an SSH key", remedy: "sudo apt-get install openssh-client")
            try File.replace(path + ".pub", with: try File.read(fresh + "/key.pub"), mode: 0o644)
            try File.replace(path, with: try File.read(fresh + "/key"), mode: 0o600)
        }
        let words = try File.text(path + ".pub").split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, words[0] == "ssh-ed25519" else {
            throw AiboxError(
                .failed, "cannot use the SSH key \(path)", why: "\(path).pub is no Ed25519 public key",
                remedy: "rm \(path) \(path).pub; the next start makes new ones")
        }
        return Pair(privatePath: path, publicKey: words[0] + " " + words[1])
    }
}
