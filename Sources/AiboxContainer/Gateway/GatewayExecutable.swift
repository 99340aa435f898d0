import AiboxSystem

/// Where the programs beside aibox lie, and what the daemon inherits.
enum GatewayExecutable {
    static let name = "aibox-gateway"

    /// Beside the running program, else where an installation puts it.
    static func find(_ name: String = GatewayExecutable.name) throws(AiboxError) -> String {
        var folders = ["/usr/local/libexec/aibox", "/usr/libexec/aibox"]
        if let own = Path.real("/proc/self/exe") { folders.insert(Path.parent(own), at: 0) }
        for folder in folders {
            if let path = ExecutableSearch.find(folder + "/" + name) { return path }
        }
        throw AiboxError(
            .failed, "cannot find \(name)", why: "it is in none of \(folders.joined(separator: ", "))",
            remedy: "install aibox again, or build it with make build")
    }

    /// Removes every variable that the daemon does not need: the caller's may hold secrets.
    static func environment() -> [String: String?] {
        let kept: Set<String> = ["HOME", "LANG", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER", "XDG_RUNTIME_DIR"]
        var changes: [String: String?] = [:]
        for name in Environment.all.keys where !kept.contains(name) { changes[name] = .some(nil) }
        return changes
    }
}
