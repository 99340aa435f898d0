/// The argv of `docker create` for a sandbox: a pure function, as `PodmanRun` is for podman.
///
/// What the docker client has no words for (network namespace, users, `nosuid`, files) is in `request`.
struct DockerCreate: Sendable {
    let spec: SandboxSpec

    init(_ spec: SandboxSpec) { self.spec = spec }

    /// The runtime's name in the daemon's settings.
    static let runtime = "aibox"

    var arguments: [String] {
        ["create", "--name", spec.name.container, "--hostname", "aibox"] + labels + isolation + limits + mounts
            + spec.environment.flatMap { ["--env", "\($0.name)=\($0.value)"] } + [spec.image] + spec.command
    }

    private var labels: [String] {
        [
            "--label", "aibox=1", "--label", "aibox.sandbox=\(spec.name)", "--label",
            "aibox.workspace=\(spec.workspacePath)",
        ]
    }

    private var isolation: [String] {
        // Everything that the daemon's settings could preset otherwise is named.
        var arguments = [
            "--runtime", Self.runtime, "--user", "\(SandboxSpec.user):\(SandboxSpec.user)", "--group-add",
            SandboxSpec.terminalGroup, "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
            "--security-opt", "seccomp=\(spec.seccompProfile)", "--read-only", "--network", "none", "--ipc", "private",
            "--dns", SandboxSpec.gatewayAddress, "--dns-search", ".", "--pull", "never", "--init=false",
            "--restart", "no", "--stop-timeout", "3", "--log-driver", "json-file", "--log-opt", "max-size=10m",
            "--no-healthcheck",
        ]
        if let profile = spec.appArmorProfile { arguments += ["--security-opt", "apparmor=\(profile)"] }
        return arguments
    }

    private var limits: [String] {
        var arguments = ["--ulimit", "nofile=16384:16384", "--ulimit", "nproc=4096:4096", "--ulimit", "core=0:0"]
        // Not --cpus: the daemon refuses more than the machine has, and podman does not.
        if let cpus = spec.limits.cpus { arguments += ["--cpu-period", "100000", "--cpu-quota", "\(cpus)00000"] }
        if let bytes = spec.limits.memoryBytes {
            arguments += ["--memory", "\(bytes)b", "--memory-swap", "\(bytes)b"]
        }
        if let processes = spec.limits.processes { arguments += ["--pids-limit", String(processes)] }
        return arguments
    }

    private var mounts: [String] {
        let size = "size=\(spec.temporaryBytes)"
        var arguments = [
            "--tmpfs", "/tmp:rw,exec,nosuid,nodev,mode=1777,\(size)",
            "--tmpfs", "/var/tmp:rw,exec,nosuid,nodev,mode=1777,\(size)",
            "--tmpfs", "/run:rw,noexec,nosuid,nodev,mode=1777,size=16777216",
            "--mount",
            "type=bind,\(PodmanRun.field("source", spec.workspaceSource)),target=/workspace,bind-propagation=rprivate",
        ]
        for volume in spec.volumes { arguments += ["--volume", "\(volume.name):\(volume.target):rw"] }
        for tool in spec.tools {
            let place = "\(PodmanRun.field("source", tool.source)),\(PodmanRun.field("target", tool.target))"
            arguments += ["--mount", "type=bind,\(place),readonly,bind-propagation=rprivate"]
        }
        return arguments
    }
}
