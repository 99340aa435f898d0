import AiboxSystem

extension DoctorCheck {
    /// Tries what every sandbox's network is made of: namespaces, a veth pair, an nftables table. The
    /// namespace and all in it end with the command.
    static func network(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("network namespaces") { () throws(AiboxError) in
            let flags = context.host.isRoot ? ["--net"] : ["--user", "--map-root-user", "--net"]
            let script = "ip link add a0 type veth peer name b0 && nft add table inet aibox_doctor"
            let result = try context.runner.run(
                Command(
                    "unshare", flags + ["--", "/bin/sh", "-c", script],
                    environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]),
                timeout: .seconds(20))
            if result.succeeded { return .pass("namespaces, veth and nftables work") }
            let why = SafeText.escaped(result.errorText)
            if why.contains("not found") {
                return .fail("nft or ip is missing: \(why)", "sudo apt-get install nftables iproute2")
            }
            if !context.host.isRoot, why.contains("unshare") {
                return .fail(
                    "user namespaces are closed: \(why)",
                    "sudo sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0")
            }
            return .fail("this kernel does not make them: \(why)", "a kernel with CONFIG_VETH and CONFIG_NF_TABLES")
        }
    }
}
