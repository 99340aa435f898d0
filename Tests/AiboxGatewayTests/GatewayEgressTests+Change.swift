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
    /// What is taken away is gone, however much is under way.
    @Suite("Gateway tightened under load")
    struct TighteningTests {
        /// argv: HTTP port, HTTPS port, workers. Each worker asks for allowed.test over and over: one third with a new connection
        /// each time, one third on one that is kept, one third through a tunnel. Prints `ready`; then, once every worker has
        /// asked, `busy N` with those under way; after a line on its input, once every worker has begun another request since,
        /// a JSON object: for requests begun before and after the line, how many ended with which status.
        private static let workers = """
            import asyncio, collections, json, resource, ssl, sys
            resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
            http, https, count = (int(word) for word in sys.argv[1:])
            context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
            before, after = collections.Counter(), collections.Counter()
            underway = asked = 0; line = False

            async def status(reader):
                head = await reader.readuntil(b'\\r\\n\\r\\n')
                words = head.split(None, 2)
                for field in head.split(b'\\r\\n'):
                    if field.lower().startswith(b'content-length:'): await reader.readexactly(int(field.split(b':')[1]))
                return words[1].decode()

            async def request(kind, link):
                target = b'allowed.test:%d' % (https if kind == 2 else http)
                fresh = not link
                if fresh: link[:] = await asyncio.open_connection('10.200.1.1', 3128, limit=1 << 20)
                reader, writer = link
                if kind == 2 and fresh:
                    writer.write(b'CONNECT %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n' % (target, target))
                    code = await reader.readuntil(b'\\r\\n\\r\\n')
                    if b' 200 ' not in code: return code.split(None, 2)[1].decode()
                    await writer.start_tls(context, server_hostname='allowed.test')
                start = b'/' if kind == 2 else b'http://%s/' % target
                writer.write(b'GET %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n' % (start, target))
                return await status(reader)

            async def worker(kind):
                global underway, asked
                # A kept connection is closed by the change: who meets that asks once more.
                link, first, left = [], True, 3
                while left:
                    book, is_after = (after, True) if line else (before, False)
                    underway += 1
                    try: code = await asyncio.wait_for(request(kind, link), 60)
                    except asyncio.TimeoutError: code = 'silence'
                    except (OSError, asyncio.IncompleteReadError): code = 'closed'
                    underway -= 1
                    book[code] += 1
                    if code != '200' or kind == 0:
                        if link: link[1].transport.abort()
                        link = []
                    if first: asked += 1; first = False
                    if is_after: left = left - 1 if code == 'closed' else 0

            async def main():
                global line
                print('ready', flush=True)
                tasks = [asyncio.create_task(worker(i % 3)) for i in range(count)]
                while asked < count: await asyncio.sleep(0.05)
                print('busy', underway, flush=True)
                await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
                line = True
                await asyncio.gather(*tasks)
                print(json.dumps({'before': before, 'after': after}), flush=True)
            asyncio.run(main())
            """

        @Test("a thousand requests at a time: none that begins after the change gets through, what is open ends")
        func tightened() throws {
            let origin = try Origin()
            let gateway = try LiveGateway(plan: Origin.plan(hosts: ["allowed.test"]))
            try gateway.client.serving()
            let input = try Pipe()
            let service = try gateway.keep(
                gateway.inBox("/usr/bin/python3", ["-c", Self.workers, "\(Origin.http)", "\(Origin.https)", "1000"]),
                input: input.read)
            let busy = try service.nextLine(within: .seconds(120))
            #expect(busy == "busy 1000")
            try gateway.client.change(NetworkChange(.deny, host: "allowed.test", seconds: nil))
            let seen = origin.requests.count
            #expect(seen >= 600, "the control: they did get through")
            try File.writeAll(Array("now\n".utf8), to: input.write, "the workers' input")
            let counts = try JSONParser.parse(Array(try service.nextLine(within: .seconds(120)).utf8))
            let number = { (when: String, status: String) in counts[when]?[status]?.wholeNumber ?? 0 }
            #expect(number("before", "200") >= 1000, "\(counts)")
            #expect(number("after", "200") == 0 && number("after", "silence") == 0, "\(counts)")
            #expect(number("after", "403") == 1000, "\(counts)")
            // What Squid had in hand at that moment may have arrived; nothing else.
            usleep(200_000)
            let late = origin.requests.count
            usleep(300_000)
            #expect(origin.requests.count == late)
            // The record says the same: whatever was allowed had been decided before the change held.
            let events = try gateway.events()
            let change = try #require(events.firstIndex { $0.type == "policy.change" })
            let refused = try #require(
                events.firstIndex { $0.json["details"]?["rule"]?.stringValue == "session-deny" })
            #expect(refused > change)
            let last = try #require(events.lastIndex { $0.type == "network.allow" })
            #expect(events[last...].filter { $0.type == "network.deny" }.count >= 1000)
        }
    }
}
