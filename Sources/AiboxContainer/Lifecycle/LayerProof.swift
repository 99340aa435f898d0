import AiboxConfig
public import AiboxState
public import AiboxSystem
import AiboxWire

/// Looks at a running sandbox again, from outside and from inside, and says of each layer whether it holds.
public struct LayerProof {
    let context: SandboxContext
    let record: SandboxRecord

    public init(context: SandboxContext, record: SandboxRecord) {
        self.context = context
        self.record = record
    }

    public func findings() throws(AiboxError) -> [HardeningCheck.Finding] {
        let status = try GatewayClient(runFolder: record.runFolder).status()
        let gateway = try Self.gateway(status)
        // A sandbox that is cut off cannot be asked.
        return status.cutOff == nil ? gateway + (try inside()) : gateway
    }

    /// The gateway's own walls. What the kernel knows is asked of the kernel.
    static func gateway(_ status: GatewayStatus) throws(AiboxError) -> [HardeningCheck.Finding] {
        let text = try File.text("/proc/\(status.ready.pid)/status", limit: 1 << 16)
        func value(_ name: String) -> String {
            let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            return line?.split(separator: "\t").last.map(String.init) ?? "unknown"
        }
        let connected = "as loaded"
        let filter = status.cutOff.map { "cut off: \($0); aibox doctor --fix connects it again" } ?? connected
        let seccomp = value("Seccomp") == "2" && value("NoNewPrivs") == "1"
        let landlock = status.landlock > 0 ? "Landlock \(status.landlock)" : "this kernel has no Landlock"
        return [
            .init(layer: "packet filter", promised: connected, found: filter, holds: status.cutOff == nil),
            .init(
                layer: "gateway", promised: "seccomp, no new privileges, Landlock where present",
                found: (seccomp ? "seccomp, no new privileges" : "NOT confined") + ", " + landlock, holds: seccomp),
        ]
    }

    /// What a process inside can see and do: asked of the sandbox itself.
    private func inside() throws(AiboxError) -> [HardeningCheck.Finding] {
        let session = SandboxSession(paths: context.paths, record: record)
        let result = try context.runner.run(
            try session.command(["/bin/bash", "-c", Self.probe], terminal: false), timeout: .seconds(60))
        guard result.succeeded else {
            throw AiboxError(.failed, "cannot look into the sandbox", why: SafeText.escaped(result.errorText))
        }
        var values: [String: String] = [:]
        for line in result.text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
        }
        return Self.expectations.map { layer, key, expected in
            let found = values[key] ?? "no answer"
            return HardeningCheck.Finding(layer: layer, promised: expected, found: found, holds: found == expected)
        }
    }

    /// Text of ours, without any input. One line a question.
    private static let probe = """
        echo "uid=$(id -u)"
        echo "capabilities=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)"
        echo "seccomp=$(sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status)"
        if touch /usr/bin/.aibox-probe 2>/dev/null; then echo root=writable; else echo root=read-only; fi
        if unshare -U true 2>/dev/null; then echo userns=allowed; else echo userns=refused; fi
        if [ -z "$(find / -xdev -perm /6000 -type f -print -quit 2>/dev/null)" ]; then echo setuid=none; else echo setuid=some; fi
        if (exec 3<>/dev/tcp/192.0.2.1/443) 2>/dev/null; then echo egress=open; else echo egress=none; fi
        ls /dev/kvm /dev/mem /dev/kmsg /var/run/docker.sock /run/podman 2>/dev/null | grep -q . && echo host=reachable || echo host=hidden
        """

    private static let expectations: [(layer: String, key: String, expected: String)] = [
        ("user", "uid", "1000"), ("capabilities", "capabilities", "0000000000000000"), ("seccomp", "seccomp", "2"),
        ("root file system", "root", "read-only"), ("user namespaces", "userns", "refused"),
        ("setuid programs", "setuid", "none"), ("way out", "egress", "none"),
        ("host devices and sockets", "host", "hidden"),
    ]
}
