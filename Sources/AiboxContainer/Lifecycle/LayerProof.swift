import AiboxConfig
public import AiboxState
public import AiboxSystem

/// Looks at a running sandbox again, from outside and from inside, and says of each layer whether it holds.
public struct LayerProof {
    let context: SandboxContext
    let record: SandboxRecord

    public init(context: SandboxContext, record: SandboxRecord) {
        self.context = context
        self.record = record
    }

    public func findings() throws(AiboxError) -> [HardeningCheck.Finding] {
        try inside()
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
        cp /bin/true /tmp/.aibox-probe && if /tmp/.aibox-probe 2>/dev/null; then echo tmp=executable; else echo tmp=noexec; fi
        rm -f /tmp/.aibox-probe
        if (exec 3<>/dev/tcp/192.0.2.1/443) 2>/dev/null; then echo egress=open; else echo egress=none; fi
        ls /dev/kvm /dev/mem /dev/kmsg /var/run/docker.sock /run/podman 2>/dev/null | grep -q . && echo host=reachable || echo host=hidden
        """

    private static let expectations: [(layer: String, key: String, expected: String)] = [
        ("user", "uid", "1000"), ("capabilities", "capabilities", "0000000000000000"), ("seccomp", "seccomp", "2"),
        ("root file system", "root", "read-only"), ("user namespaces", "userns", "refused"),
        ("setuid programs", "setuid", "none"), ("programs in /tmp", "tmp", "noexec"),
        ("way out", "egress", "none"), ("host devices and sockets", "host", "hidden"),
    ]
}
