import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("Rendered configurations")
struct RendererTests {
    static let list = AllowList.example

    static func squid(_ folder: String = "/run/user/1000/aibox/example/squid") throws -> SquidConfiguration {
        SquidConfiguration(
            address: .v4(0x7F12_3456), port: 13128, secret: "0123456789abcdef0123456789abcdef", folder: folder,
            allowList: list,
            targets: TargetPolicy(
                exceptions: [try #require(AddressRange("10.20.0.0/16"))],
                hostAddresses: [try #require(IPAddress("198.18.0.2"))]),
            authority: folder + "/authority.pem",
            judge: .init(port: 40001, secret: "fedcba9876543210fedcba9876543210"))
    }

    @Test("the packet filter, as nft accepts it")
    func filter() throws {
        let rules = FilterRuleset(boxPorts: [2222, 8080])
        try Golden.check("gateway.nft", rules.text)
        try Self.nftAccepts(rules.text)
        try Self.nftAccepts(FilterRuleset.closed)
    }

    @Test("rule ids and counters are unique and fit the kernel's limits")
    func filterNames() {
        let rules = FilterRuleset(tcpPorts: [80, 80, 65535], boxPorts: [2222, 2222])
        let ids = rules.chains.flatMap(\.rules).map(\.id)
        #expect(Set(ids).count == ids.count)
        let counters = rules.chains.flatMap(\.rules).compactMap(\.counter)
        #expect(Set(counters).count == counters.count)
        #expect(ids.allSatisfy { $0.utf8.count < 128 } && counters.allSatisfy { $0.utf8.count < 32 })
        for rule in rules.chains.flatMap(\.rules) where rule.verdict != "accept" {
            #expect(rule.counter?.hasPrefix("denied_") == true)
        }
    }

    @Test("squid.conf, as squid -k parse accepts it")
    func squidConfiguration() throws {
        try Golden.check("squid.conf", try Self.squid().text)
        let folder = try TemporaryFolder()
        try TestAuthority.write(folder.path + "/authority.pem")
        var configuration = try Self.squid(folder.path)
        try Self.squidAccepts(configuration, folder)
        configuration.upstream = .init(host: "proxy.corp.example", port: 3128, login: "user:pass%20word")
        configuration.nameServers = [try #require(IPAddress("192.0.2.53"))]
        configuration.originAuthorities = [folder.path + "/authority.pem"]
        try Golden.check("squid-upstream.conf", configuration.text.replacing(folder.path, with: "/run/squid"))
        try Self.squidAccepts(configuration, folder)
        configuration.allowList = .empty
        try Golden.check("squid-empty.conf", configuration.text.replacing(folder.path, with: "/run/squid"))
        try Self.squidAccepts(configuration, folder)
        // Squid would take the next line, maybe the one that denies, for a part of it.
        for text in [try Self.squid().text, configuration.text] {
            #expect(!text.split(separator: "\n").contains { $0.hasSuffix("\\") })
        }
    }

    @Test("the expressions for odd paths refuse what is not in normal form, and nothing else")
    func oddPaths() throws {
        let odd = try SquidConfiguration.oddPathExpressions.map { try Regex($0) }
        let expressions = odd + [try Regex(SquidConfiguration.dotExpression)]
        let pieces = [
            "/", "..", ".", "%2e", "%2E", "%2f", "%2F", "public", ";", "//", "%25", "%41", "%7e", "%c3", "%C3", "?",
            "\\", "%5c", "%20", "~",
        ]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let raw =
                "/"
                + (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
                .joined()
            let isOdd = expressions.contains { raw.firstMatch(of: $0) != nil }
            let end = raw.firstIndex(of: "?") ?? raw.endIndex
            let normal = try? RequestPath(raw)
            if normal?.path != String(raw[..<end]) { #expect(isOdd, "\(raw) is not normal") }
            // What the gateway would have go out without its `.` segments, Squid has to ask it about (it undoes escapes first).
            let url = "https://a.test" + raw
            if !raw.contains("%"), case .rewritten = try? EgressRequest(url).form(inside: url, hasBody: false) {
                #expect(!odd.contains { raw.firstMatch(of: $0) != nil }, "\(raw) is not asked about")
            }
        }
        for plain in [
            "/", "/a/b.txt", "/a%20b", "/a%C3%A9", "/.well-known/x", "/a..b", "/a;v=1", "/x?y=../..//%2e",
            "/group%2Fproject",
        ] {
            #expect(!expressions.contains { plain.firstMatch(of: $0) != nil }, "\(plain)")
        }
    }

    @Test("unbound.conf, as unbound-checkconf accepts it")
    func unbound() throws {
        let zone = ResolverZone(Self.list)
        try Golden.check(
            "unbound.conf", UnboundConfiguration(zone: zone, folder: "/run/user/1000/aibox/example/resolver").text)
        let folder = try TemporaryFolder()
        let path = try folder.write("unbound.conf", UnboundConfiguration(zone: zone, folder: folder.path).text)
        try SystemCommandRunner().require(Command("unbound-checkconf", [path]), "unbound-checkconf refuses the file")
    }

    @Test("Corefile")
    func corefile() throws {
        try Golden.check("Corefile", Corefile(zone: ResolverZone(Self.list)).text)
    }

    @Test("a zone answers for listed names and services, and for no other")
    func zone() throws {
        let zone = ResolverZone(Self.list)
        for name in [
            "git.internal.example", "x.internal.example", "api.example.com", "gateway.aibox.internal",
            "llm.aibox.internal",
        ] {
            #expect(try zone.resolves(HostName(name)), "\(name)")
        }
        for name in [
            "evil.example", "data.api.example.com", "example.com", "example", "aibox.internal", "xinternal.example",
        ] {
            #expect(try !zone.resolves(HostName(name)), "\(name)")
        }
    }

    static func nftAccepts(_ text: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("rules.nft", text)
        // A namespace of its own: checking asks the kernel, and an ordinary user may ask only there.
        try SystemCommandRunner().require(Command("unshare", ["-rn", "nft", "-c", "-f", path]), "nft refuses the file")
    }

    static func squidAccepts(_ configuration: SquidConfiguration, _ folder: TemporaryFolder) throws {
        let path = try folder.write("squid.conf", configuration.text)
        let result = try SystemCommandRunner().run(Command("squid", ["-k", "parse", "-f", path]))
        let complaints = result.errorText.split(separator: "\n").filter { line in
            ["WARNING", "ERROR", "FATAL", "Bungled"].contains { line.contains($0) }
        }
        #expect(result.succeeded && complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }
}

extension AllowList {
    /// A list with an entry of every kind.
    static var example: AllowList {
        let denials = (try? HostPattern("old.internal.example")).map { [HostDenial(id: "deny-1", host: $0)] } ?? []
        do throws(AllowListProblems) {
            return try AllowList(AllowListTests.sources, denials: denials)
        } catch {
            Issue.record("\(error)")
            return .empty
        }
    }
}
