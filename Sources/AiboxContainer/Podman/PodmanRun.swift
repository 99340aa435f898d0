/// The argv of `podman run` for a sandbox: a pure function, so that every promise about the
/// container can be read and tested here.
public struct PodmanRun: Sendable {
    public let spec: SandboxSpec

    public init(_ spec: SandboxSpec) { self.spec = spec }

    public var arguments: [String] {
        ["run", "--detach", "--name", spec.name.container, "--hostname", "aibox"]
            + labels + engine + isolation + limits + mounts + secrets + environment
            + [spec.image] + spec.command
    }

    private var labels: [String] {
        [
            "--label", "aibox=1", "--label", "aibox.sandbox=\(spec.name)", "--label",
            "aibox.workspace=\(spec.workspacePath)",
        ]
    }

    private var engine: [String] {
        switch spec.engine {
        case .gvisor(let runtime, let platform):
            ["--runtime", runtime, "--runtime-flag", "platform=\(platform.rawValue)"]
        case .crun(let path), .kata(let path):
            ["--runtime", path]
        }
    }

    private var isolation: [String] {
        var arguments = [
            "--user", "\(SandboxSpec.user):\(SandboxSpec.user)", "--group-add", SandboxSpec.terminalGroup,
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
            "--security-opt", "seccomp=\(spec.seccompProfile)", "--read-only", "--read-only-tmpfs=false",
            "--network", "ns:\(spec.networkNamespace)", "--dns", SandboxSpec.gatewayAddress, "--dns-search", ".",
            "--no-hosts", "--pull", "never", "--init=false", "--stop-timeout", "3", "--log-driver", "k8s-file",
            "--conmon-pidfile", spec.monitorPidFile, "--http-proxy=false", "--health-cmd", "none",
        ]
        if let profile = spec.appArmorProfile { arguments += ["--security-opt", "apparmor=\(profile)"] }
        if spec.userMapping == .keepID { arguments += Self.keepID }
        return arguments
    }

    private var limits: [String] {
        // Named here because podman's own defaults may lie above what this process is allowed to set.
        var arguments = ["--ulimit", "nofile=16384:16384", "--ulimit", "nproc=4096:4096", "--ulimit", "core=0:0"]
        if let cpus = spec.limits.cpus { arguments += ["--cpus", String(cpus)] }
        if let bytes = spec.limits.memoryBytes {
            arguments += ["--memory", "\(bytes)b", "--memory-swap", "\(bytes)b"]
        }
        if let processes = spec.limits.processes { arguments += ["--pids-limit", String(processes)] }
        return arguments
    }

    /// The caller is the user `dev` inside.
    static let keepID = ["--userns", "keep-id:uid=\(SandboxSpec.user),gid=\(SandboxSpec.user)"]

    private var mounts: [String] {
        // Programs may be run from /tmp, as they may be from the home folder: go test, cargo and JNA do.
        let size = "size=\(spec.temporaryBytes)"
        var arguments = [
            "--tmpfs", "/tmp:rw,exec,nosuid,nodev,mode=1777,\(size)",
            "--tmpfs", "/var/tmp:rw,exec,nosuid,nodev,mode=1777,\(size)",
            "--tmpfs", "/run:rw,noexec,nosuid,nodev,mode=1777,size=16777216",
            "--mount",
            "type=bind,\(Self.field("source", spec.workspaceSource)),target=/workspace,nosuid,nodev,bind-propagation=private",
        ]
        for volume in spec.volumes {
            arguments += ["--volume", "\(volume.name):\(volume.target):rw,nosuid,nodev"]
        }
        for tool in spec.tools {
            let place = "\(Self.field("source", tool.source)),\(Self.field("target", tool.target))"
            arguments += ["--mount", "type=bind,\(place),ro,nosuid,nodev,bind-propagation=private"]
        }
        return arguments
    }

    private var secrets: [String] {
        spec.secrets.flatMap { secret in
            [
                "--secret",
                "\(secret.name),type=mount,target=\(secret.target),uid=\(SandboxSpec.user),gid=\(SandboxSpec.user),mode=\(secret.mode)",
            ]
        }
    }

    private var environment: [String] {
        spec.environment.flatMap { ["--env", "\($0.name)=\($0.value)"] }
    }

    /// A field of `--mount`, which podman reads as one line of CSV (RFC 4180): quoted where the value
    /// has a comma or a quote, so that a path can bring in no option of its own.
    static func field(_ name: String, _ value: String) -> String {
        let text = "\(name)=\(value)"
        guard text.utf8.contains(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") }) else { return text }
        let doubled = text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
        return "\"" + doubled + "\""
    }
}
