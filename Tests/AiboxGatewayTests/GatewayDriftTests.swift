import AiboxContainer
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxGateway

/// A gateway's namespace that somebody changed from outside: the sandbox is cut off, it is told, and only a command repairs.
@Suite("Gateway drift", .serialized)
struct GatewayDriftTests {
    struct Change: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var command: [String]
        var says: String
    }

    static let changes: [Change] = [
        Change(testDescription: "the ruleset flushed", command: ["nft", "flush", "ruleset"], says: "is missing"),
        Change(
            testDescription: "a chain flushed", command: ["nft", "flush", "chain", "inet", "aibox", "prerouting"],
            says: "pre.source is missing"),
        Change(
            testDescription: "a rule added in front",
            command: ["nft", "insert", "rule", "inet", "aibox", "input", "accept"], says: "foreign rule"),
        Change(
            testDescription: "a policy changed",
            command: ["nft", "chain", "inet", "aibox", "input", "{ policy accept; }"], says: "policy accept"),
        Change(
            testDescription: "another table", command: ["nft", "add", "table", "ip", "other"], says: "foreign table"),
        Change(
            testDescription: "forwarding switched on",
            command: ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"], says: "ip_forward is 1"),
        Change(
            testDescription: "IPv6 switched on",
            command: ["sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6"], says: "disable_ipv6 is 0"),
        Change(
            testDescription: "an uplink", command: ["ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1"],
            says: "foreign interface up0"),
    ]

    private func reaches(_ gateway: LiveGateway) throws -> Bool {
        let port = "\(gateway.ready.sshPort)"
        return try gateway.run(Command("/usr/bin/python3", ["-c", Scripts.ask, port, "T"])) == "live"
    }

    @Test("cuts the sandbox off, is told and audited", arguments: changes)
    func cut(change: Change) throws {
        let gateway = try LiveGateway()
        try gateway.keep(gateway.inBox("/usr/bin/python3", ["-c", Scripts.sandboxServer, "live"]))
        try #require(try reaches(gateway))
        _ = try gateway.run(gateway.inGateway(change.command[0], Array(change.command.dropFirst())))
        // The guard looks every three seconds; a change of the ruleset it hears of at once.
        #expect(eventually { (try? gateway.client.status().cutOff) != nil })
        let reason = try #require(try gateway.client.status().cutOff)
        #expect(reason.contains(change.says), "\(reason)")
        #expect(try !reaches(gateway))
        let link = try gateway.run(gateway.inGateway("ip", ["-brief", "link", "show", "box0"]))
        #expect(link.contains("DOWN"), "\(link)")
        let events = try audited(gateway)
        #expect(events.filter { $0.contains("gateway.cutoff") && $0.contains(#""layer":"packet filter""#) }.count == 1)
    }

    @Test("nothing but the command repairs: not time, not readdress, not a rule that comes back")
    func stays() throws {
        let gateway = try LiveGateway()
        try gateway.keep(gateway.inBox("/usr/bin/python3", ["-c", Scripts.sandboxServer, "live"]))
        let rules = try gateway.run(gateway.inGateway("nft", ["list", "ruleset"]))
        _ = try gateway.run(gateway.inGateway("nft", ["add", "table", "ip", "other"]))
        #expect(eventually { (try? gateway.client.status().cutOff) != nil })
        _ = try gateway.run(gateway.inGateway("nft", ["delete", "table", "ip", "other"]))
        try gateway.client.readdress()
        usleep(500_000)
        #expect(try gateway.client.status().cutOff != nil)
        #expect(try !reaches(gateway))

        try gateway.client.repair()
        #expect(try gateway.client.status().cutOff == nil)
        #expect(try reaches(gateway))
        #expect(
            try gateway.run(gateway.inGateway("nft", ["list", "ruleset"])).split(separator: "\n").count
                == rules.split(separator: "\n").count)
        #expect(try audited(gateway).contains { $0.contains("gateway.repair") })
        // And the guard is on its post again.
        _ = try gateway.run(gateway.inGateway("nft", ["flush", "ruleset"]))
        #expect(eventually { (try? gateway.client.status().cutOff) != nil })
    }

    @Test("what cannot be repaired stays cut off and says so")
    func foreignLink() throws {
        let gateway = try LiveGateway()
        _ = try gateway.run(gateway.inGateway("ip", ["link", "add", "up0", "type", "veth", "peer", "name", "up1"]))
        #expect(eventually { (try? gateway.client.status().cutOff) != nil })
        let error = #expect(throws: AiboxError.self) { try gateway.client.repair() }
        #expect(error?.why?.contains("up0") == true, "\(String(describing: error))")
        #expect(try gateway.client.status().cutOff != nil)
    }

    @Test("repairing a sandbox that is connected changes nothing")
    func nothingToDo() throws {
        let gateway = try LiveGateway()
        try gateway.client.repair()
        #expect(try gateway.client.status().cutOff == nil)
        #expect(try !audited(gateway).contains { $0.contains("gateway.repair") })
    }

    @Test("connections that were open are closed")
    func openConnections() throws {
        let gateway = try LiveGateway()
        try gateway.keep(gateway.inBox("/usr/bin/python3", ["-c", Scripts.sandboxServer, "live"]))
        let hold = """
            import socket, sys
            c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20); c.sendall(b'H'); c.settimeout(8)
            print('ready', flush=True)
            try: print('closed' if c.recv(1) == b'' else 'data', flush=True)
            except ConnectionError: print('closed', flush=True)
            except TimeoutError: print('open', flush=True)
            """
        let client = try gateway.keep(Command("/usr/bin/python3", ["-c", hold, "\(gateway.ready.sshPort)"]))
        #expect(eventually { (try? gateway.client.status().sshConnections) == 1 })
        _ = try gateway.run(gateway.inGateway("nft", ["flush", "ruleset"]))
        #expect(try client.nextLine() == "closed")
    }

    private func audited(_ gateway: LiveGateway) throws -> [String] {
        let folder = gateway.runFolder + ".audit"
        // The cut comes first, its record a moment later.
        usleep(200_000)
        return try Folder.names(folder).filter { $0.hasSuffix(".jsonl") }.flatMap {
            try File.text(folder + "/" + $0).split(separator: "\n").map(String.init)
        }
    }
}
