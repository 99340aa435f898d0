import AiboxSystem
import AiboxWire

/// How git inside comes to the broker where there is a credential: settings for the whole machine (git-scm.com/docs/git-config,
/// "FILES" and "url.<base>.insteadOf"), which every git reads, with or without an environment, unless `GIT_CONFIG_NOSYSTEM` or `GIT_CONFIG_SYSTEM` keeps it from that.
/// A user's and a project's own settings go before them.
enum GitSettings {
    static let purpose = "git"
    static let path = "/etc/gitconfig"

    /// nil where no credential for git is lent.
    ///
    /// - Parameter own: what the image says there; it stays.
    static func file(
        _ places: [PlaceGrant], own: () throws(AiboxError) -> String
    ) throws(AiboxError) -> SettingsFile? {
        let grants = places.filter { $0.kind == .git }
        if grants.isEmpty { return nil }
        let before = try own()
        let text =
            before + (before.isEmpty || before.hasSuffix("\n") ? "" : "\n")
            + "# Written by aibox: the broker adds the credential.\n" + grants.map(section).joined()
        return SettingsFile(purpose, text, path)
    }

    /// Whichever way the URL is written.
    private static func section(_ grant: PlaceGrant) -> String {
        let path = grant.path.dropFirst()
        // One repository, or a folder of them.
        let place = path.isEmpty || path.hasSuffix(".git") ? path : path + "/"
        var spellings = ["https://\(grant.authority)/\(place)"]
        if grant.port == 443 {
            spellings += [
                "https://\(grant.host):443/\(place)", "https://git@\(grant.host)/\(place)",
                "git@\(grant.host):\(place)", "ssh://git@\(grant.host)/\(place)",
            ]
        }
        return "[url \(quoted("\(CredentialLending.address)/git/\(grant.authority)/\(place)"))]\n"
            + spellings.map { "\tinsteadOf = \(quoted($0))\n" }.joined()
    }

    /// A path has no line's end and no control character (`RequestPath`).
    private static func quoted(_ text: String) -> String {
        "\"" + text.map { "\"\\".contains($0) ? "\\\($0)" : "\($0)" }.joined() + "\""
    }
}
