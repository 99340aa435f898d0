import AiboxAudit
import AiboxContainer
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@Suite("Gateway forward", .serialized)
struct GatewayForwardTests {
    /// A gateway with a server in the place of the sandbox's sshd, and its port as text.
    private func serving(
        name: String = "live", port: UInt16? = nil
    ) throws -> (LiveGateway, LiveGateway.Service, String) {
        let gateway = try LiveGateway(name: name, port: port)
        let server = try gateway.keep(gateway.inBox("/usr/bin/python3", ["-c", Scripts.sandboxServer, name]))
        return (gateway, server, "\(gateway.ready.sshPort)")
    }

    @Test("a megabyte goes in and comes back unchanged; the end of one direction is passed on")
    func echo() throws {
        let (gateway, _, port) = try serving()
        #expect(try gateway.run(Command("/usr/bin/python3", ["-c", Scripts.echoClient, port, "1", "1048576"])) == "1")
        #expect(eventually { (try? gateway.client.status().sshConnections) == 0 })
    }

    @Test("whoever says something is in the audit log, with the bytes of both ways; a greeting alone is no event")
    func audited() throws {
        let (gateway, _, port) = try serving()
        _ = try gateway.run(
            Command(
                "/usr/bin/python3",
                ["-c", "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1]))).close()", port]))
        #expect(try gateway.run(Command("/usr/bin/python3", ["-c", Scripts.echoClient, port, "1", "1048576"])) == "1")
        #expect(eventually { (try? gateway.events("ssh.close").count) == 1 })
        let (opened, closed) = (try gateway.events("ssh.open"), try gateway.events("ssh.close"))
        #expect(opened.count == 1 && opened.first?.subject.hasPrefix("127.0.0.1:") == true)
        #expect(opened.first?.json["details"]?["port"]?.wholeNumber == Int64(port))
        #expect(closed.count == 1 && closed.first?.subject == opened.first?.subject)
        let bytes = ["bytes_in", "bytes_out"].compactMap { closed.first?.json["details"]?[$0]?.wholeNumber }
        #expect(bytes.count == 2 && bytes.allSatisfy { $0 >= 1 << 20 }, "\(bytes)")
        try gateway.process.stop()
        #expect(try gateway.events("gateway.start").count == 1 && gateway.events("gateway.stop").count == 1)
    }

    @Test("a sandbox that ends its direction first still receives all of the other")
    func halfClose() throws {
        let (gateway, server, port) = try serving()
        #expect(try gateway.run(Command("/usr/bin/python3", ["-c", Scripts.lateTalker, port])) == "1048576")
        #expect(try server.nextLine() == "received 524288")
        #expect(eventually { (try? gateway.client.status().sshConnections) == 0 })
    }

    @Test("a hundred connections at once")
    func many() throws {
        let (gateway, _, port) = try serving()
        #expect(
            try gateway.run(
                Command("/usr/bin/python3", ["-c", Scripts.echoClient, port, "100", "65536"]), timeout: .seconds(60))
                == "100")
        #expect(eventually { (try? gateway.client.status().sshConnections) == 0 })
    }

    @Test("a sandbox that does not read costs bounded memory")
    func backPressure() throws {
        let (gateway, _, port) = try serving()
        let before = ProcessTable.residentKilobytes(gateway.ready.pid)
        let taken = try gateway.run(Command("/usr/bin/python3", ["-c", Scripts.pusher, port]))
        #expect(try #require(Int(taken)) < 64 << 20)
        #expect(ProcessTable.residentKilobytes(gateway.ready.pid) - before < 16 << 10)
    }

    @Test("connections beyond the limit are closed at once, the others go on")
    func limit() throws {
        let (gateway, _, port) = try serving()
        let held = try gateway.keep(
            Command(
                "/usr/bin/python3",
                [
                    "-c",
                    """
                    import socket, sys, time
                    cs = [socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20) for _ in range(128)]
                    for c in cs: c.sendall(b'E')
                    time.sleep(1); print('ready', flush=True); time.sleep(600)
                    """, port,
                ]))
        #expect(try gateway.run(Command("/usr/bin/python3", ["-c", Scripts.ask, port, "T"])) == "closed")
        #expect(try gateway.client.status().sshConnections == 128)
        kill(held.pid, SIGKILL)
        #expect(eventually { (try? gateway.client.status().sshConnections) == 0 })
        #expect(try gateway.run(Command("/usr/bin/python3", ["-c", Scripts.ask, port, "T"])) == "live")
    }

    @Test("with nothing listening inside, the connection is closed and the gateway lives")
    func nobodyHome() throws {
        let gateway = try LiveGateway()
        #expect(
            try gateway.run(Command("/usr/bin/python3", ["-c", Scripts.ask, "\(gateway.ready.sshPort)", "T"]))
                == "closed")
        #expect(gateway.log.contains("connection into the sandbox failed"))
        #expect(try gateway.client.status().sshConnections == 0)
    }

    @Test("with a sandbox that swallows everything, the connection is given up after five seconds")
    func silence() throws {
        let gateway = try LiveGateway()
        var filter = gateway.inBox("nft", ["-f", "-"])
        filter.input = Array("table ip t { chain c { type filter hook input priority 0; policy drop; }; }".utf8)
        _ = try gateway.run(filter)
        let start = ContinuousClock.now
        let answer = try gateway.run(
            Command("/usr/bin/python3", ["-c", Scripts.ask, "\(gateway.ready.sshPort)", "T"]))
        #expect(answer == "closed")
        #expect((.seconds(4) ... .seconds(60)).contains(ContinuousClock.now - start))
    }

    @Test("the port is on the loopback only")
    func loopbackOnly() throws {
        let gateway = try LiveGateway()
        let listening = try gateway.run(Command("ss", ["-Hltn", "sport", "=", ":\(gateway.ready.sshPort)"]))
        #expect(listening.split(separator: "\n").count == 1)
        #expect(listening.contains("127.0.0.1:\(gateway.ready.sshPort)"))
    }

    @Test("a second sandbox gets the next port, its own server, and cannot reach the first")
    func siblings() throws {
        let (first, _, firstPort) = try serving(name: "first")
        let (second, _, secondPort) = try serving(name: "second", port: first.ready.sshPort)
        #expect(second.ready.sshPort > first.ready.sshPort)
        #expect(try first.run(Command("/usr/bin/python3", ["-c", Scripts.ask, firstPort, "T"])) == "first")
        #expect(try first.run(Command("/usr/bin/python3", ["-c", Scripts.ask, secondPort, "T"])) == "second")
        // From inside, the one address there is belongs to the asker; neither host port is reachable.
        let targets = [firstPort, secondPort].flatMap { port in
            ["127.0.0.1", "10.200.1.1"].map { "tcp:\($0):\(port)" }
        }
        #expect(try first.run(second.inBox("/usr/bin/python3", ["-c", Scripts.probe] + targets)).isEmpty)
        try first.process.stop()
        #expect(try second.run(Command("/usr/bin/python3", ["-c", Scripts.ask, secondPort, "T"])) == "second")
    }

    @Test("a port that somebody else has is left alone")
    func takenPort() throws {
        let free = try LiveGateway()
        let taken = free.ready.sshPort
        let other = try LiveGateway(port: taken)
        #expect(other.ready.sshPort > taken)
        try free.process.stop()
        let again = try LiveGateway(port: taken)
        #expect(again.ready.sshPort == taken)
    }
}
