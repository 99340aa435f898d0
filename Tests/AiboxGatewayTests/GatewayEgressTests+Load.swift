import AiboxAudit
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

        /// argv: questions a second, seconds. Asks the resolver that often, one question in four no DNS at all or broken; prints how
        /// many were sent and how many answers came, in a line each second.
        private static let questions = """
            import os, random, socket, struct, sys, time
            rate, seconds = int(sys.argv[1]), int(sys.argv[2])
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('10.200.1.1', 53)); s.setblocking(False)
            def name(text): return b''.join(bytes([len(p)]) + p for p in text.split(b'.')) + b'\\0'
            def query(text, kind=1): return struct.pack('!6H', random.getrandbits(16), 0x100, 1, 0, 0, 0) + name(text) + struct.pack('!2H', kind, 1)
            loop = struct.pack('!6H', 1, 0x100, 1, 0, 0, 0) + b'\\xc0\\x0c\\0\\1\\0\\1'
            broken = [lambda: os.urandom(random.randrange(1, 1400)), lambda: b'', lambda: loop, lambda: query(b'allowed.test')[:random.randrange(1, 20)],
                      lambda: b'\\xff' * 12, lambda: struct.pack('!6H', 7, 0x2800, 65535, 65535, 65535, 65535) + b'\\x3f' * 1000,
                      lambda: query(b'a' * 63 + b'.' + b'b' * 63 + b'.test', 255), lambda: query(b'allowed.test')[:-2] + b'\\0\\xfe']
            print('ready', flush=True); sent = answers = 0; start = time.monotonic()
            for second in range(seconds):
                for part in range(100):
                    for i in range(rate // 100):
                        packet = random.choice(broken)() if i % 4 == 0 else query(b'allowed.test' if i % 4 == 1 else b'%d.secret%d.test' % (sent, second))
                        try: s.send(packet); sent += 1
                        except OSError: pass
                    try:
                        while s.recv(2048): answers += 1
                    except OSError: pass
                    time.sleep(max(0, start + second + (part + 1) / 100 - time.monotonic()))
                print(sent, answers, flush=True)
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

        @Test("ten thousand questions a second for ten seconds: memory is bounded, the other sandbox notices nothing")
        func questions() throws {
            let origin = try Origin()
            let busy = try LiveGateway(plan: Origin.plan())
            let other = try LiveGateway(name: "other", plan: Origin.plan())
            for gateway in [busy, other] { try gateway.client.serving() }
            let resolver = try #require(GatewayEgressTests.resolver(busy))
            let measured = [busy.ready.pid, busy.holderPid, resolver]
            let before = measured.map(ProcessTable.residentKilobytes)
            let service = try busy.keep(busy.inBox("/usr/bin/python3", ["-c", Self.questions, "10000", "10"]))
            for second in 1...10 {
                let words = try service.nextLine().split(separator: " ").compactMap { Int($0) }
                if second == 5 {
                    #expect(try status(other, origin) == "200")
                    #expect(try busy.client.status().cutOff == nil)
                }
                if second == 10 { #expect(words.count == 2 && words[0] >= 90_000 && words[1] > 0, "\(words)") }
            }
            for (before, pid) in zip(before, measured) {
                let growth = ProcessTable.residentKilobytes(pid) - before
                #expect(ProcessTable.isAlive(pid) && growth < 32 << 10, "process \(pid) grew by \(growth) KiB")
            }
            #expect(eventually { (try? status(busy, origin)) == "200" })
            let dig = busy.inBox("dig", ["+time=2", "+tries=1", "+short", "@10.200.1.1", "allowed.test"])
            #expect(eventually { (try? SystemCommandRunner().run(dig).text) == "10.200.1.1" })
            // A flood of questions is no flood of events.
            let told = try busy.events("dns.response")
            #expect(told.count > 100 && told.count < 10_000, "\(told.count) events")
        }
    }
}
