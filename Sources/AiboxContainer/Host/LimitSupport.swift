/// Which resource limits this machine enforces on a sandbox, and why not where it does not.
public struct LimitSupport: Sendable, Equatable {
    public var cpus: Bool
    public var memory: Bool
    public var processes: Bool
    /// Why something is missing; nil when nothing is.
    public var reason: String?

    public init(host: HostFacts, engine: SandboxSpec.Engine) {
        switch (host.isRoot, host.cgroups) {
        case (true, _):
            (cpus, memory, processes, reason) = (true, true, true, nil)
        case (false, .legacy):
            (cpus, memory, processes) = (false, false, false)
            reason = "rootless limits need cgroup version 2, and this machine has version 1"
        case (false, .unified(let delegated)):
            if case .gvisor = engine {
                (cpus, memory, processes) = (false, false, false)
                reason = "gVisor does not set limits rootless; use crun, or run as root, where they matter"
                return
            }
            cpus = delegated.contains("cpu")
            memory = delegated.contains("memory")
            processes = delegated.contains("pids")
            let missing = Set(["cpu", "memory", "pids"]).subtracting(delegated).sorted()
            reason =
                missing.isEmpty
                ? nil : "systemd has not delegated \(missing.joined(separator: ", ")) to this user (user@.service)"
        }
    }

    /// What of the wished limits can be asked of podman.
    public func enforceable(_ wish: SandboxSpec.Limits) -> SandboxSpec.Limits {
        SandboxSpec.Limits(
            cpus: cpus ? wish.cpus : nil, memoryBytes: memory ? wish.memoryBytes : nil,
            processes: processes ? wish.processes : nil)
    }
}
