import AiboxContainer
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxGateway

/// Promise P1 against a process that has every right in the sandbox's namespace, which no container has.
/// Each refusal has its positive control: the same probe with the rule in question taken away.
@Suite("Gateway isolation", .serialized)
struct GatewayIsolationTests {
    private static let ports = ["22", "53", "80", "443", "2222", "3128", "8443", "8444"]

    private func passed(_ gateway: LiveGateway, _ targets: [String]) throws -> Set<String> {
        let text = try gateway.run(gateway.inBox("/usr/bin/python3", ["-c", Scripts.probe] + targets))
        return Set(text.split(separator: " ").map(String.init))
    }

    @Test("nothing passes from the sandbox to its gateway unless it is listed")
    func defaultDrop() throws {
        let gateway = try LiveGateway()
        try gateway.holdGuard()
        try gateway.keep(gateway.inGateway("/usr/bin/python3", ["-c", Scripts.everywhere] + Self.ports))
        let targets = Self.ports.flatMap { ["tcp:10.200.1.1:\($0)", "udp:10.200.1.1:\($0)"] } + ["icmp:10.200.1.1"]
        #expect(try passed(gateway, targets).isEmpty)

        try load(OpenPorts(tcp: [3128], udp: [53]), into: gateway)
        #expect(try passed(gateway, targets) == ["tcp:10.200.1.1:3128", "udp:10.200.1.1:53"])

        _ = try gateway.run(gateway.inGateway("nft", ["flush", "ruleset"]))
        #expect(try passed(gateway, targets) == Set(targets), "without the filter all of them pass")
    }

    @Test("a borrowed sender address gets no answer, not even from a listed service")
    func spoofing() throws {
        let gateway = try LiveGateway()
        try gateway.holdGuard()
        try gateway.keep(gateway.inGateway("/usr/bin/python3", ["-c", Scripts.everywhere, "3128"]))
        try load(OpenPorts(tcp: [3128], udp: [3128]), into: gateway)
        _ = try gateway.run(gateway.inBox("ip", ["address", "add", "10.200.1.77/24", "dev", "eth0"]))
        let honest = ["tcp:10.200.1.1:3128@10.200.1.2", "udp:10.200.1.1:3128@10.200.1.2"]
        let borrowed = ["tcp:10.200.1.1:3128@10.200.1.77", "udp:10.200.1.1:3128@10.200.1.77"]
        #expect(try passed(gateway, honest + borrowed) == Set(honest))
        _ = try gateway.run(gateway.inGateway("nft", ["flush", "ruleset"]))
        #expect(try passed(gateway, borrowed) == Set(borrowed))
    }

    @Test("addresses beyond the gateway are refused at once and counted, even with forwarding switched on")
    func elsewhere() throws {
        let gateway = try LiveGateway()
        try gateway.holdGuard()
        // An address of the gateway's namespace that is not the gateway's: the nearest thing to an uplink.
        _ = try gateway.run(gateway.inGateway("ip", ["address", "add", "198.51.100.7/32", "dev", "lo"]))
        try gateway.keep(gateway.inGateway("/usr/bin/python3", ["-c", Scripts.everywhere, "80"]))
        let switchOn = ["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]
        _ = try gateway.run(gateway.inGateway("sh", switchOn))
        let targets = ["tcp:198.51.100.7:80", "udp:198.51.100.7:80", "icmp:198.51.100.7"]
        let others = ["tcp:169.254.169.254:80", "tcp:192.0.2.1:443", "udp:192.0.2.53:53", "tcp:10.200.1.3:80"]
        #expect(try passed(gateway, targets + others).isEmpty)
        // Refused, not swallowed: a client fails at once instead of waiting.
        let refusal = """
            import socket, sys
            for a in sys.argv[1:]:
                s = socket.socket(); s.settimeout(5)
                try: s.connect((a, 443))
                except OSError as e: print(type(e).__name__)
            """
        #expect(
            try gateway.run(
                gateway.inBox("/usr/bin/python3", ["-c", refusal, "192.0.2.1", "169.254.169.254", "10.200.1.1"])
            )
            .split(separator: "\n") == ["ConnectionRefusedError", "ConnectionRefusedError", "ConnectionRefusedError"])
        let counters = try gateway.run(
            gateway.inGateway("nft", ["list", "counter", "inet", "aibox", "denied_foreign_tcp"]))
        #expect(!counters.contains("packets 0 "), "\(counters)")
        _ = try gateway.run(gateway.inGateway("nft", ["flush", "ruleset"]))
        // UDP is no part of the control: the listener's answer would come from its other address.
        #expect(try passed(gateway, targets).isSuperset(of: ["tcp:198.51.100.7:80", "icmp:198.51.100.7"]))
    }

