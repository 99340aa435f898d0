import AiboxSystem
import Glibc

/// A container that podman no longer knows, though its monitor (conmon) and its runtime go on: what is left
/// where podman died while it made the container, and the record was removed before the container stood.
struct StrayMonitor: Equatable {
    var pid: Int
    /// The container's id.
    var id: String
    /// The OCI runtime that was to run it.
    var runtime: String

    /// The monitor in a command line `conmon ... -c ID ... -r RUNTIME ... -n NAME ...`, if it is that container's.
    init?(pid: Int, words: [String], container: String) {
        func value(_ option: String) -> String? {
            guard let index = words.firstIndex(of: option), index + 1 < words.count else { return nil }
            return words[index + 1]
        }
        guard let program = words.first, Path.name(program) == "conmon", value("-n") == container,
            let id = value("-c"), !id.isEmpty, id.allSatisfy(\.isHexDigit), let runtime = value("-r"),
            runtime.hasPrefix("/")
        else { return nil }
        self.pid = pid
        self.id = id
        self.runtime = runtime
    }

    /// Ends what runs of a container that podman has forgotten; returns once its monitor is gone.
    static func end(_ container: String, context: SandboxContext, limit: Duration = .seconds(20)) throws(AiboxError) {
        let deadline = ContinuousClock.now + limit
        while let monitor = try find(container) {
            if ContinuousClock.now > deadline {
                throw AiboxError(
                    .failed, "cannot end \(container)", why: "its monitor, process \(monitor.pid), does not end",
                    remedy: "end it with kill \(monitor.pid), then run the command again")
            }
            let delete = ["delete", "--force", monitor.id]
            // The runtime may still be at work on making it; then the next round finds it made.
            if context.host.isRoot {
                _ = try context.runner.run(Command(monitor.runtime, delete), timeout: .seconds(10))
            } else {
                _ = try context.podman.run(["unshare", monitor.runtime] + delete, timeout: .seconds(10))
            }
            usleep(100_000)
        }
    }

    private static func find(_ container: String) throws(AiboxError) -> StrayMonitor? {
        for (pid, words) in try CommandLines.all() {
            if let monitor = StrayMonitor(pid: pid, words: words, container: container) { return monitor }
        }
        return nil
    }
}

/// The command lines of the processes on this machine.
enum CommandLines {
    static func all() throws(AiboxError) -> [(pid: Int, words: [String])] {
        var result: [(pid: Int, words: [String])] = []
        for name in try Folder.names("/proc") {
            guard let pid = Int(name), let bytes = try? File.read("/proc/\(pid)/cmdline", limit: 1 << 20) else {
                continue
            }
            let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            if !words.isEmpty { result.append((pid, words)) }
        }
        return result
    }
}
