/// The argv of `podman run` for a sandbox: a pure function, so that every promise about the
/// container can be read and tested here.
public struct PodmanRun: Sendable {
    public let spec: SandboxSpec

    public init(_ spec: SandboxSpec) { self.spec = spec }

    public var arguments: [String] {
        ["run", "--detach", "--name", spec.name.container, "--hostname", "aibox"]
            + spec.labelArguments + engine + isolation + limits + mounts + secrets + environment
            + [spec.image] + spec.command
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

    private var limits: [String] { spec.limitArguments + (spec.limits.cpus.map { ["--cpus", String($0)] } ?? []) }

    /// The caller is the user `dev` inside.
    static let keepID = ["--userns", "keep-id:uid=\(SandboxSpec.user),gid=\(SandboxSpec.user)"]

    private var mounts: [String] {
        var arguments =
            spec.temporaryArguments + [
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