    @Test("IPv6 gets no answer, even from a sandbox that had the right to switch it on")
    func ipv6() throws {
        let gateway = try LiveGateway()
        try gateway.holdGuard()
        func switchOn(_ inside: (String, [String]) -> Command, _ interface: String, _ address: String) throws {
            _ = try gateway.run(
                inside("sh", ["-c", "echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6"]))
            _ = try gateway.run(inside("ip", ["-6", "address", "add", address, "dev", interface, "nodad"]))
        }
        try switchOn(gateway.inBox, "eth0", "fd42::2/64")
        let listener = """
            import socket
            s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(('::', 53)); print('ready', flush=True)
            while True: d, a = s.recvfrom(2048); s.sendto(d, a)
            """
        try gateway.keep(gateway.inGateway("/usr/bin/python3", ["-c", listener]))
        #expect(try passed(gateway, ["udp6:fd42::1:53", "udp6:ff02::1%eth0:53"]).isEmpty)
        // Even with IPv6 on at the gateway's end the filter lets none in.
        try switchOn(gateway.inGateway, "box0", "fd42::1/64")
        #expect(try passed(gateway, ["udp6:fd42::1:53"]).isEmpty)
        _ = try gateway.run(gateway.inGateway("nft", ["flush", "ruleset"]))
        // The failed attempts left half-known neighbours behind.
        _ = try gateway.run(gateway.inBox("ip", ["-6", "neighbour", "flush", "dev", "eth0"]))
        #expect(try passed(gateway, ["udp6:fd42::1:53"]) == ["udp6:fd42::1:53"])
    }

    @Test("no port of the host is reachable, by any of its addresses")
    func hostPorts() throws {
        let gateway = try LiveGateway()
        let port = "23999"
        try gateway.keep(Command("/usr/bin/python3", ["-c", Scripts.everywhere, port]))
        let addresses = try gateway.run(Command("ip", ["-4", "-brief", "address"])).split(separator: "\n")
            .flatMap { $0.split(separator: " ").dropFirst(2) }.map { String($0.split(separator: "/")[0]) }
        let targets = (addresses + ["10.200.1.1", "10.0.2.2"]).flatMap { ["tcp:\($0):\(port)", "udp:\($0):\(port)"] }
        #expect(try passed(gateway, targets).isEmpty)
        let control = try gateway.run(Command("/usr/bin/python3", ["-c", Scripts.probe, "tcp:127.0.0.1:\(port)"]))
        #expect(control == "tcp:127.0.0.1:\(port)")
    }

    @Test("from the gateway's namespace there is no way on: no route but the cable's")
    func noUplink() throws {
        let gateway = try LiveGateway()
        #expect(
            try gateway.run(gateway.inGateway("ip", ["route"]))
                == "10.200.1.0/24 dev box0 proto kernel scope link src 10.200.1.1 ")
    }

    /// Loads a filter behind the guard's back.
    private func load(_ ports: OpenPorts, into gateway: LiveGateway) throws {
        var command = gateway.inGateway("nft", ["-f", "-"])
        command.input = Array(SandboxLink.filter(ports).text.utf8)
        _ = try gateway.run(command)
    }
}
