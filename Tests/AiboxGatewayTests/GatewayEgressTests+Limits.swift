import AiboxAudit
import AiboxContainer
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

// One after the other with the tests of the way out: they share the origin.
extension GatewayEgressTests {
    /// A rule's limits hold for every way in and through.
    @Suite("Gateway limits")
    struct LimitTests {
        /// Each way has a host and port of its own, and so a rule of its own.
        private static let ways: [(id: String, host: String, port: UInt16, inspects: Bool)] = [
            ("proxy-http", "slow.test", Origin.http, false), ("proxy-tunnel", "slow.test", Origin.https, false),
            ("direct-http", "slow.test", 80, false), ("direct-tls", "slow.test", 443, false),
            ("inspected", "api.allowed.test", Origin.https, true),
        ]

        private static func rules(requests: Int? = nil, connections: Int? = nil) -> [AllowRuleSource] {
            ways.map { way in
                AllowRuleSource(
                    id: way.id, hosts: [way.host], ports: [Int(way.port)],
                    schemes: [way.port == 80 || way.port == Origin.http ? "http" : "https"],
                    inspect: way.inspects ? true : nil, requestsPerMinute: requests, connections: connections)
            }
        }

        /// argv: way, host, port, count. Begins so many requests, one after the other, and keeps all of them; prints what came back:
        /// a status, `alert` for a refusal in TLS, `open` for a tunnel or a request that goes on. On a line of its input it closes the
        /// first one, waits until another one may begin, and prints that.
        private static let asker = """
            import socket, ssl, sys, time
            way, host, port, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
            context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
            place = '%s:%d' % (host, port)
            def head(link):
                data = b''
                while b'\\r\\n\\r\\n' not in data:
                    block = link.recv(4096)
                    if not block: return 'closed'
                    data += block
                return data.split()[1].decode()
            held = []
            def begin():
                link = socket.create_connection(('10.200.1.1', port if way.startswith('direct') else 3128), 20)
                held.append(link)
                if way.endswith('http'):
                    target = '/slow/60' if way == 'direct-http' else 'http://%s/slow/60' % place
                    link.sendall(('GET %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n' % (target, place)).encode())
                    status = head(link)
                    # Nobody serves the origin's port 80: Squid says so.
                    return 'open' if status in ('200', '503') else status
                if way != 'direct-tls':
                    link.sendall(('CONNECT %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n' % (place, place)).encode())
                    status = head(link)
                    if status != '200': return status
                try: held.append(context.wrap_socket(link, server_hostname=host))
                except ssl.SSLError as error: return 'alert' if 'UNRECOGNIZED' in str(error).upper() else 'open'
                except OSError: pass
                return 'open'
            print('ready', flush=True)
            print(*[begin() for i in range(count)], flush=True)
            if sys.stdin and sys.stdin.readline():
                for link in held[:2] if way in ('proxy-tunnel', 'inspected') else held[:1]: link.close()
                for i in range(200):
                    last = begin()
                    if last == 'open': break
                    time.sleep(0.1)
                print(last, flush=True)
            """

        private func ask(_ gateway: LiveGateway, _ index: Int, _ count: Int, input: Descriptor? = nil) throws
            -> LiveGateway.Service
        {
            let way = Self.ways[index]
            return try gateway.keep(
                gateway.inBox("/usr/bin/python3", ["-c", Self.asker, way.id, way.host, "\(way.port)", "\(count)"]),
                input: input)
        }

        private func refusals(_ gateway: LiveGateway, _ rule: String, _ code: EgressDenial.Code) throws -> Int {
            try gateway.events("network.deny").compactMap { $0.json["details"] }.filter {
                $0["rule"]?.stringValue == rule && $0["code"]?.stringValue == code.rawValue
            }.count
        }

        @Test("requests in a minute: so many and no more, one record a refusal, each rule for itself")
        func requests() throws {
            let origin = try Origin()
            let gateway = try LiveGateway(plan: Origin.plan(Self.rules(requests: 3)))
            try gateway.client.serving()
            for (index, way) in Self.ways.enumerated() {
                let refused = way.id == "direct-tls" ? "alert" : "429"
                let answers = try ask(gateway, index, 5).nextLine()
                #expect(answers == "open open open \(refused) \(refused)", "\(way.id)")
                #expect(try refusals(gateway, way.id, .rateLimited) == 2, "\(way.id)")
            }
            #expect(origin.requests.filter { $0.contains("/slow/60") }.count == 3)
        }

        @Test("connections at a time: so many and no more, and one that ends makes room")
        func connections() throws {
            let origin = try Origin()
            let gateway = try LiveGateway(plan: Origin.plan(Self.rules(connections: 2)))
            try gateway.client.serving()
            // What goes to ports that nobody serves ends at once and proves nothing here.
            for (index, way) in Self.ways.enumerated() where way.port != 80 && way.port != 443 {
                let input = try Pipe()
                let service = try ask(gateway, index, 4, input: input.read)
                let answers = try service.nextLine()
                #expect(answers == "open open 429 429", "\(way.id)")
                #expect(try refusals(gateway, way.id, .tooManyConnections) == 2, "\(way.id)")
                try File.writeAll(Array("more\n".utf8), to: input.write, "the client's input")
                #expect(try service.nextLine() == "open", "\(way.id)")
            }
            #expect(origin.requests.filter { $0.contains("/slow/60") }.count == 3)
        }
    }
}
