import AiboxContainer
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

/// The namespace as podman's containers see it, with both runtimes.
@Suite("Gateway and podman", .serialized)
struct PodmanJoinTests {
    static let runtimes = ["crun", "runsc"]

    /// A gateway, and containers in its namespace on a root folder made of the host's own programs: no image, no registry.
    private final class Joined {
        let gateway: LiveGateway
        private let name = "aibox-join-" + String(UInt32.random(in: .min ... .max), radix: 36)
        private let runtime: String
        private let configuration: String
        private var root: String { gateway.folder.path + "/root" }

        init(_ runtime: String) throws {
            gateway = try LiveGateway()
            configuration = try gateway.folder.write(
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
            if runtime == "runsc" {
                let runsc = try RuntimeProbe().runsc()
                self.runtime = try gateway.folder.write(
                    "runsc", RunscWrapper(runsc: runsc.path, ignoresCgroups: true).text)
                chmod(self.runtime, 0o755)
            } else {
                self.runtime = runtime
            }
            for name in ["usr", "proc", "sys", "dev", "tmp", "etc", "run"] { try Folder.make(root + "/" + name) }
            for name in ["bin", "lib", "lib64", "sbin"] { symlink("usr/" + name, root + "/" + name) }
        }

        deinit { remove() }

        /// Ends the container, if it runs.
        func remove() {
            _ = try? SystemCommandRunner().run(podman(["rm", "--force", "--time", "0", "--ignore", name]))
        }

        /// A container that runs a command of the host's, hardened unless `options` say otherwise.
        func container(_ command: [String], _ options: [String]? = nil) -> Command {
            let hardening = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "1000:1000"]
            let mapping = geteuid() == 0 ? [] : ["--userns", "keep-id:uid=1000,gid=1000"]
            let place = ["--runtime", runtime, "--network", "ns:" + gateway.ready.networkNamespace]
            return podman(
                ["run", "--rm", "--name", name, "--read-only"] + place + (options ?? hardening) + mapping
                    + ["--volume", "/usr:/usr:ro", "--rootfs", root] + command)
        }

        private func podman(_ arguments: [String]) -> Command {
            Command("podman", arguments, environment: ["CONTAINERS_CONF": configuration])
        }
    }

    @Test("a container joins: what is not listed is refused it", arguments: runtimes)
    func refused(runtime: String) throws {
        let joined = try Joined(runtime)
        let gateway = joined.gateway
        // The far ends are there, so that silence is the filter's doing.
        try gateway.keep(gateway.inGateway("/usr/bin/python3", ["-c", Scripts.everywhere, "22", "53", "80"]))
        let listed = ["22", "53", "80"].flatMap { ["tcp:10.200.1.1:\($0)", "udp:10.200.1.1:\($0)"] }
        let beyond = ["tcp:192.0.2.1:443", "tcp:169.254.169.254:80", "tcp:127.0.0.1:\(gateway.ready.sshPort)"]
        let probe = joined.container(["/usr/bin/python3", "-c", Scripts.probe] + listed + beyond)
        #expect(try gateway.run(probe, timeout: .seconds(60)).isEmpty)
        // The control: the same container reaches them once the filter is gone.
        try gateway.client.readdress()
        try gateway.holdGuard()
        _ = try gateway.run(gateway.inGateway("nft", ["flush", "ruleset"]))
        let passed = try gateway.run(probe, timeout: .seconds(60)).split(separator: " ").map(String.init)
        #expect(Set(passed) == Set(listed))
    }

    @Test("SSH's way in reaches a server in the container, and in the next one after readdress", arguments: runtimes)
    func served(runtime: String) throws {
        let joined = try Joined(runtime)
        for name in ["first", "second"] {
            try joined.gateway.client.readdress()
            try joined.gateway.keep(
                joined.container(["/usr/bin/python3", "-c", Scripts.sandboxServer, name]))
            let answer = try joined.gateway.run(
                Command("/usr/bin/python3", ["-c", Scripts.ask, "\(joined.gateway.ready.sshPort)", "T"]))
            #expect(answer == name)
            joined.remove()
        }
    }

    @Test("a container cannot change its end of the cable")
    func unchangeable() throws {
        let joined = try Joined("crun")
        let changes = ["ip link set eth0 down", "ip address add 10.200.1.9/24 dev eth0", "ip route del default"]
        for change in changes {
            let result = try SystemCommandRunner().run(joined.container(["sh", "-c", change]))
            #expect(!result.succeeded && result.errorText.contains("not permitted"), "\(change): \(result.errorText)")
        }
        if geteuid() == 0 { return }
        // Rootless it cannot even as root with every capability: the namespace belongs to its user namespace's parent.
        for change in changes {
            let result = try SystemCommandRunner().run(
                joined.container(["sh", "-c", change], ["--cap-add", "ALL", "--user", "0:0"]))
            #expect(!result.succeeded && result.errorText.contains("not permitted"), "\(change): \(result.errorText)")
        }
    }
}
