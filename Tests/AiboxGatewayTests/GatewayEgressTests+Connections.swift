import AiboxAudit
import AiboxContainer
import AiboxNetwork
import AiboxTestSupport
import AiboxWire
import Testing

// One after the other with the tests of the way out: they share the origin.
extension GatewayEgressTests {
    /// What clients do with a connection to the proxy port that curl does not.
    @Suite("Gateway connections")
    struct ConnectionTests {
        private func python(_ gateway: LiveGateway, _ script: String) throws -> String {
            try gateway.run(gateway.inBox("/usr/bin/python3", ["-c", script]))
        }

        @Test("a connection that carried a plain request carries a tunnel next")
        func tunnelAfterRequest() throws {
            let origin = try Origin()
            let gateway = try LiveGateway(plan: Origin.plan())
            try gateway.client.serving()
            let status = try python(
                gateway,
                """
                import http.client, ssl
                link = http.client.HTTPConnection("10.200.1.1", 3128, timeout=20)
                link.request("GET", "http://allowed.test:\(Origin.http)/")
                answer = link.getresponse(); answer.read(); print(answer.status)
                link.sock.sendall(b"CONNECT allowed.test:\(Origin.https) HTTP/1.1\\r\\nHost: allowed.test:\(Origin.https)\\r\\n\\r\\n")
                head = b""
                while b"\\r\\n\\r\\n" not in head: head += link.sock.recv(1)
                context = ssl.create_default_context(cafile="\(origin.authority)")
                inner = context.wrap_socket(link.sock, server_hostname="allowed.test")
                inner.sendall(b"GET / HTTP/1.1\\r\\nHost: allowed.test\\r\\nConnection: close\\r\\n\\r\\n")
                print(inner.recv(4096).split()[1].decode())
                """)
            #expect(status == "200\n200")
            #expect(try gateway.events("network.allow").map(\.subject) == ["allowed.test:18080", "allowed.test:18443"])
            #expect(try gateway.events("network.deny").isEmpty)
        }

        @Test("every CONNECT whose client leaves without a ClientHello is one event")
        func abandoned() throws {
            let gateway = try LiveGateway(plan: Origin.plan())
            try gateway.client.serving()
            // By threes: gone at once, gone with a reset, gone after the answer.
            _ = try python(
                gateway,
                """
                import socket, struct
                for i in range(30):
                    with socket.create_connection(("10.200.1.1", 3128), 20) as link:
                        if i % 3 == 1: link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        link.sendall(b"CONNECT allowed.test:443 HTTP/1.1\\r\\nHost: allowed.test:443\\r\\n\\r\\n")
                        if i % 3: assert b" 200 " in link.recv(4096)
                """)
            func count(_ type: String) -> Int { (try? gateway.events(type).count) ?? 0 }
            #expect(eventually { count("network.deny") + count("network.allow") == 30 })
            // Those that were answered, and those that left before.
            #expect(count("network.allow") >= 20)
            #expect(eventually { count("network.end") == count("network.allow") })
            let denied = try gateway.events("network.deny")
            #expect(denied.allSatisfy { $0.json["details"]?["rule"]?.stringValue == "complete-request" })
            #expect(try (denied + gateway.events("network.allow")).allSatisfy { $0.subject == "allowed.test:443" })
        }
    }
}
