import AiboxContainer
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

// One after the other with the tests of the way out: they share the origin.
extension GatewayEgressTests {
    /// A sandbox that does its worst to its gateway: bounded memory, no effect on anybody else, and all well afterwards.
    @Suite("Gateway under load")
    struct LoadTests {
        /// argv: count, a multiple of a thousand. Opens so many connections to the gateway's doors, one in four with half a
        /// request, and holds them. Prints `ready`, and after each thousand how many it has.
        private static let idlers = """
            import resource, socket, sys, time
            resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
            print('ready', flush=True); held = []
            for i in range(1, int(sys.argv[1]) + 1):
                s = socket.socket(); s.settimeout(1)
                try:
                    s.connect(('10.200.1.1', (3128, 80, 443)[i % 3]))
                    if i % 4 == 0: s.send(b'GET http://allowed.test/ HTTP/1.1\\r\\nHost')
                    held.append(s)
                except OSError: s.close()
                if i % 1000 == 0: print(len(held), flush=True)
            time.sleep(600)
            """

        /// argv: seconds. Throws random bytes, broken heads and broken hellos at every door until the time is over; prints how many.
        private static let noise = """
            import os, random, socket, sys, time
            heads = [b'CONNECT allowed.test:443 HTTP/1.1\\r\\n', b'GET http://' + b'a' * 9000, b'\\x16\\x03\\x01\\xff\\xff\\x01',
                     b'\\x16\\x03\\x01\\x00\\x05\\x01\\x00\\x00\\x01\\x03', b'GET / HTTP/1.1\\r\\nHost: ' + b'\\xff' * 300 + b'\\r\\n\\r\\n',
                     b'POST http://allowed.test/ HTTP/1.1\\r\\nHost: allowed.test\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nzz', b'']
            end, n = time.monotonic() + float(sys.argv[1]), 0
            while time.monotonic() < end:
                s = socket.socket(); s.settimeout(0.2)
                try:
                    s.connect(('10.200.1.1', random.choice((3128, 80, 443))))
                    s.send(random.choice(heads) + os.urandom(random.randrange(0, 3000))); n += 1
                    if n % 8 == 0: s.recv(100)
                except OSError: pass
                s.close()
            print(n)
            """

        private func status(_ gateway: LiveGateway, _ origin: Origin) throws -> String {
            let result = try SystemCommandRunner().run(
                gateway.inBox(
                    "curl",
                    [
                        "-sS", "-o", "/dev/null", "-m", "10", "-x", "http://10.200.1.1:3128", "-w", "%{http_code}",
                        "http://allowed.test:\(Origin.http)/",
                    ]))
            return result.text
        }

        @Test("ten thousand idle connections: memory is bounded, the other sandbox notices nothing, and it recovers")
        func idle() throws {
            let origin = try Origin()
            let busy = try LiveGateway(plan: Origin.plan())
            let other = try LiveGateway(name: "other", plan: Origin.plan())
            for gateway in [busy, other] { try gateway.client.serving() }
            let before = ProcessTable.residentKilobytes(busy.ready.pid)
            let service = try busy.keep(busy.inBox("/usr/bin/python3", ["-c", Self.idlers, "10000"]))
            let counts = try (0..<10).map { _ in try #require(Int(try service.nextLine())) }
            #expect(counts.last.map { $0 >= 1000 } == true, "\(counts)")
            let growth = ProcessTable.residentKilobytes(busy.ready.pid) - before
            #expect(growth < 64 << 10, "grew by \(growth) KiB")
            #expect(try status(other, origin) == "200")
            #expect(try busy.client.status().cutOff == nil, "it still answers its owner")
            kill(service.pid, SIGKILL)
            #expect(eventually { (try? status(busy, origin)) == "200" })
        }

        @Test("five seconds of noise: nothing falls over, nothing gets through, memory is bounded")
        func noise() throws {
            let origin = try Origin()
            let gateway = try LiveGateway(plan: Origin.plan())
            try gateway.client.serving()
            let before = ProcessTable.residentKilobytes(gateway.ready.pid)
            let thrown = try gateway.run(gateway.inBox("/usr/bin/python3", ["-c", Self.noise, "5"]))
            #expect(try #require(Int(thrown)) > 100)
            #expect(ProcessTable.residentKilobytes(gateway.ready.pid) - before < 64 << 10)
            #expect(origin.requests.isEmpty)
            #expect(try status(gateway, origin) == "200")
        }
    }
}
