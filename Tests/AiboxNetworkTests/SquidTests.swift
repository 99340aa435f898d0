import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("Squid with our configuration", .serialized)
struct SquidTests {
    static func squid(inspecting: Bool = false) throws -> LabSquid {
        let lab = try Lab()
        var sources = [
            AllowRuleSource(id: "plain", hosts: ["allowed.test", "other.test", "rebind.test"], ports: [443, 80]),
            AllowRuleSource(id: "inside", hosts: ["private.test", "linklocal.test", "mixed.test"], ports: [443, 80]),
        ]
        if inspecting {
            sources.append(
                AllowRuleSource(
                    id: "api", hosts: ["api.allowed.test"], methods: ["GET"], paths: ["/headers", "/v1/**"]))
        }
        return try LabSquid(lab, AllowList(sources))
    }

    @Test("explore")
    func explore() throws {
        let squid = try Self.squid(inspecting: true)
        for (name, url, more) in [
            ("allowed https", "https://allowed.test/", []), ("allowed http", "http://allowed.test/", []),
            ("denied https", "https://denied.test/", []), ("private https", "https://private.test/", []),
            ("private http", "http://private.test/", []), ("mixed", "https://mixed.test/", []),
            ("sni mismatch", "https://other.test/", ["--connect-to", "other.test:443:allowed.test:443"]),
            ("sni denied", "https://denied.test/", ["--connect-to", "denied.test:443:allowed.test:443"]),
            (
                "inspected ok", "https://api.allowed.test/headers",
                ["--cacert", squid.configuration.authority, "-H", "X-Aibox-Key: x"]
            ),
            ("inspected path", "https://api.allowed.test/other", ["--cacert", squid.configuration.authority]),
            (
                "inspected host", "https://api.allowed.test/headers",
                ["--cacert", squid.configuration.authority, "-H", "Host: allowed.test"]
            ),
            (
                "inspected method", "https://api.allowed.test/v1/x",
                ["--cacert", squid.configuration.authority, "-d", "x=y"]
            ),
            (
                "inspected dots", "https://api.allowed.test/v1/../x",
                ["--path-as-is", "--cacert", squid.configuration.authority]
            ),
        ] as [(String, String, [String])] {
            let answer = try squid.curl(url, more)
            print(
                "##", name, answer.exitStatus, answer.text.prefix(150).replacing("\n", with: " "),
                answer.errors.prefix(160))
        }
        let keyless = try squid.curl("https://allowed.test/", key: nil)
        print("## keyless", keyless)
        print(squid.configuration.text.split(separator: "\n").filter { $0.hasPrefix("http_access") || $0.hasPrefix("acl h") || $0.hasPrefix("acl r") }.joined(separator: "\n"))
        for line in (try? File.text(squid.configuration.accessLog))?.split(separator: "\n") ?? [] { print("##", line) }
        print((try? File.text(squid.configuration.cacheLog)) ?? "")
        print(squid.lab.requests.joined(separator: "\n"))
        print(squid.lab.queries.joined(separator: "\n"))
    }
}
