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
        let cases: [(what: String, url: String, more: [String], passes: Bool)] = [
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
        #expect(log.contains { $0.url == "http://denied.test/" && $0.isRefused })
        let asked = Set(squid.lab.queries.filter { $0.contains("denied") || $0.contains("x.allowed") })
        #expect(asked.isEmpty, "a refused name is never looked up")
        #expect(!squid.lab.requests.contains { $0.contains(LabSquid.secret) })
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
        for _ in 0..<10 { _ = try squid.curl("http://rebind.test/") }
        let reached = squid.lab.requests.filter { $0.contains("\"address\": \"127.0.0.1\"") }
        #expect(reached.isEmpty, "\(reached)")
        #expect(try squid.lab.curl(["http://127.0.0.1/"]).text.contains("origin"), "the control: it can be reached")
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
