import AiboxNetwork
import AiboxWire
import Testing

@Suite("The allow-list")
struct AllowListTests {
    static let sources = [
        AllowRuleSource(id: "git", hosts: ["git.internal.example"], ports: [443]),
        AllowRuleSource(id: "wild", hosts: ["*.internal.example"], ports: [443, 80], layer: "team"),
        AllowRuleSource(id: "plain", hosts: ["mirror.example.org"], ports: [80], schemes: ["http"]),
        AllowRuleSource(
            id: "api-read", hosts: ["api.example.com"], methods: ["GET"], paths: ["/v1/**"], requestsPerMinute: 60,
            maxUpload: 1024),
        AllowRuleSource(id: "api-post", hosts: ["api.example.com"], methods: ["POST"], paths: ["/v1/messages"]),
    ]

    static func request(_ host: String, _ port: UInt16, _ content: String) throws -> EgressRequest {
        let words = content.split(separator: " ").map(String.init)
        if words == ["tunnel"] { return EgressRequest(host: try HostName(host), port: port, content: .tunnel) }
        let scheme = try #require(AllowRule.Scheme(rawValue: words[0]))
        return EgressRequest(
            host: try HostName(host), port: port,
            content: .http(scheme, method: words[1], path: try RequestPath(words[2])))
    }

    @Test(
        "verdicts",
        arguments: [
            ("a listed host", "git.internal.example", 443, "tunnel", "git"),
            ("an exact entry shadows the wildcard", "git.internal.example", 80, "http GET /", "port_not_allowed"),
            ("the wildcard", "x.internal.example", 443, "tunnel", "wild"),
            ("the wildcard in the clear", "x.internal.example", 80, "http GET /", "wild"),
            ("two labels below", "a.b.internal.example", 443, "tunnel", "host_not_allowed"),
            ("the base itself", "internal.example", 443, "tunnel", "host_not_allowed"),
            ("an unlisted host", "evil.example", 443, "tunnel", "host_not_allowed"),
            ("a suffix trick", "git.internal.example.evil.com", 443, "tunnel", "host_not_allowed"),
            ("a listed host on another port", "x.internal.example", 22, "tunnel", "port_not_allowed"),
            ("a tunnel where only http is listed", "mirror.example.org", 80, "tunnel", "scheme_not_allowed"),
            ("http where listed", "mirror.example.org", 80, "http PUT /any", "plain"),
            ("http where only https is listed", "git.internal.example", 443, "http GET /", "scheme_not_allowed"),
            ("an inspected tunnel", "api.example.com", 443, "tunnel", "api-read+inspect"),
            ("a listed method and path", "api.example.com", 443, "https GET /v1/models", "api-read+inspect"),
            ("the second entry", "api.example.com", 443, "https POST /v1/messages", "api-post+inspect"),
            ("method of one, path of the other", "api.example.com", 443, "https POST /v1/models", "path_not_allowed"),
            ("an unlisted method", "api.example.com", 443, "https DELETE /v1/messages", "method_not_allowed"),
            ("an unlisted path", "api.example.com", 443, "https GET /admin", "path_not_allowed"),
            ("out of the folder and back", "api.example.com", 443, "https GET /v1/../admin", "path_not_allowed"),
            ("into the folder by dots", "api.example.com", 443, "https GET /x/../v1/a", "api-read+inspect"),
        ])
    func verdict(what: String, host: String, port: Int, content: String, expected: String) throws {
        let list = try AllowList(Self.sources)
        switch list.decide(try Self.request(host, UInt16(port), content)) {
        case .allow(let grant): #expect(grant.rule + (grant.needsInspection ? "+inspect" : "") == expected)
        case .deny(let denial):
            #expect(denial.code.rawValue == expected)
            #expect(!denial.reason.isEmpty && !denial.nextSteps.isEmpty && !denial.rule.isEmpty)
        }
    }

    @Test("the empty list allows nothing")
    func empty() throws {
        #expect(try !AllowList.empty.decide(Self.request("example.com", 443, "tunnel")).isAllowed)
    }

