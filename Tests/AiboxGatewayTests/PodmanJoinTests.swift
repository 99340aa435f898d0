import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

/// The namespace as podman's containers see it.
@Suite("Gateway and podman", .serialized)
struct PodmanJoinTests {
    /// A container on a root folder made of the host's own programs: no image, no registry.
    private func podman(_ gateway: LiveGateway, _ arguments: [String], privileged: Bool = false) throws -> Command {
        let root = gateway.folder.path + "/root"
        for name in ["usr", "proc", "sys", "dev", "tmp", "etc", "run"] { try Folder.make(root + "/" + name) }
        for name in ["bin", "lib", "lib64", "sbin"] { symlink("usr/" + name, root + "/" + name) }
        let configuration = try gateway.folder.write(
            "containers.conf",
            """
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=512:512"]
            log_driver = "k8s-file"
            [engine]
            cgroup_manager = "cgroupfs"
            events_logger = "file"
            runtime = "crun"
            """)
        let hardening =
            privileged
            ? ["--user", "0:0"] : ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "1000:1000"]
        let mapping = geteuid() == 0 ? [] : ["--userns", "keep-id:uid=1000,gid=1000"]
        return Command(
            "podman",
            ["run", "--rm", "--network", "ns:" + gateway.ready.networkNamespace, "--read-only"] + hardening + mapping
                + ["--volume", "/usr:/usr:ro", "--rootfs", root] + arguments,
            environment: ["CONTAINERS_CONF": configuration])
    }

    @Test("a container joins it: its address is there, its gateway refuses what is not listed")
    func joins() throws {
        let gateway = try LiveGateway()
        let inside = try podman(gateway, ["sh", "-c", "ip -brief address show dev eth0 | grep -o 10.200.1.2/24"])
        #expect(try gateway.run(inside, timeout: .seconds(60)) == "10.200.1.2/24")
        let probes = [
            "tcp:10.200.1.1:22", "udp:10.200.1.1:53", "tcp:192.0.2.1:443", "tcp:127.0.0.1:\(gateway.ready.sshPort)",
        ]
        let probe = try podman(gateway, ["/usr/bin/python3", "-c", Scripts.probe] + probes)
        #expect(try gateway.run(probe, timeout: .seconds(60)).isEmpty)
    }

    @Test("SSH's way in reaches a server in the container")
    func served() throws {
        let gateway = try LiveGateway()
        try gateway.keep(try podman(gateway, ["/usr/bin/python3", "-c", Scripts.sandboxServer, "contained"]))
        #expect(
            try gateway.run(Command("/usr/bin/python3", ["-c", Scripts.ask, "\(gateway.ready.sshPort)", "T"]))
                == "contained")
    }

    @Test("a container cannot change its end of the cable")
    func unchangeable() throws {
        let gateway = try LiveGateway()
        for change in ["ip link set eth0 down", "ip address add 10.200.1.9/24 dev eth0", "ip route del default"] {
            let result = try SystemCommandRunner().run(try podman(gateway, ["sh", "-c", change]))
            #expect(!result.succeeded && result.errorText.contains("not permitted"), "\(change): \(result.errorText)")
        }
    }
}
