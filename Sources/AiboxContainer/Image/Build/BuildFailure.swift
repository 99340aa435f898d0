/// Turns the log of a failed package installation into a reason and a remedy.
enum BuildFailure {
    struct Explanation: Sendable, Equatable {
        var why: String
        var remedy: String?
    }

    /// The first cause that is known, nil for one that is not.
    static func explain(_ log: String) -> Explanation? {
        for known in causes {
            for line in log.split(separator: "\n") where known.signs.contains(where: { line.contains($0) }) {
                let said = line.drop { $0 == " " }.prefix(200)
                return Explanation(why: known.why.map { "\($0) (\(said))" } ?? String(said), remedy: known.remedy)
            }
        }
        return nil
    }

    static func lastLines(_ log: String) -> String {
        let lines = log.split(separator: "\n").filter { !$0.allSatisfy(\.isWhitespace) && !$0.hasPrefix("I: ") }.suffix(
            3)
        return lines.isEmpty ? "it said nothing" : lines.joined(separator: "; ")
    }

    private struct Cause {
        var signs: [String]
        var why: String?
        var remedy: String?
    }

    private static let causes = [
        Cause(
            signs: ["No space left on device", "not enough free space"], why: "the disk is full",
            remedy: "free some 3 GB, or set TMPDIR to a folder with room, then run the command again"),
        Cause(
            signs: ["newuidmap", "newgidmap", "/etc/subuid", "/etc/subgid", "not enough subordinate"],
            why: "the user has no subordinate ids", remedy: BuildPreflight.subordinateRemedy),
        Cause(
            signs: ["unshare(): Operation not permitted", "unshare failed", "unprivileged_userns_clone"],
            why: "this kernel forbids user namespaces to ordinary users", remedy: BuildPreflight.namespaceRemedy),
        Cause(
            signs: ["NO_PUBKEY", "EXPKEYSIG", "is not signed", "couldn't be verified"],
            why: "the archive's signature could not be checked",
            remedy: "install the archive's keyring, or correct Signed-By in apt's sources"),
        Cause(
            signs: [
                "Temporary failure resolving", "Could not resolve", "Could not connect", "Unable to connect",
                "Connection timed out", "Network is unreachable", "Connection refused", "Connection failed",
            ], why: "the archive cannot be reached", remedy: "check the network and apt's sources, then try again"),
        Cause(signs: ["dpkg: error processing"], why: "a package could not be installed", remedy: nil),
        Cause(signs: ["Unable to locate package", "has no installation candidate"], why: nil, remedy: nil),
    ]
}