    @Test("what is taken away stays away, wildcards included")
    func denial() throws {
        let denial = HostDenial(id: "deny-1", host: try HostPattern("*.internal.example"))
        let list = try AllowList(Self.sources).denying(denial)
        for host in ["git.internal.example", "x.internal.example"] {
            guard case .deny(let answer) = try list.decide(Self.request(host, 443, "tunnel")) else {
                Issue.record("\(host) passed")
                continue
            }
            #expect(answer.code == .hostDenied && answer.rule == "deny-1")
        }
        #expect(try list.decide(Self.request("mirror.example.org", 80, "http GET /")).isAllowed)
        #expect(list.hosts.map(\.description) == ["mirror.example.org", "api.example.com"])
    }

    @Test("every fault is reported at once, each with its place")
    func problems() {
        let sources = [
            AllowRuleSource(id: "", hosts: [], ports: []),
            AllowRuleSource(
                id: "a b", hosts: ["*", "*.com", "1.2.3.4", "ok.example"], ports: [0, 70000, 443], schemes: ["ftp"]),
            AllowRuleSource(
                id: "x", hosts: ["*.internal.example"], methods: ["get", "CONNECT"], paths: ["v1", "/a/../b", "/**/x"]),
            AllowRuleSource(
                id: "x", hosts: ["ok.example"], paths: ["/a"], inspect: false, requestsPerMinute: 0, maxUpload: -1),
        ]
        #expect {
            try AllowList(sources)
        } throws: { error in
            guard let problems = (error as? AllowListProblems)?.problems else { return false }
            let fields = problems.map(\.field).map { $0.replacing("network.allow", with: "") }
            return fields == [
                "[0].id", "[0].hosts", "[0].ports", "[1].id", "[1].hosts[0]", "[1].hosts[1]", "[1].hosts[2]",
                "[1].ports[0]",
                "[1].ports[1]", "[1].schemes[0]", "[2].methods[0]", "[2].methods[1]", "[2].paths[0]", "[2].paths[1]",
                "[2].paths[2]", "[2].hosts[0]", "[3].id", "[3].rate_limit.requests_per_min", "[3].max_upload",
                "[3].inspect",
            ]
        }
    }

    @Test("a denial is JSON that survives any text")
    func json() {
        let denial = EgressDenial(.hostNotAllowed, reason: "say \"no\"\\\n\u{1b}[31m é 🙂", nextSteps: ["a", "b"])
        #expect(
            denial.json
                == #"{"error":"host_not_allowed","rule":"default-deny","layer":"org","reason":"say \"no\"\\\u000a\u001b[31m \u00e9 \ud83d\ude42","next_steps":["a","b"]}"#
                + "\n")
        #expect(denial.status == 403)
    }
}

@Suite("Request paths")
struct RequestPathTests {
    @Test(
        "one normal form",
        arguments: [
            ("", "/"), ("/", "/"), ("/a/b", "/a/b"), ("/a/../b", "/b"), ("/a/./b", "/a/b"), ("/a/..", "/"),
            ("/../../x", "/x"),
            ("/a/%2e%2E/b", "/b"), ("/%2e%2e/%2e/b/", "/b/"), ("//a///b", "/a/b"), ("/%61%7e%2D", "/a~-"),
            ("/a%2fb", "/a%2Fb"),
            ("/a%c3%a9", "/a%C3%A9"), ("/a;v=1/b", "/a;v=1/b"), ("/a?b=../c&d=%2e%2e", "/a?b=../c&d=%2E%2E"),
            ("/a/b/..", "/a/"),
            ("/a/./b%20c/.", "/a/b%20c/"), ("/.well-known/x", "/.well-known/x"), ("/...", "/..."), ("/a%3Fb", "/a%3Fb"),
            ("/a?", "/a?"),
        ])
    func normal(raw: String, expected: String) throws {
        let path = try RequestPath(raw)
        #expect(path.description == expected)
        #expect(try RequestPath(path.description) == path, "a normal form stays as it is")
    }

