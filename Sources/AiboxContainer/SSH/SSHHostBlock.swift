/// The settings with which `ssh`, IDEs and git reach a sandbox.
public struct SSHHostBlock: Sendable, Equatable {
    public var host: String
    /// True for the sandbox that plain `ssh aibox` means: the one started last.
    public var isDefault: Bool
    public var port: Int
    public var identityFile: String
    public var knownHostsFile: String
    /// Who logs in: inside always `dev`.
    public var user: String

    public init(
        host: String, isDefault: Bool, port: Int, identityFile: String, knownHostsFile: String, user: String = "dev"
    ) {
        self.host = host
        self.isDefault = isDefault
        self.port = port
        self.identityFile = identityFile
        self.knownHostsFile = knownHostsFile
        self.user = user
    }

    /// ssh_config(5). The host key is pinned under the sandbox's name, so that a port that another
    /// sandbox had before is no reason for a warning, and a wrong host on it is one.
    public var text: String {
        """
        Host \(isDefault ? "aibox " : "")\(host)
            HostName 127.0.0.1
            Port \(port)
            User \(user)
            IdentityFile "\(identityFile)"
            IdentitiesOnly yes
            HostKeyAlias \(host)
            UserKnownHostsFile "\(knownHostsFile)"
            StrictHostKeyChecking yes
            ForwardAgent no
            ForwardX11 no
            UpdateHostKeys no
            AddKeysToAgent no
            PermitLocalCommand no
            GSSAPIDelegateCredentials no

        """
    }
}

/// The part of `~/.ssh/config` that is aibox's.
public enum SSHManagedBlock {
    static let begin = "# >>> aibox: written by aibox, changes here are lost >>>"
    static let end = "# <<< aibox <<<"

    /// `file` with its managed block replaced by `hosts`; with none the block goes.
    ///
    /// It stands first, because ssh takes the first value it finds, and ends with `Match all`, so that
    /// what follows stays as global as it was. Everything outside the markers is kept byte for byte.
    public static func replaced(in file: String, with hosts: String) -> String {
        let rest = removed(from: file)
        if hosts.isEmpty { return rest }
        return begin + "\n" + hosts + "Match all\n" + end + "\n" + rest
    }

    static func removed(from file: String) -> String {
        var kept: [Substring] = []
        var inside = false
        for line in file.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == begin, !inside {
                inside = true
            } else if inside {
                if line == end { inside = false }
            } else {
                kept.append(line)
            }
        }
        // A begin without an end is not ours to cut: somebody edited it, and the rest would be lost.
        return inside ? file : kept.joined(separator: "\n")
    }
}
