import AiboxAudit
import AiboxContainer
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxGateway

// One after the other with the tests of the way out: they share the origin.
extension GatewayEgressTests {
    /// Exceptions whose day ends while the sandbox runs.
    @Suite("Gateway exceptions")
    struct ExceptionTests {
        private static let vendor = AllowRuleSource(
            id: "vendor", hosts: ["other.test"], ports: [Int(Origin.http), Int(Origin.https)],
            schemes: ["http", "https"])

        private func gateway(_ name: String, _ ending: ExceptionEnding, learns: Bool = false) throws -> (
            LiveGateway, Origin
        ) {
            let origin = try Origin()
            var plan = Origin.plan([Self.vendor], hosts: ["allowed.test"])
            plan.endings = [ending]
            plan.permitsAdditions = true
            let gateway = try LiveGateway(name: name, plan: plan) {
                let decisions = try LiveGateway.decisions()
                $0.decisions = decisions
                if learns {
                    $0.learn = LearnPlan(
                        allow: Origin.plan([Self.vendor], hosts: ["allowed.test"]).allow.map(\.json),
                        policy: decisions.policy)
                }
            }
            try gateway.client.serving()
            return (gateway, origin)
        }

        private func ask(_ gateway: LiveGateway, _ origin: Origin, _ url: String) throws -> String {
            let arguments =
                ["-sS", "-m", "20", "--cacert", origin.authority, "-w", "\n%{http_connect} %{http_code}", "-x"]
                + ["http://10.200.1.1:3128", url]
            return String(
                try SystemCommandRunner().run(gateway.inBox("curl", arguments)).text.split(separator: "\n").last ?? "")
        }

        private func dig(_ gateway: LiveGateway, _ name: String) throws -> String {
            try SystemCommandRunner().run(gateway.inBox("dig", ["+short", "+tries=1", "@10.200.1.1", name])).text
        }

        private static let http = "http://other.test:\(Origin.http)/"
        private static let https = "https://other.test:\(Origin.https)/"

        /// A tunnel to other.test that is held; ends with the word `closed`.
        private static let tunnel = """
            import socket
            s = socket.create_connection(("10.200.1.1", 3128)); s.settimeout(60)
            s.sendall(b"CONNECT other.test:\(Origin.https) HTTP/1.1\\r\\nHost: other.test:\(Origin.https)\\r\\n\\r\\n")
            assert b" 200 " in s.recv(4096); print("ready", flush=True)
            import ssl
            c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
            try:
                t = c.wrap_socket(s, server_hostname="other.test"); print("open", flush=True)
                while t.recv(4096): pass
            except OSError: pass
            print("closed", flush=True)
            """

        @Test("at its end the gateway, Squid, the resolver and open tunnels lose what rested on it, and nothing else")
        func ends() throws {
            let end = Timestamp.now.seconds + 12
            let (gateway, origin) = try gateway(
                "vendor", ExceptionEnding(at: end, words: "vendor of ann", entries: ["vendor"]))
            #expect(try gateway.client.status().exceptions.first?.hasPrefix("vendor of ann: ends at 20") == true)
            #expect(try ask(gateway, origin, Self.http) == "000 200")
            #expect(try ask(gateway, origin, Self.https) == "200 200")
            #expect(try dig(gateway, "other.test") == "10.200.1.1")
            let tunnel = try gateway.keep(gateway.inBox("python3", ["-c", Self.tunnel]))
            #expect(try tunnel.nextLine() == "open")
            try #require(Timestamp.now.seconds < end, "too slow to see it before its end")

            #expect(eventually { (try? gateway.client.status().exceptions) == ["vendor of ann: ended"] })
            #expect(Timestamp.now.seconds >= end)
            #expect(try tunnel.nextLine() == "closed")
            #expect(try ask(gateway, origin, Self.http) == "000 403")
            #expect(try ask(gateway, origin, Self.https) == "403 000")
            #expect(eventually { (try? dig(gateway, "other.test")) == "" })
            #expect(try ask(gateway, origin, GatewayEgressTests.http + "/") == "000 200")
            #expect(try dig(gateway, "allowed.test") == "10.200.1.1")
            let change = try gateway.events("policy.change")
            #expect(change.map { $0.json["details"]?["change"]?.stringValue } == ["the end of vendor of ann"])
            #expect(
                change.first?.json["details"]?["layer"]?.stringValue == "org" && change.first?.json["problems"] == nil)
            let rules = try gateway.client.network()["rules"]?.elements?.compactMap { $0["id"]?.stringValue }
            #expect(rules == ["origin"])
        }

