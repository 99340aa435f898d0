public import AiboxSystem
import Glibc

/// An account made for a test, with rootless podman ready to run; removed with everything it owns. Needs root.
public final class OrdinaryUser: Sendable {
    public let name: String
    public let uid: UInt32
    public let gid: UInt32
    public let home: String
    private let runtimeFolder: String

    public init() throws(AiboxError) {
        let runner = SystemCommandRunner()
        let name = "aibt" + String(UInt32.random(in: 0..<0x1_000_000), radix: 36)
        try runner.require(
            Command("useradd", ["--create-home", "--shell", "/bin/bash", name]), "cannot make the account \(name)",
            remedy: "this test has to run as root")
        guard let entry = getpwnam(name) else { throw AiboxError(.failed, "cannot find the account \(name)") }
        self.name = name
        uid = entry.pointee.pw_uid
        gid = entry.pointee.pw_gid
        home = String(cString: entry.pointee.pw_dir)
        runtimeFolder = home + "/run"
        // Without this file podman copies whole images (vfs) instead of overlaying them.
        let configuration = home + "/.config/containers"
        try runner.require(command("mkdir", ["-p", "-m", "700", runtimeFolder]), "cannot make \(runtimeFolder)")
        try runner.require(command("mkdir", ["-p", configuration]), "cannot make \(configuration)")
        var storage = command("tee", [configuration + "/storage.conf"])
        storage.input = Array("[storage]\ndriver = \"overlay\"\n".utf8)
        try runner.require(storage, "cannot configure podman's storage")
    }

    deinit {
        // Every process of the account, podman's pause process included; by uid, so nobody else's.
        for name in (try? Folder.names("/proc")) ?? [] {
            guard let pid = Int32(name), let status = try? File.text("/proc/\(pid)/status", limit: 1 << 16) else {
                continue
            }
            let owner = status.split(separator: "\n").first { $0.hasPrefix("Uid:") }?.split(separator: "\t").dropFirst()
            if owner?.first == "\(uid)" { kill(pid, SIGKILL) }
        }
        _ = try? SystemCommandRunner().run(Command("userdel", ["--force", "--remove", name]))
    }

    /// The command, to be run as this user with a clean environment.
    public func command(_ executable: String, _ arguments: [String] = []) -> Command {
        var environment: [String: String?] = [:]
        for variable in Environment.all.keys { environment[variable] = .some(nil) }
        environment["HOME"] = home
        environment["USER"] = name
        environment["LOGNAME"] = name
        environment["PATH"] = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        environment["XDG_RUNTIME_DIR"] = runtimeFolder
        return Command(
            "setpriv", ["--reuid=\(uid)", "--regid=\(gid)", "--init-groups", "--", executable] + arguments,
            environment: environment, directory: home)
    }
}
