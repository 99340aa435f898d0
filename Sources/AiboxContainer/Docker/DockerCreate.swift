/// The argv of `docker create` for a sandbox: a pure function, as `PodmanRun` is for podman.
///
/// What the docker client has no words for (network namespace, users, `nosuid`, files) is in `request`.
struct DockerCreate: Sendable {
    let spec: SandboxSpec

    init(_ spec: SandboxSpec) { self.spec = spec }

    /// The runtime's name in the daemon's settings.
    static let runtime = "aibox"

    var arguments: [String] {
        ["create", "--name", spec.name.container, "--hostname", "aibox"] + spec.labelArguments + isolation + limits
            + mounts
            + spec.environment.flatMap { ["--env", "\($0.name)=\($0.value)"] } + [spec.image] + spec.command
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
        // Not --cpus: the daemon refuses more than the machine has, and podman does not.
        let cpus = spec.limits.cpus.map { ["--cpu-period", "100000", "--cpu-quota", "\($0)00000"] } ?? []
        return spec.limitArguments + cpus
    }

    private var mounts: [String] {
        var arguments =
            spec.temporaryArguments + [
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