        @Test("where a start would be refused from then on nothing is left, and nobody can add to it")
        func closes() throws {
            let (gateway, origin) = try gateway(
                "closes",
                ExceptionEnding(
                    at: Timestamp.now.seconds + 6, words: "vendor of ann", closing: "a start would be refused"))
            try gateway.client.change(NetworkChange(.allow, host: "slow.test", seconds: nil))
            #expect(try ask(gateway, origin, GatewayEgressTests.http + "/") == "000 200")
            #expect(eventually { (try? gateway.client.status().exceptions.first?.contains(": ended")) == true })
            for host in ["allowed.test", "other.test", "slow.test"] {
                #expect(try ask(gateway, origin, "http://\(host):\(Origin.http)/") == "000 403", "\(host)")
                #expect(eventually { (try? dig(gateway, host)) == "" }, "\(host)")
            }
            #expect(throws: AiboxError.self) {
                try gateway.client.change(NetworkChange(.allow, host: "slow.test", seconds: nil))
            }
            #expect(
                try gateway.client.status().exceptions
                    == ["vendor of ann: ended, nothing can be reached: a start would be refused"])
        }

        @Test("learning goes by what the organisation permitted at the start, and ends with it for good")
        func learning() throws {
            let (gateway, origin) = try gateway(
                "learnt", ExceptionEnding(at: Timestamp.now.seconds + 8, words: "vendor of ann", entries: ["vendor"]),
                learns: true)
            try gateway.client.change(LearnChange.start(seconds: 600))
            #expect(try ask(gateway, origin, Self.http) == "000 200")
            #expect(eventually { (try? gateway.client.status().exceptions) == ["vendor of ann: ended"] })
            #expect(try gateway.client.status().learning == nil)
            #expect(try ask(gateway, origin, Self.http) == "000 403")
            let error = #expect(throws: AiboxError.self) { try gateway.client.change(LearnChange.start(seconds: 60)) }
            #expect(error?.reason.contains("vendor of ann") == true, "\(error?.reason ?? "")")
            #expect(try ask(gateway, origin, Self.http) == "000 403")
        }

        @Test("one whose day ended before the gateway was there is never served, and is told as ended")
        func before() throws {
            let (gateway, origin) = try gateway(
                "before", ExceptionEnding(at: Timestamp.now.seconds - 5, words: "vendor of ann", entries: ["vendor"]))
            #expect(try ask(gateway, origin, Self.http) == "000 403")
            #expect(eventually { (try? gateway.events("policy.change").count) == 1 })
            #expect(try gateway.client.status().exceptions == ["vendor of ann: ended"])
        }
    }

    @Suite("The calendar of exceptions")
    struct ExceptionCalendarTests {
        @Test("each is due at its moment, once, in order, and stays ended wherever the clock goes")
        func due() throws {
            var calendar = ExceptionCalendar([
                ExceptionEnding(at: 2000, words: "b"), ExceptionEnding(at: 1000, words: "a", closing: "why"),
            ])
            #expect(calendar.due(999) == nil && calendar.wait(999) == 1 && calendar.wait(0) == ExceptionCalendar.step)
            #expect(calendar.due(1000)?.words == "a" && calendar.due(5000)?.words == "a")
            calendar.ended()
            #expect(calendar.due(1000) == nil && calendar.due(2000)?.words == "b")
            // A clock that is set back brings nothing back.
            #expect(calendar.due(0) == nil && calendar.past.map(\.words) == ["a"])
            #expect(calendar.words == ["a: ended, nothing can be reached: why", "b: ends at 1970-01-01T00:33:20Z"])
            calendar.ended()
            #expect(calendar.wait(0) == nil && calendar.due(.max) == nil)
        }
    }
}