    @Test(
        "what servers read in different ways is refused",
        arguments: [
            "/a\\b", "/..\\x", "/a/..%2fb", "/a/%2e%2e%2Fb", "/a/..;/b", "/a/.;x/b", "/%252e%252e/b",
            "/%25252e%25252e/x", "/a%5cb",
            "/a%5C..", "/a%00b", "/a%0d%0aHost:x", "/a%", "/a%4", "/a%zz", "a/b", "/a b", "/a#b", "/a\u{e9}", "/a\u{0}",
            "/a%252f..%252fb", "/./%252e/x", "/./a%2f./x", "/./%2f.",
            "*", "?x",
        ])
    func refused(raw: String) {
        #expect(throws: RequestPathFailure.self) { try RequestPath(raw) }
    }

    @Test(
        "patterns",
        arguments: [
            ("/v1/messages", "/v1/messages", true), ("/v1/messages", "/v1/messages/", false),
            ("/v1/messages", "/v1/messages?x=1", true),
            ("/repos/*/pulls", "/repos/a/pulls", true), ("/repos/*/pulls", "/repos/a/b/pulls", false),
            ("/repos/*/pulls", "/repos//pulls", false),
            ("/simple/**", "/simple/x/y", true), ("/simple/**", "/simple/", true), ("/simple/**", "/simple", true),
            ("/simple/**", "/simplex", false), ("/**", "/anything/at?all", true), ("/**", "/", true),
            ("/v*/x", "/v1/x", true),
            ("/v*/x", "/v/x", false), ("/a*b*c", "/aXbYc", true), ("/a*b*c", "/abc", false), ("/a.b", "/aXb", false),
            ("/", "/", true),
            ("/", "/a", false), ("/a+(b)", "/a+(b)", true),
            ("/*.git/**", "/x.git/info/refs?service=git-upload-pack", true),
        ])
    func pattern(pattern: String, path: String, expected: Bool) throws {
        let compiled = try PathPattern(pattern)
        #expect(compiled.matches(try RequestPath(path)) == expected)
        let regex = try Regex(compiled.regularExpression)
        let normal = try RequestPath(path).description
        #expect((normal.firstMatch(of: regex) != nil) == expected, "the expression for Squid says the same")
    }

    @Test("a trick never lands in an allowed folder that its plain form is outside of")
    func property() throws {
        let pattern = try PathPattern("/public/**")
        let pieces = ["/", "..", ".", "%2e", "%2E", "%2f", "public", "secret", ";", "//", "%25", "x", "?", "\\", "%5c"]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let raw =
                "/"
                + (0..<Int.random(in: 0...8, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
                .joined()
            guard let path = try? RequestPath(raw) else { continue }
            let segments = path.path.split(separator: "/")
            #expect(!segments.contains("..") && !segments.contains("."), "\(raw)")
            if pattern.matches(path) { #expect(segments.first == "public", "\(raw)") }
            #expect(try RequestPath(path.description) == path, "\(raw)")
        }
    }

    @Test("the broker takes git only to hosts that are open as a whole") func git() throws {
        func permits(_ source: AllowRuleSource, port: UInt16 = 443) throws -> Bool {
            let grant = PlaceGrant(
                .git, name: "g", host: "git.example.org", port: port, value: "Bearer x", secret: "12345678")
            return try AllowList([source]).permits(grant)
        }
        func entry(_ edit: (inout AllowRuleSource) -> Void = { _ in }) -> AllowRuleSource {
            var source = AllowRuleSource(id: "g", hosts: ["git.example.org"], ports: [443])
            edit(&source)
            return source
        }
        #expect(try permits(entry()))
        #expect(try permits(entry { $0.hosts = ["*.example.org"] }))
        #expect(try !permits(entry(), port: 8443))
        #expect(try !permits(entry { $0.hosts = ["example.org"] }))
        #expect(try !permits(entry { $0.methods = ["GET"] }))
        #expect(try !permits(entry { $0.paths = ["/team/**"] }))
        #expect(try !permits(entry { $0.inspect = true }))
        #expect(try !permits(entry { $0.requestsPerMinute = 5 }))
        #expect(try !permits(entry { $0.connections = 5 }))
        #expect(try !permits(entry { $0.maxUpload = 5 }))
        #expect(try !permits(entry { ($0.ports, $0.schemes) = ([443], ["http"]) }))
    }
}
