import AiboxContainer
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

/// `aibox port-forward` at the gateway: from a port of the host to a server in the sandbox, and nothing more.
@Suite("Forwarded ports", .serialized)
struct PortForwardsTests {
    /// A server in the sandbox on `port` that answers with a word.
    private func serve(_ gateway: LiveGateway, _ port: UInt16) throws {
        let program = """
            import socket, sys
            s = socket.socket(); s.bind(('0.0.0.0', int(sys.argv[1]))); s.listen(16); print('ready', flush=True)
            while True: c, _ = s.accept(); c.recv(1); c.sendall(b'port ' + sys.argv[1].encode()); c.close()
            """
        try gateway.keep(gateway.inBox("/usr/bin/python3", ["-c", program, "\(port)"]))
    }

    private func ask(_ gateway: LiveGateway, _ port: UInt16) throws -> String {
        let script = """
            import socket, sys
            try:
                c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10); c.sendall(b'x')
                print(c.recv(100).decode() or 'closed')
            except OSError as e: print(type(e).__name__)
            """
        return try gateway.run(Command("/usr/bin/python3", ["-c", script, "\(port)"]))
    }

    private func hostPort(_ gateway: LiveGateway) -> UInt16 { gateway.ready.sshPort + 5 }

    @Test("a port is reachable while it is forwarded, and only that one")
    func forward() throws {
        let gateway = try LiveGateway()
        let host = hostPort(gateway)
        try serve(gateway, 3000)
        try serve(gateway, 3001)
        #expect(try ask(gateway, host) == "ConnectionRefusedError")
        try gateway.client.forward(3000, hostPort: host)
        #expect(try ask(gateway, host) == "port 3000")
        #expect(try gateway.client.status().forwards == [ForwardedPort(port: 3000, hostPort: host)])
        // On the loopback alone.
        let listening = try gateway.run(Command("ss", ["-Hltn", "sport", "=", ":\(host)"])).split(separator: "\n")
        #expect(listening.count == 1 && listening[0].contains("127.0.0.1:\(host)"))
        // The gateway's namespace may open this port of the sandbox, and no other but SSH's.
        let rules = try gateway.run(gateway.inGateway("nft", ["list", "chain", "inet", "aibox", "output"]))
        #expect(rules.contains("dport 3000") && !rules.contains("3001"), "\(rules)")
        #expect(try gateway.client.status().cutOff == nil, "our own change is no drift")

        try gateway.client.forward(3001, hostPort: host + 1)
        #expect(try ask(gateway, host + 1) == "port 3001")
        try gateway.client.endForward(3000)
        #expect(try ask(gateway, host) == "ConnectionRefusedError")
        #expect(try ask(gateway, host + 1) == "port 3001")
        #expect(isFree(host))
        let left = try gateway.run(gateway.inGateway("nft", ["list", "chain", "inet", "aibox", "output"]))
        #expect(!left.contains("dport 3000") && left.contains("dport 3001"))
        let events = try Folder.names(gateway.runFolder + ".audit").filter { $0.hasSuffix(".jsonl") }.flatMap {
            try File.text(gateway.runFolder + ".audit/" + $0).split(separator: "\n")
        }
        #expect(events.filter { $0.contains("portforward.open") }.count == 2)
        #expect(events.filter { $0.contains("portforward.close") && $0.contains("3000") }.count == 1)
    }

    @Test("what cannot be forwarded is refused in words and leaves no door")
    func refused() throws {
        let gateway = try LiveGateway()
        let host = hostPort(gateway)
        let before = try gateway.run(gateway.inGateway("nft", ["list", "ruleset"]))
        func why(_ port: UInt16, _ host: UInt16) -> String {
            do {
                try gateway.client.forward(port, hostPort: host)
                return "forwarded"
            } catch { return error.why ?? "" }
        }
        #expect(why(2222, host).contains("SSH"))
        #expect(why(3000, gateway.ready.sshPort).contains("in use"))
        #expect(throws: AiboxError.self) { try gateway.client.endForward(3000) }
        #expect(try gateway.run(gateway.inGateway("nft", ["list", "ruleset"])) == before)
        #expect(try gateway.client.status().forwards.isEmpty)
        try gateway.client.forward(3000, hostPort: host)
        #expect(why(3000, host + 1).contains("already"))
        let base: UInt16 = geteuid() == 0 ? 7000 : 7100
        for port in UInt16(4000)..<4031 { try gateway.client.forward(port, hostPort: port + base) }
        #expect(why(5000, host + 2).contains("32"))
    }

    @Test("the end of the gateway, and a cut, close them")
    func closed() throws {
        let gateway = try LiveGateway()
        let host = hostPort(gateway)
        try serve(gateway, 3000)
        try gateway.client.forward(3000, hostPort: host)
        _ = try gateway.run(gateway.inGateway("nft", ["flush", "ruleset"]))
        #expect(eventually { (try? gateway.client.status().cutOff) != nil })
        #expect(["closed", "ConnectionResetError"].contains(try ask(gateway, host)))
        try gateway.client.repair()
        #expect(try ask(gateway, host) == "port 3000", "what was forwarded is so again")
        try gateway.process.stop()
        #expect(isFree(host))
    }
}
