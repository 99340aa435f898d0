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
    /// The organisation's own policies in Rego decide about connections.
    @Suite("Gateway policies")
    struct PolicyTests {
        /// other.test is listed everywhere, and refused in all of these.
        private static let own = """
            package aibox.org

            deny contains {"rule": "no-other", "reason": sprintf("%s is for servers", [input.request.host])} if {
            	input.action == "network"
            	input.request.host == "other.test"
            	not startswith(object.get(input.request, "path", "-"), "/public")
            }

            deny contains {"rule": "held", "reason": "this sandbox is held"} if input.sandbox.name == "held"

            deny contains {"rule": "no-post", "reason": "nothing is sent there"} if {
            	input.request.host == "slow.test"
            	input.request.method == "POST"
            }

            deny contains {"rule": "no-delete", "reason": "nothing is deleted there"} if {
            	input.request.host == "api.allowed.test"
            	input.request.scheme == "https"
            	input.request.method == "DELETE"
            	startswith(input.request.path, "/v1/kept")
            }
            """

        /// argv: connect or url, then curl's. Prints the status of the proxy's answer or of the answer, and the body.
        private func ask(_ gateway: LiveGateway, _ origin: Origin, _ url: String, _ more: [String] = []) throws
            -> String
        {
            let arguments =
                ["-sS", "-m", "20", "--cacert", origin.authority, "-w", "\n%{http_connect} %{http_code}"]
                + (more.isEmpty ? ["-x", "http://10.200.1.1:3128"] : more) + [url]
            return try SystemCommandRunner().run(gateway.inBox("curl", arguments)).text
        }

        private func direct(_ name: String) -> [String] {
            ["--noproxy", "*", "--resolve", "\(name):10.200.1.1", "-k"]
        }

        private func gateway(_ name: String, additions: Bool = false) throws -> (LiveGateway, Origin) {
            let origin = try Origin()
            var plan = Origin.plan()
            plan.permitsAdditions = additions
            let gateway = try LiveGateway(name: name, plan: plan) {
                $0.decisions = try LiveGateway.decisions(own: Self.own)
            }
            try gateway.client.serving()
            return (gateway, origin)
        }

        @Test(
            "a host that the list allows and the organisation's Rego refuses is closed at every door, with rule and reason"
        )
        func everyDoor() throws {
            let (gateway, origin) = try gateway("open")
            let doors: [(what: String, url: String, more: [String], status: String, isReadable: Bool)] = [
                ("CONNECT", "https://other.test:18443/", [], "403 000", false),
                ("absolute form", "http://other.test:18080/", [], "000 403", true),
                ("port 80", "http://other.test/", direct("other.test:80"), "000 403", true),
                ("port 443", "https://other.test/", direct("other.test:443"), "000 000", false),
            ]
            for (index, door) in doors.enumerated() {
                let answer = try ask(gateway, origin, door.url, door.more)
                #expect(answer.hasSuffix(door.status), "\(door.what): \(answer)")
                if door.isReadable {
                    #expect(answer.contains("\"error\":\"policy_refused\",\"rule\":\"no-other\",\"layer\":\"org\""))
                    #expect(answer.contains("other.test is for servers") && answer.contains("own.rego:3"), "\(answer)")
                }
                let events = try gateway.events("network.deny")
                #expect(events.count == index + 1, "\(door.what)")
                let details = events.last?.json["details"]
                #expect(details?["rule"]?.stringValue == "no-other" && details?["layer"]?.stringValue == "org")
                #expect(details?["reason"]?.stringValue == "other.test is for servers")
                #expect(details?["origin"]?.stringValue == "own.rego:3")
                #expect(details?["question"]?["request"]?["host"]?.stringValue == "other.test")
                #expect(details?["input"]?.stringValue?.count == 64 && details?["policies"]?.stringValue?.count == 64)
            }
            #expect(origin.requests.isEmpty)
            // The control: what the same rules let pass, does.
            #expect(try ask(gateway, origin, "http://other.test:18080/public").hasSuffix("000 200"))
            #expect(try ask(gateway, origin, GatewayEgressTests.https + "/").hasSuffix("200 200"))
            #expect(try ask(gateway, origin, GatewayEgressTests.http + "/").hasSuffix("000 200"))
            #expect(origin.requests.count == 3)
            let allowed = try gateway.events("network.allow")
            #expect(allowed.count == 3 && allowed.allSatisfy { $0.json["details"]?["input"]?.stringValue?.count == 64 })
            // No rule of theirs decides about names: those of the list lead to the gateway, which refuses.
            let name = try SystemCommandRunner().run(
                gateway.inBox("dig", ["+short", "+tries=1", "@10.200.1.1", "other.test"]))
            #expect(name.text == "10.200.1.1")
        }

        @Test(
            "a request in an opened tunnel is decided like others: refused in words, and on the disk before it goes out"
        )
        func insideTunnel() throws {
            let origin = try Origin()
            // Squid may run as another account, which has to read the authority.
            chmod(origin.folder.path, 0o755)
            var plan = Origin.plan()
            plan.allow = [
                AllowRuleSource(
                    id: "api", hosts: ["api.allowed.test"], ports: [Int(Origin.https)], schemes: ["https"],
                    methods: ["GET", "POST", "DELETE", "HEAD"])
            ]
            plan.originAuthorities = [origin.authority]
            let gateway = try LiveGateway(plan: plan) { $0.decisions = try LiveGateway.decisions(own: Self.own) }
            try gateway.client.serving()
            let trusted = try origin.folder.write("gateway.crt", try #require(gateway.ready.authority))
            let base = "https://api.allowed.test:\(Origin.https)"
            func ask(_ more: [String], _ path: String) throws -> String {
                let arguments = [
                    "-sS", "-m", "20", "--cacert", trusted, "-x", "http://10.200.1.1:3128", "-w", "\n%{http_code}",
                ]
                return try SystemCommandRunner().run(gateway.inBox("curl", arguments + more + [base + path])).text
            }
            // In every spelling that servers read as the same, and in those that lead elsewhere once they are normal.
            let odd = [
                "/v1/%6Bept", "/v1/./kept", "/v1//kept", "/v2/../v1/kept", "/v1/kept//../x", "/v1/kept/../x",
                "/v1/kept/%2e%2e/x", "//v1/kept", "/v1/kept/..;/x",
            ]
            for path in odd {
                let answer = try ask(["-X", "DELETE", "--path-as-is"], path)
                #expect(answer.hasSuffix("403") || answer.hasSuffix("400"), "\(path): \(answer)")
            }
            #expect(try ask(["-X", "delete"], "/v1/other").hasSuffix("403"))
            for method in ["TRACE", "PURGE"] { #expect(try ask(["-X", method], "/v1/other").hasSuffix("403")) }
            #expect(origin.requests.isEmpty)
            let passed = try gateway.events("network.allow").filter {
                $0.json["details"]?["protocol"]?.stringValue == "https"
            }
            #expect(passed.isEmpty)
            let before = odd.count + 3
            #expect(eventually { (try? gateway.events("network.deny").count) == before })
            for path in ["/v1/kept", "/v1/kept/x?y=z"] {
                let body = ["-X", "DELETE", "--path-as-is", "--data-binary", "secret-\(path.utf8.count)"]
                let answer = try ask(body, path)
                #expect(answer.hasSuffix("403"), "\(path): \(answer)")
                #expect(
                    answer.contains("\"rule\":\"no-delete\"") && answer.contains("nothing is deleted there"),
                    "\(answer)")
            }
            #expect(origin.requests.isEmpty)
            let refused = Array(try gateway.events("network.deny").dropFirst(before))
            #expect(
                refused.count == 2 && refused.allSatisfy { $0.json["details"]?["origin"]?.stringValue == "own.rego:16" }
            )
            #expect(refused.allSatisfy { $0.json["details"]?["protocol"]?.stringValue == "https" })
            #expect(refused.first?.json["details"]?["question"]?["request"]?["path"]?.stringValue == "/v1/kept")
            // The controls: other methods and other paths, bodies of any length, chunked ones.
            #expect(try ask([], "/v1/kept").hasSuffix("200"))
            #expect(try ask(["-I"], "/v1/kept").hasSuffix("200"))
            #expect(try ask([], "/v1/a%2fb?x=%2e%2e//").hasSuffix("200"))
            #expect(try ask(["-X", "DELETE"], "/v1/other").hasSuffix("200"))
            let large = try origin.folder.write("large", String(repeating: "x", count: 3 << 20))
            for more in [[], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect: 100-continue"]] {
                #expect(try ask(["--data-binary", "@" + large] + more, "/v1/other").hasSuffix("200"), "\(more)")
            }
            #expect(origin.requests.count == 7)
            // A log that cannot be written: the tunnel is there, and nothing more goes through it.
            let script = """
                import socket, ssl, subprocess, sys
                s = socket.create_connection(("10.200.1.1", 3128))
                s.sendall(b"CONNECT api.allowed.test:\(Origin.https) HTTP/1.1\\r\\nHost: api.allowed.test:\(Origin.https)\\r\\n\\r\\n")
                s.recv(65536)
                t = ssl.create_default_context(cafile=sys.argv[1]).wrap_socket(s, server_hostname="api.allowed.test")
                t.settimeout(20)
                def ask(path):
                    t.sendall(f"GET {path} HTTP/1.1\\r\\nHost: api.allowed.test:\(Origin.https)\\r\\n\\r\\n".encode())
                    data = b""
                    while b"\\r\\n\\r\\n" not in data: data += t.recv(65536)
                    head, body = data.split(b"\\r\\n\\r\\n", 1)
                    size = int(head.lower().split(b"content-length:")[1].split()[0])
                    while len(body) < size: body += t.recv(65536)
                    print(head.split()[1].decode())
                ask("/v1/written")
                subprocess.run(["prlimit", "--pid", sys.argv[2], "--fsize=1"], check=True)
                ask("/v1/unwritten")
                """
            let said = try SystemCommandRunner().run(
                gateway.inBox("python3", ["-c", script, trusted, "\(gateway.ready.pid)"]))
            #expect(said.text == "200\n503", "\(said.text) \(said.errorText)")
            #expect(origin.requests.count == 8 && !origin.requests.contains { $0.contains("unwritten") })
        }

        @Test("a rule about one sandbox holds that one alone")
        func oneSandbox() throws {
            let (gateway, origin) = try gateway("held")
            #expect(try ask(gateway, origin, GatewayEgressTests.http + "/").contains("this sandbox is held"))
            #expect(try ask(gateway, origin, GatewayEgressTests.https + "/").hasSuffix("403 000"))
            #expect(origin.requests.isEmpty)
        }

        @Test("what a person adds is served, but for what the organisation's Rego refuses; what is taken away ends")
        func changes() throws {
            let (gateway, origin) = try gateway("changed", additions: true)
            #expect(try ask(gateway, origin, "http://slow.test/").hasSuffix("000 403"))
            try gateway.client.change(NetworkChange(.allow, host: "slow.test", seconds: nil))
            // Nobody serves the origin's port 80: Squid says so.
            #expect(try ask(gateway, origin, "http://slow.test/").hasSuffix("000 503"))
            let post = try ask(gateway, origin, "http://slow.test/", ["-x", "http://10.200.1.1:3128", "-d", "x"])
            #expect(post.hasSuffix("000 403") && post.contains("nothing is sent there"), "\(post)")
            let event = try gateway.events("network.allow").last
            #expect(event?.json["details"]?["layer"]?.stringValue == "session")
            #expect(try ask(gateway, origin, GatewayEgressTests.http + "/").hasSuffix("000 200"))
            try gateway.client.change(NetworkChange(.deny, host: "allowed.test", seconds: nil))
            let taken = try ask(gateway, origin, GatewayEgressTests.http + "/")
            #expect(taken.hasSuffix("000 403") && taken.contains("session-deny"), "\(taken)")
        }

        @Test("a gateway with a way out and nothing that decides about it does not start")
        func nothingDecides() throws {
            #expect(throws: (any Error).self) {
                _ = try LiveGateway(plan: Origin.plan()) { $0.decisions = nil }
            }
            #expect(throws: (any Error).self) {
                _ = try LiveGateway(plan: Origin.plan()) {
                    $0.decisions = try LiveGateway.decisions(own: "package aibox.org\n\ndeny contains")
                }
            }
        }
    }
}
