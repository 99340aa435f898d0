import AiboxSystem
import Glibc

/// A `podman run` whose aibox was killed: it goes on by itself and would make its container after the
/// next command has looked for it.
enum OrphanedPodman {
    /// Waits until no `podman run` for the container is at work any more.
    static func wait(_ container: String, limit: Duration = .seconds(30)) throws(AiboxError) {
        let deadline = ContinuousClock.now + limit
        while let pid = try find(container) {
            if ContinuousClock.now > deadline {
                throw AiboxError(
                    .failed, "podman still starts \(container)", why: "process \(pid) has not ended after \(limit)",
                    remedy: "end it with kill \(pid), then run the command again")
            }
            usleep(50_000)
        }
    }

    private static func find(_ container: String) throws(AiboxError) -> Int? {
        for (pid, words) in try CommandLines.all() where isStart(words, of: container) { return pid }
        return nil
    }

    /// True for the command line of `podman ... run ... --name CONTAINER ...`.
    static func isStart(_ words: [String], of container: String) -> Bool {
        guard let program = words.first, Path.name(program) == "podman", words.contains("run"),
            let option = words.firstIndex(of: "--name"), option + 1 < words.count
        else { return false }
        return words[option + 1] == container
    }
}
