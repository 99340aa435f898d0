import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import Testing

/// What Squid itself lets through with our configuration, asked by somebody who knows the gateway's key:
/// the second check has to hold even where the first one failed.
@Suite("Squid, the second check", .serialized)
struct SquidTests {
    static let sources = [
        AllowRuleSource(id: "plain", hosts: ["allowed.test", "other.test"], ports: [443, 80]),
        AllowRuleSource(
            id: "bad", hosts: ["private.test", "linklocal.test", "mixed.test", "rebind.test"], ports: [443, 80]),
        AllowRuleSource(id: "api", hosts: ["api.allowed.test"], methods: ["GET"], paths: ["/headers", "/v1/**"]),
    ]

    @Test("what is listed passes, all else does not, and the log says which")
    func verdicts() throws {
        let squid = try LabSquid(Lab(), AllowList(Self.sources))
        let inside = ["--cacert", squid.configuration.authority]
        let fronting = ["--connect-to", "other.test:443:allowed.test:443"]
        var cases: [(what: String, url: String, more: [String], passes: Bool)] = [
            ("https to a listed host", "https://allowed.test/", [], true),
            ("http to a listed host", "http://allowed.test/", [], true),
            ("the other listed host", "https://other.test/", [], true),
            ("an unlisted host", "https://denied.test/", [], false),
            ("an unlisted host in the clear", "http://denied.test/", [], false),
            ("a name below a listed one", "https://x.allowed.test/", [], false),
            ("a listed host on another port", "https://allowed.test:444/", [], false),
            ("a loopback target", "https://private.test/", [], false),
            ("a loopback target in the clear", "http://private.test/", [], false),
            ("a link-local target", "http://linklocal.test/", [], false),
            ("a public and a private target for one name", "https://mixed.test/", [], false),
            ("an address", "https://198.51.100.10/", ["-k"], false),
            ("an address in the clear", "http://198.51.100.10/", [], false),
            ("the cache manager", "http://127.1.2.3:13128/squid-internal-mgr/info", [], false),
            ("listed CONNECT host, other listed SNI", "https://other.test/", fronting, false),
            (
                "listed CONNECT host, unlisted SNI", "https://denied.test/",
                ["--connect-to", "denied.test:443:allowed.test:443"], false
            ),
            ("inspected: a listed path", "https://api.allowed.test/headers", inside, true),
            ("inspected: a path below", "https://api.allowed.test/v1/x?y=../z", inside, true),
            ("inspected: an unlisted path", "https://api.allowed.test/other", inside, false),
            ("inspected: an unlisted method", "https://api.allowed.test/v1/x", inside + ["-d", "x=y"], false),
            (
                "inspected: another Host inside", "https://api.allowed.test/headers",
                inside + ["-H", "Host: allowed.test"], false
            ),
            (
                "inspected: dots out of the folder", "https://api.allowed.test/v1/../other", inside + ["--path-as-is"],
                false
            ),
            ("inspected: escaped dots", "https://api.allowed.test/v1/%2e%2e/other", inside + ["--path-as-is"], false),
            (
                "inspected: CONNECT inside the tunnel", "https://api.allowed.test/v1/x",
                inside + ["-X", "CONNECT", "--request-target", "api.allowed.test:443"], false
            ),
        ]
        // A whole URL where a path belongs, inside a tunnel to another place.
        let absolute = [
            "http://api.allowed.test/v1/x", "https://allowed.test/v1/x", "https://api.allowed.test/other",
            "https://api.allowed.test:444/v1/x", "http://private.test/v1/x",
        ]
        cases += absolute.map {
            (
                "inspected: asked for \($0)", "https://api.allowed.test/v1/x", inside + ["--request-target", $0], false
            )
        }
        for entry in cases {
            let before = squid.lab.requests.filter { $0.contains("\"method\"") }.count
            let answer = try squid.curl(entry.url, entry.more)
            let arrived = squid.lab.requests.filter { $0.contains("\"method\"") }.count - before
            let passed = answer.exitStatus == 0 && answer.text.hasPrefix("200")
            #expect(passed == entry.passes, "\(entry.what): \(answer)")
            #expect(arrived == (entry.passes ? 1 : 0), "\(entry.what): the origin saw \(arrived) requests")
        }
        let log = squid.log
        #expect(
            log.contains {
                $0.url == "allowed.test:443" && $0.bumpMode == "splice" && $0.server == IPAddress(Lab.origin)
                    && $0.clientPort > 0
            })
        #expect(
            log.contains { $0.url == "https://api.allowed.test/headers" && $0.status == 200 && $0.bumpMode == "bump" })
        #expect(
            log.contains {
                $0.url == "allowed.test:443" && $0.serverName == "other.test" && $0.bumpMode == "terminate"
                    && $0.isRefused
            })
        for url in ["http://denied.test/"] + absolute {
            let lines = log.filter { $0.url == url }
            #expect(!lines.isEmpty && lines.allSatisfy { $0.result.hasPrefix("TCP_DENIED") }, "\(url): \(lines)")
        }
        let asked = Set(squid.lab.queries.filter { $0.contains("denied") || $0.contains("x.allowed") })
        #expect(asked.isEmpty, "a refused name is never looked up")
        #expect(!squid.lab.requests.contains { $0.contains(LabSquid.secret) })
    }

    @Test("an empty list lets nothing through, and the first entry of a list is not another one's neighbour")
    func ends() throws {
        let empty = try LabSquid(Lab(), .empty)
        for url in ["http://allowed.test/", "https://allowed.test/", "http://denied.test/"] {
            #expect(try !empty.curl(url).text.hasPrefix("200"), "\(url)")
        }
        #expect(empty.lab.requests.isEmpty)
        let opened = AllowRuleSource(
            id: "api", hosts: ["api.allowed.test"], ports: [443], schemes: ["https"],
            paths: ["/headers", "/gateway/tunnel/allow"])
        let squid = try LabSquid(Lab(), AllowList([opened]))
        for path in ["/headers", "/gateway/tunnel/allow"] {
            let answer = try squid.curl(
                "https://api.allowed.test" + path, ["--cacert", squid.configuration.authority])
            #expect(!answer.text.hasPrefix("403") && squid.lab.requests.contains { $0.contains(path) }, "\(answer)")
        }
    }

    @Test("nobody else on the machine can use it")
    func strangers() throws {
        let squid = try LabSquid(Lab(), AllowList(Self.sources))
        for key in [nil, "", "00112233445566778899aabbccddeef", LabSquid.secret + "x"] {
            for url in ["http://allowed.test/", "https://allowed.test/"] {
                let answer = try squid.curl(url, key: key)
                #expect(!answer.text.hasPrefix("200"), "\(key ?? "none") \(url)")
            }
        }
        #expect(squid.lab.requests.isEmpty && squid.lab.queries.isEmpty)
        #expect(try squid.curl("http://allowed.test/headers").text.hasPrefix("200"))
        #expect(
            try !squid.curl("http://allowed.test/headers").text.lowercased().contains("x-aibox"),
            "the key goes no further")
    }

    @Test("a name that changes to a private address between check and connection does not lead there")
    func rebinding() throws {
        let squid = try LabSquid(Lab(), AllowList(Self.sources))
        // First answer public, every later one 127.0.0.1, where an origin listens as well.
        for _ in 0..<20 { _ = try squid.curl("http://rebind.test/") }
        let reached = squid.lab.requests.filter { $0.contains("\"address\": \"127.0.0.1\"") }
        #expect(reached.isEmpty, "\(reached)")
        #expect(try squid.lab.curl(["http://127.0.0.1/"]).text.contains("origin"), "the control: it can be reached")
    }

    @Test("A09: however a name is spelled, what the list refuses Squid refuses, and the resolver does not know it")
    func spellings() throws {
        let list = try AllowList(Self.sources)
        let squid = try LabSquid(Lab(), list)
        let zone = ResolverZone(list)
        let long = Array(repeating: String(repeating: "a", count: 50), count: 6).joined(separator: ".")
        let spellings: [(text: String, isListed: Bool)] =
            [("allowed.test", true), ("ALLOWED.Test", true), ("allowed.test.", true)]
            + [
                "allowed.test..", ".allowed.test", "allowed..test", "allowed.test.evil.test", "evilallowed.test",
                "x.allowed.test", "test", "allowed_.test", "-allowed.test", "xn--llowed-2of.test", "allowed.test%00",
                "allowed%2etest", "allowed.test%09", "allowed.test@denied.test", "denied.test", "198.51.100.10",
                "0xc633640a", "3325256714", "0306.063.0144.012", "198.51.25610", "[::ffff:198.51.100.10]",
                long + ".allowed.test", String(repeating: "b", count: 64) + ".test",
            ].map { ($0, false) }
        for (text, isListed) in spellings {
            var isAllowed = false
            if let request = try? EgressRequest("http://\(text)/", method: "GET"),
                case .allow = list.decide(request)
            {
                isAllowed = true
            }
            #expect(isAllowed == isListed, "the list: \(text)")
            let answer = try squid.curl("http://allowed.test/", ["--request-target", "http://\(text)/"])
            let passed = answer.text.hasPrefix("200")
            // Squid drops every dot at the end: what it asks for is the listed host all the same.
            #expect(isListed || !passed || text == "allowed.test..", "Squid: \(text): \(answer)")
            // On the wire of DNS a name is labels: empty ones do not exist there.
            if text.hasPrefix(".") || text.contains("..") { continue }
            let query = DNSMessage(identifier: 7, questions: [.init(name: DNSName(text), type: .a)])
            let isKnown = (try? DNSMessage(wire: query.wire)).map { !zone.answer($0).answers.isEmpty } ?? false
            #expect(isKnown == isListed, "the resolver: \(text)")
        }
        let arrived = squid.lab.requests.filter { $0.contains("\"method\"") }
        #expect(arrived.count >= 2 && arrived.allSatisfy { $0.contains("\"host\": \"allowed.test\"") }, "\(arrived)")
    }

    @Test("where nobody can be asked about requests in an opened tunnel, none goes out")
    func noJudge() throws {
        let lab = try Lab()
        let nobody = SquidConfiguration.Judge(port: 1, secret: "0123456789abcdef0123456789abcdef")
        let squid = try LabSquid(lab, AllowList(Self.sources), judge: nobody)
        let inside = ["--cacert", squid.configuration.authority]
        let answer = try squid.curl("https://api.allowed.test/headers", inside)
        #expect(answer.text.hasPrefix("500"), "\(answer)")
        #expect(!lab.requests.contains { $0.contains("\"method\"") })
        // What is not opened is nobody's question.
        #expect(try squid.curl("https://allowed.test/").text.hasPrefix("200"))
    }

    @Test("an origin with a certificate of an unknown authority is not spoken to in an inspected tunnel")
    func upstreamCertificate() throws {
        let lab = try Lab()
        let squid = try LabSquid(lab, AllowList(Self.sources), trustsLab: false)
        let answer = try squid.curl("https://api.allowed.test/headers", ["--cacert", squid.configuration.authority])
        #expect(!answer.text.hasPrefix("200"), "\(answer)")
        #expect(!lab.requests.contains { $0.contains("\"method\"") })
    }
}
