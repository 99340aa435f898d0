import AiboxSystem
import AiboxTestSupport

@testable import AiboxContainer

/// A container that holds what a test puts into it and nothing of an image, started as `aibox start` starts one, or with
/// every privilege for the control.
struct ProfileContainer {
    enum Runtime: String, CaseIterable, Sendable { case crun, runsc }

    /// Who runs podman.
    enum Owner: Sendable {
        /// Whoever runs the tests: root, or an ordinary user.
        case caller
        /// An account made for the test; asks for root.
        case ordinaryUser

        /// Both as root, else the one that there is.
        static var possible: [Owner] { UserIdentity.current.isRoot ? [.caller, .ordinaryUser] : [.caller] }
    }

    enum Filter: Sendable { case none, profile }

    enum Privileges: Sendable {
        /// uid 1000, no capability, no new privileges.
        case sandbox
        /// Root with every capability: what is refused to it is refused by the filter alone.
        case everything
    }

    let runtime: Runtime
    /// The root of the container; its owner can read it.
    private let root: String
    /// A folder that uid 1000 of the container can write.
    private let workspace: String
    private let folder: TemporaryFolder
    private let account: OrdinaryUser?
    private let runtimePath: String

    private var isRootless: Bool { account != nil || !UserIdentity.current.isRoot }

    /// - Parameter fill: puts files into the root, before it is given to its owner.
    init(_ runtime: Runtime, _ owner: Owner, fill: (_ root: String) throws -> Void) throws {
        let runner = SystemCommandRunner()
        self.runtime = runtime
        account = owner == .ordinaryUser ? try OrdinaryUser() : nil
        folder = try TemporaryFolder(prefix: "aibox-profile")
        root = folder.path + "/root"
        workspace = folder.path + "/work"
        for name in ["proc", "sys", "dev", "tmp", "run", "etc", "workspace", "home/dev"] {
            try Folder.make(root + "/" + name)
        }
        try Folder.make(workspace)
        let dialect: SeccompProfile.Dialect = runtime == .runsc ? .runsc : .oci
        try File.replace(folder.path + "/profile.json", with: try embeddedProfile().file(for: dialect), mode: 0o644)
        try fill(root)
        let probe = RuntimeProbe(runner: runner)
        runtimePath = runtime == .runsc ? try probe.runsc().path : try probe.crun()
        // Rootless, uid 1000 inside is the account's own; rootful it is 1000 here.
        if let account {
            try runner.require(Command("chown", ["-R", "\(account.uid):\(account.gid)", folder.path]), "cannot chown")
        } else if UserIdentity.current.isRoot {
            try runner.require(Command("chown", ["1000:1000", workspace]), "cannot chown")
        }
    }

    func run(
        _ command: [String], filter: Filter = .profile, privileges: Privileges = .sandbox, mounts: [String] = [],
        timeout: Duration = .seconds(60)
    ) throws -> CommandResult {
        var arguments = [
            "--cgroup-manager=cgroupfs", "--events-backend=file", "run", "--rm", "--runtime", runtimePath,
            "--network=none", "--hostname=aibox", "--passwd=false", "--log-driver=none", "--read-only",
            "--read-only-tmpfs=false", "--ulimit", "nofile=16384:16384", "--ulimit", "nproc=4096:4096",
            "--tmpfs", "/tmp:rw,noexec,nosuid,nodev,mode=1777", "--tmpfs", "/run:rw,noexec,nosuid,nodev,mode=1777",
            "--tmpfs", "/home/dev:rw,exec,nosuid,nodev,mode=0777", "-v", "\(workspace):/workspace:rw,nosuid,nodev",
            "--workdir", "/workspace", "--env", "HOME=/home/dev",
        ]
        if runtime == .runsc {
            for flag in ["ignore-cgroups", "network=none", "oci-seccomp"] { arguments += ["--runtime-flag", flag] }
        }
        if isRootless { arguments.append("--userns=keep-id:uid=1000,gid=1000") }
        switch privileges {
        case .sandbox:
            arguments += [
                "--user=1000:1000", "--group-add=5", "--cap-drop=ALL", "--security-opt", "no-new-privileges",
            ]
        case .everything: arguments += ["--user=0:0", "--cap-add=ALL"]
        }
        let profile = filter == .none ? "unconfined" : folder.path + "/profile.json"
        arguments += ["--security-opt", "seccomp=\(profile)"]
        for mount in mounts { arguments += ["-v", mount] }
        arguments += ["--rootfs", root] + command
        let podman = account?.command("podman", arguments) ?? Command("podman", arguments)
        return try SystemCommandRunner().run(podman, timeout: timeout)
    }
}
