import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

/// The filter in the kernel: applied by nft, read back by us, attacked by hand.
@Suite("The packet filter in the kernel", .serialized)
struct FilterDriftTests {
    static let rules = FilterRuleset()

    /// As root without a user namespace, and inside one: rootful and rootless sandboxes.
    static let kinds: [Bool] = UserIdentity.current.isRoot ? [false, true] : [true]

    static func apply(_ text: String, in network: NetworkNamespace) throws {
        let command = Command("nft", ["-f", "-"], input: Array(text.utf8))
        try SystemCommandRunner().require(network.command(command), "nft refuses the ruleset")
    }

    @Test("what was applied is read back without a difference, rootful and rootless", arguments: kinds)
    func readBack(user: Bool) throws {
        let network = try NetworkNamespace(user: user)
        try Self.apply(Self.rules.text, in: network)
        let reader = try network.filterReader()
        let snapshot = try reader.read()
        #expect(FilterDrift(expected: Self.rules, actual: snapshot, baseline: snapshot).description == "")
        #expect(snapshot.chains.map(\.name) == Self.rules.chains.map(\.name))
        #expect(snapshot.rules.map(\.comment) == Self.rules.chains.flatMap(\.rules).map(\.id))
        #expect(snapshot.rules.allSatisfy { !$0.expressions.isEmpty })
        #expect(try Set(reader.counters().map(\.name)) == Set(Self.rules.counters))
    }

    @Test(
        "every way to loosen it is found",
        arguments: [
            "flush ruleset", "delete table inet aibox", "flush chain inet aibox prerouting", "flush table inet aibox",
            "chain inet aibox input { policy accept; }", "insert rule inet aibox prerouting accept",
            "insert rule inet aibox output accept comment \"out.lo\"", "add rule inet aibox input tcp dport 22 accept",
            "add table inet other { chain x { type nat hook prerouting priority -100; policy accept; }; }",
            "add chain inet aibox extra { type filter hook prerouting priority -300; policy accept; }",
            "replace rule inet aibox input handle HANDLE accept comment \"in.tcp-443\"",
            "delete rule inet aibox prerouting handle PREHANDLE",
        ])
    func drift(change: String) throws {
        let network = try NetworkNamespace()
        try Self.apply(Self.rules.text, in: network)
        let reader = try network.filterReader()
        let baseline = try reader.read()
        var change = change
        if change.contains("HANDLE") {
            let listing = try network.run("nft", ["-a", "list", "ruleset"])
            func handle(_ comment: String) -> String {
                listing.split(separator: "\n").first { $0.contains("comment \"\(comment)\"") }?.split(separator: " ")
                    .last.map(String.init) ?? ""
            }
            change = change.replacing("PREHANDLE", with: handle("pre.foreign-tcp")).replacing(
                "HANDLE", with: handle("in.tcp-443"))
        }
        try Self.apply(change + "\n", in: network)
        let drift = FilterDrift(expected: Self.rules, actual: try reader.read(), baseline: baseline)
        #expect(!drift.isEmpty, "\(change)")
        try Self.apply(Self.rules.text, in: network)
        #expect(
            FilterDrift(expected: Self.rules, actual: try reader.read(), baseline: baseline).description == "",
            "repaired")
    }

    @Test(
        "a sandbox reaches the listed ports of its gateway and nothing else; every refusal is counted", arguments: kinds
    )
    func containment(user: Bool) throws {
        // The gateway's namespace, with a listener on every address; the box has a route for everything to it.
        let gateway = try NetworkNamespace(user: user)
        let box = try gateway.sibling()
        try gateway.connect("box0", "10.200.1.1/24", to: box, "eth0", "10.200.1.2/24")
        try gateway.run("ip", ["addr", "add", "198.51.100.10/32", "dev", "lo"])
        try box.run("ip", ["route", "add", "default", "via", "10.200.1.1"])
        let server = try LabProcess(
            gateway.command(Command("python3", [Probe.program, "serve", "3128", "22", "8444"])), ready: "ready")
        defer { server.stop() }
        let probes: [(what: String, arguments: [String], allowed: Bool, counter: String?)] = [
            ("the proxy", ["tcp", "10.200.1.1", "3128"], true, "allowed_tcp_3128"),
            ("the broker", ["tcp", "10.200.1.1", "8444"], true, "allowed_tcp_8444"),
            ("another port of the gateway", ["tcp", "10.200.1.1", "22"], false, "denied_port_tcp"),
            ("a foreign address that the gateway has", ["tcp", "198.51.100.10", "3128"], false, "denied_foreign_tcp"),
            ("a foreign address", ["tcp", "203.0.113.7", "443"], false, "denied_foreign_tcp"),
            ("the metadata address", ["tcp", "169.254.169.254", "80"], false, "denied_foreign_tcp"),
            ("UDP to a foreign address", ["udp", "203.0.113.7", "443"], false, "denied_foreign_udp"),
            ("UDP to another port", ["udp", "10.200.1.1", "3128"], false, "denied_port_udp"),
            ("another source address", ["tcp-from", "10.200.1.77", "10.200.1.1", "3128"], false, "denied_source"),
            ("ping", ["ping", "203.0.113.7"], false, "denied_foreign_other"),
            ("ping to the gateway", ["ping", "10.200.1.1"], false, "denied_port_other"),
            ("IPv6", ["tcp6", "fe80::1%eth0", "3128"], false, "denied_ipv6"),
        ]
        try box.run("ip", ["addr", "add", "10.200.1.77/24", "dev", "eth0"])
        // The control: without a filter the same probes succeed (those that anybody answers).
        for probe in probes
        where probe.arguments[0] == "tcp" && ["10.200.1.1", "198.51.100.10"].contains(probe.arguments[1]) {
            #expect(try Probe.run(probe.arguments, in: box), "control: \(probe.what)")
        }
        try Self.apply(Self.rules.text, in: gateway)
        let reader = try gateway.filterReader()
        for probe in probes {
            let before = try FilterSnapshot(counters: reader.counters()).packets
            #expect(try Probe.run(probe.arguments, in: box) == probe.allowed, "\(probe.what)")
            let after = try FilterSnapshot(counters: reader.counters()).packets
            if let counter = probe.counter {
                #expect((after[counter] ?? 0) > (before[counter] ?? 0), "\(probe.what): \(counter) did not count")
            }
        }
        #expect(try FilterDrift(expected: Self.rules, actual: reader.read()).description == "")
        try Self.apply(FilterRuleset.closed, in: gateway)
        #expect(try !Probe.run(["tcp", "10.200.1.1", "3128"], in: box), "closed is closed")
    }
}

/// `Tests/lab/probe.py`.
enum Probe {
    static let program = (0..<2).reduce(#filePath) { path, _ in Path.parent(path) } + "/lab/probe.py"

    /// True if the probe got an answer.
    static func run(_ arguments: [String], in network: NetworkNamespace) throws -> Bool {
        try SystemCommandRunner().run(network.command(Command("python3", [program] + arguments)), timeout: .seconds(20))
            .succeeded
    }
}

extension NetworkNamespace {
    /// A reader whose socket was opened inside.
    func filterReader() throws -> FilterReader {
        FilterReader(
            try openSocket(family: AF_NETLINK, type: Int32(SOCK_RAW.rawValue), protocol: FilterReader.netlinkProtocol))
    }
}
