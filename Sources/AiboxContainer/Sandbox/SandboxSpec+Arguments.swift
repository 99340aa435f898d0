/// The arguments that podman and docker have in common.
extension SandboxSpec {
    /// What one user may take, and memory and processes of the whole sandbox. Named because the engines' own defaults may
    /// lie above what this process is allowed to set.
    var limitArguments: [String] {
        var arguments = ["--ulimit", "nofile=16384:16384", "--ulimit", "nproc=4096:4096", "--ulimit", "core=0:0"]
        if let bytes = limits.memoryBytes { arguments += ["--memory", "\(bytes)b", "--memory-swap", "\(bytes)b"] }
        if let processes = limits.processes { arguments += ["--pids-limit", String(processes)] }
        return arguments
    }

    /// Programs may be run from /tmp, as they may be from the home folder: go test, cargo and JNA do.
    var temporaryArguments: [String] {
        let size = "size=\(temporaryBytes)"
        return [
            "--tmpfs", "/tmp:rw,exec,nosuid,nodev,mode=1777,\(size)",
            "--tmpfs", "/var/tmp:rw,exec,nosuid,nodev,mode=1777,\(size)",
            "--tmpfs", "/run:rw,noexec,nosuid,nodev,mode=1777,size=16777216",
        ]
    }

    /// Who is who: `stop` and `list` look for these.
    var labelArguments: [String] {
        ["--label", "aibox=1", "--label", "aibox.sandbox=\(name)", "--label", "aibox.workspace=\(workspacePath)"]
    }
}
