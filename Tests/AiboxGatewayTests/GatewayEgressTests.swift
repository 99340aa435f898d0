import AiboxAudit
import AiboxContainer
import AiboxCrypto
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

/// The way out as a process in the sandbox's namespace sees it.
@Suite("Gateway egress", .serialized)
struct GatewayEgressTests {
    private struct Answer {
        var exit: Int32
        var status: String
        var body: String
        var errors: String
    }

    private func curl(_ gateway: LiveGateway, _ origin: Origin, _ url: String, _ more: [String] = []) throws -> Answer {
        let arguments =
            ["-sS", "-m", "20", "--cacert", origin.authority, "-x", "http://10.200.1.1:3128", "-w", "\n%{http_code}"]
            + more + [url]
        let result = try SystemCommandRunner().run(gateway.inBox("curl", arguments))
        let lines = result.text.split(separator: "\n", omittingEmptySubsequences: false)
        return Answer(
            exit: result.termination.status, status: String(lines.last ?? ""),
            body: lines.dropLast().joined(separator: "\n"), errors: result.errorText)
    }

    private func serving(_ plan: EgressPlan) throws -> (LiveGateway, Origin) {
        let origin = try Origin()
        let gateway = try LiveGateway(plan: plan)
        try gateway.client.serving()
        return (gateway, origin)
    }

    /// With an entry that has its tunnels opened, and the file of the authority that signs in them.
    private func opening(_ rules: AllowRuleSource...) throws -> (LiveGateway, Origin, trusted: String) {
        let origin = try Origin()
        // Squid may run as another account, which has to read the authority.
        chmod(origin.folder.path, 0o755)
        var plan = Origin.plan(rules)
        plan.originAuthorities = [origin.authority]
        let gateway = try LiveGateway(plan: plan)
        try gateway.client.serving()
        return (gateway, origin, try origin.folder.write("gateway.crt", try #require(gateway.ready.authority)))
    }

    static let http = "http://allowed.test:\(Origin.http)"
    static let https = "https://allowed.test:\(Origin.https)"

    @Test("what is listed passes, in the clear and spliced, and each request is one event")
    func allowed() throws {
        let (gateway, origin) = try serving(Origin.plan())
        let plain = try curl(gateway, origin, Self.http + "/headers")
        #expect(plain.status == "200" && !plain.body.lowercased().contains("x-aibox"), "\(plain)")
        let spliced = try curl(gateway, origin, Self.https + "/")
        #expect(spliced.status == "200" && spliced.body.contains("origin"), "\(spliced)")
        #expect(origin.requests.count == 2)
        let events = try gateway.events("network.allow")
        #expect(events.map(\.subject) == ["allowed.test:18080", "allowed.test:18443"])
        #expect(events.allSatisfy { $0.json["details"]?["rule"]?.stringValue == "origin" })
        #expect(eventually { (try? gateway.events("network.end").count) == 2 })
        let ended = try gateway.events("network.end")
        #expect(ended.map { $0.json["details"]?["allow"]?.stringValue } == events.map(\.id))
        #expect(ended.allSatisfy { ($0.json["details"]?["bytes_in"]?.wholeNumber ?? 0) > 10 })
        #expect(try gateway.events("network.deny").isEmpty)
    }

    static let refused: [(what: String, url: String, more: [String], status: String, code: String)] = [
        ("an unlisted host", "http://denied.test:18080/", [], "403", "host_not_allowed"),
        ("an unlisted port", "http://allowed.test:18081/", [], "403", "port_not_allowed"),
        ("an address", "http://\(Origin.address):18080/", [], "403", "address_literal"),
        ("another host in Host", "http://allowed.test:18080/", ["-H", "Host: other.test"], "403", "host_mismatch"),
        ("https to an unlisted host", "https://denied.test:18443/", ["-D", "-"], "000", "host_not_allowed"),
    ]

    @Test("what is not listed is refused in JSON, and each refusal is one event")
    func refusals() throws {
        let (gateway, origin) = try serving(Origin.plan())
        for (index, entry) in Self.refused.enumerated() {
            let answer = try curl(gateway, origin, entry.url, entry.more)
            #expect(answer.status == entry.status, "\(entry.what): \(answer)")
            if entry.status == "403" { #expect(answer.body.contains("\"error\":\"\(entry.code)\""), "\(answer.body)") }
            let events = try gateway.events("network.deny")
            #expect(events.count == index + 1, "\(entry.what)")
            #expect(events.last?.json["details"]?["code"]?.stringValue == entry.code, "\(entry.what)")
            #expect(events.last?.outcome == "denied")
        }
        #expect(origin.requests.isEmpty)
        #expect(try gateway.events("network.allow").isEmpty)
        // The denial of a CONNECT is readable too.
        let answer = try curl(gateway, origin, "https://denied.test:18443/", ["-v"])
        #expect(answer.errors.contains("403 Forbidden"))
    }

    @Test("another name in TLS than in CONNECT goes nowhere")
    func fronting() throws {
        let (gateway, origin) = try serving(Origin.plan())
        let answer = try curl(
            gateway, origin, "https://other.test:18443/", ["--connect-to", "other.test:18443:allowed.test:18443"])
        #expect(answer.exit != 0 && origin.requests.isEmpty)
        #expect(try gateway.events("network.deny").map { $0.json["details"]?["code"]?.stringValue } == ["sni_mismatch"])
        #expect(try gateway.events("network.allow").map(\.subject) == ["allowed.test:18443"], "what CONNECT was told")
    }

    @Test("a listed name that leads to an address nobody opened is refused in words")
    func privateTarget() throws {
        let (gateway, origin) = try serving(Origin.plan(opened: false))
        let answer = try curl(gateway, origin, Self.http + "/")
        #expect(answer.status == "403" && answer.body.contains("\"error\":\"private_target\""), "\(answer)")
        #expect(origin.requests.isEmpty)
    }

    @Test("with nothing on the list every request gets a 403, and no Squid runs")
    func nothing() throws {
        let (gateway, origin) = try serving(EgressPlan())
        let answer = try curl(gateway, origin, Self.http + "/")
        #expect(answer.status == "403" && answer.body.contains("not on the allow-list"), "\(answer)")
        #expect(!gateway.log.contains("squid serves"))
    }

    @Test(
        "an entry with methods and paths is opened: listed requests pass, others get a 403 in JSON, origins are verified"
    )
    func inspected() throws {
        let rule = AllowRuleSource(
            id: "api", hosts: ["api.allowed.test"], ports: [Int(Origin.https)], schemes: ["https"], methods: ["GET"],
            paths: ["/headers", "/v1/**"])
        let origin = try Origin()
        // Squid may run as another account, which has to read the authority.
        chmod(origin.folder.path, 0o755)
        let api = "https://api.allowed.test:\(Origin.https)"
        for isKnown in [false, true] {
            var plan = Origin.plan([rule])
            if isKnown { plan.originAuthorities = [origin.authority] }
            let gateway = try LiveGateway(plan: plan)
            try gateway.client.serving()
            let pem = try #require(gateway.ready.authority)
            #expect(pem.contains("BEGIN CERTIFICATE") && !pem.contains("PRIVATE"))
            let trusted = try origin.folder.write("gateway.crt", pem)
            let ask = { (path: String, more: [String]) throws in
                try self.curl(gateway, origin, api + path, ["--cacert", trusted] + more)
            }
            let listed = try ask("/headers", [])
            if !isKnown {
                #expect(listed.status != "200" && !origin.requests.contains { $0.contains("/headers") }, "\(listed)")
                continue
            }
            #expect(listed.status == "200" && !listed.body.lowercased().contains("x-aibox"), "\(listed)")
            for (path, more) in [("/other", []), ("/v1/x", ["-d", "x=y"]), ("/v1/%2e%2e/other", ["--path-as-is"])] {
                let refused = try ask(path, more)
                #expect(refused.status == "403", "\(path): \(refused)")
                #expect(try JSONParser.parse(Array(refused.body.utf8))["error"]?.stringValue == "request_not_allowed")
            }
            #expect(!origin.requests.contains { $0.contains("/other") || $0.contains("POST") })
            #expect(eventually { (try? gateway.events("network.deny").count) == 3 }, "one record a refusal")
            // Each request inside is an event of its own, the query is in none.
            #expect(try ask("/headers?token=query-secret", []).status == "200")
            #expect(eventually { (try? inside(gateway, "network.allow").count) == 2 }, "one record a request")
            let refused = try inside(gateway, "network.deny")
            #expect(refused.map { $0["path"]?.stringValue } == ["/other", "/v1/x", "/v1/%2e%2e/other"], "\(refused)")
            #expect(refused.map { $0["method"]?.stringValue } == ["GET", "POST", "GET"])
            let passed = try inside(gateway, "network.allow")
            #expect(passed.map { $0["path"]?.stringValue } == ["/headers", "/headers"], "\(passed)")
            #expect(passed.allSatisfy { $0["rule"]?.stringValue == "api" && $0["input"]?.stringValue?.count == 64 })
            // The end of each names its beginning.
            let begun = try gateway.events("network.allow").filter {
                $0.json["details"]?["protocol"]?.stringValue == "https"
            }
            let ends = {
                try gateway.events("network.end").compactMap { $0.json["details"] }.filter { $0["status"] != nil }
            }
            #expect(eventually { (try? ends().count) == 2 }, "one end a request")
            #expect(try ends().map { $0["allow"]?.stringValue } == begun.map { $0.json["id"]?.stringValue })
            #expect(
                try ends().allSatisfy { $0["status"]?.wholeNumber == 200 && ($0["bytes_in"]?.wholeNumber ?? 0) > 10 })
            #expect((refused + passed).allSatisfy { $0["host"]?.stringValue == "api.allowed.test" })
            #expect(try !gateway.events().contains { "\($0.json)".contains("query-secret") })
            // The host of the gateway's own request to Squid hides nothing that names it.
            let marker = "squid-probe.aibox.internal"
            for path in ["/v1/\(marker)", "/headers?x=\(marker)"] { #expect(try ask(path, []).status != "403") }
            for path in ["/\(marker)", "/other?x=\(marker)"] { #expect(try ask(path, []).status == "403") }
            // Not even one who asks for exactly that, inside a tunnel.
            #expect(try ask("/", ["--request-target", "http://\(marker)/"]).status == "403")
            #expect(eventually { (try? gateway.events("network.deny").count) == 6 })
            #expect(eventually { (try? inside(gateway, "network.allow").count) == 4 })
            // Without that authority the tunnel is no good, and what is not inspected stays closed.
            #expect(try curl(gateway, origin, api + "/headers").exit != 0)
            #expect(try curl(gateway, origin, Self.https + "/").status == "200")
        }
    }

    static let lent = BrokerPlan(
        grants: [
            .init(
                name: "llm-api-key:anthropic", api: .anthropic,
                surrogate: "sk-ant-aibox-" + String(repeating: "0123456789abcdef", count: 4), secret: "sk-real-12345678"
            )
        ], models: ["*"])
    /// Of another sandbox.
    static let stranger = "sk-aibox-" + String(repeating: "fedcba9876543210", count: 4)

    @Test(
        "what stands for a credential goes nowhere: in the clear, in a CONNECT, in an opened tunnel; each is a finding")
    func surrogates() throws {
        let rule = AllowRuleSource(
            id: "api", hosts: ["api.allowed.test"], ports: [Int(Origin.https), 443], schemes: ["https"],
            methods: ["GET", "POST"])
        let origin = try Origin()
        chmod(origin.folder.path, 0o755)
        var plan = Origin.plan([rule])
        plan.originAuthorities = [origin.authority]
        let gateway = try LiveGateway(name: "elsewhere", plan: plan, llm: Self.lent)
        try gateway.client.serving()
        let trusted = try origin.folder.write("gateway.crt", try #require(gateway.ready.authority))
        let own = try #require(Self.lent.grants.first?.surrogate)
        let api = "https://api.allowed.test:\(Origin.https)"
        let opened = ["--cacert", trusted]
        let rows: [(what: String, url: String, more: [String], host: String, subject: String)] = [
            (
                "in the clear", Self.http + "/headers", ["-H", "x-api-key: \(own)"], "allowed.test:18080",
                "llm-api-key:anthropic"
            ),
            (
                "of another sandbox", Self.http + "/headers", ["-H", "Authorization: Bearer \(Self.stranger)"],
                "allowed.test:18080", "llm"
            ),
            (
                "as a password", Self.http + "/headers", ["-u", "user:\(own)"], "allowed.test:18080",
                "llm-api-key:anthropic"
            ),
            ("in the path", Self.http + "/put/\(own)", [], "allowed.test:18080", "llm-api-key:anthropic"),
            (
                "to an unlisted host", "http://denied.test:18080/?\(own)", [], "denied.test:18080",
                "llm-api-key:anthropic"
            ),
            (
                "in an opened tunnel", api + "/v1", opened + ["-H", "x-api-key: \(own)"], "api.allowed.test:18443",
                "llm-api-key:anthropic"
            ),
            (
                "in one, as a password", api + "/v1", opened + ["-u", "user:\(own)"], "api.allowed.test:18443",
                "llm-api-key:anthropic"
            ),
            (
                "in one, with a body", api + "/v1", opened + ["-d", "x", "-H", "X: \(Self.stranger)"],
                "api.allowed.test:18443", "llm"
            ),
            ("in one, in the query", api + "/v1?k=\(own)", opened, "api.allowed.test:18443", "llm-api-key:anthropic"),
        ]
        for (index, row) in rows.enumerated() {
            let answer = try curl(gateway, origin, row.url, row.more)
            #expect(
                answer.status == "403" && answer.body.contains("\"rule\":\"credential.elsewhere\""),
                "\(row.what): \(answer)")
            let findings = try gateway.events("credential.use")
            #expect(findings.count == index + 1, "\(row.what)")
            let finding = try #require(findings.last)
            #expect(finding.outcome == "denied" && finding.severity == "high" && finding.subject == row.subject)
            #expect(finding.json["details"]?["host"]?.stringValue == row.host, "\(row.what): \(finding.json.text)")
            let denials = try gateway.events("network.deny")
            #expect(denials.count == index + 1, "\(row.what)")
            #expect(denials.last?.json["details"]?["code"]?.stringValue == "credential_elsewhere")
        }
        // In the head of a CONNECT curl shows the status alone.
        let connect = try curl(
            gateway, origin, Self.https + "/", ["-v", "--proxy-header", "X: \(own)"])
        #expect(connect.errors.contains("403 Forbidden"), "\(connect.errors)")
        #expect(try gateway.events("credential.use").count == rows.count + 1)
        #expect(origin.requests.isEmpty)
        // The control: without it the same goes through, also in a body, which nobody reads.
        #expect(try curl(gateway, origin, Self.http + "/headers", ["-H", "x-api-key: sk-ant-other"]).status == "200")
        #expect(try curl(gateway, origin, api + "/headers", opened).status == "200")
        let all = try gateway.events().map { String(decoding: $0.line, as: UTF8.self) }.joined() + gateway.log
        #expect(
            !all.contains(own) && !all.contains(Self.stranger)
                && !all.contains(Base64.encode(Array("user:\(own)".utf8))))
        // The policy only reports.
        #expect(try gateway.client.status().cutOff == nil)
    }

    @Test("where the policy says stop, the sandbox is cut off once the finding is in the log")
    func stops() throws {
        let origin = try Origin()
        let gateway = try LiveGateway(name: "misuse", plan: Origin.plan(), llm: Self.lent) { $0.endsOnMisuse = true }
        try gateway.client.serving()
        #expect(try curl(gateway, origin, Self.http + "/headers").status == "200")
        #expect(try gateway.client.status().cutOff == nil)
        _ = try curl(gateway, origin, Self.http + "/headers", ["-m", "3", "-H", "x-api-key: \(Self.stranger)"])
        #expect(eventually { (try? gateway.client.status().cutOff) != nil })
        let reason = try #require(try gateway.client.status().cutOff)
        #expect(reason.contains("allowed.test") && reason.contains("credentials.on_misuse"), "\(reason)")
        let link = try gateway.run(gateway.inGateway("ip", ["-brief", "link", "show", "box0"]))
        #expect(link.contains("DOWN"), "\(link)")
        #expect(try curl(gateway, origin, Self.http + "/headers", ["-m", "2"]).status == "000")
        #expect(eventually { (try? gateway.events("gateway.cutoff").count) == 1 })
        let types = try gateway.events().map(\.type)
        let finding = try #require(types.firstIndex(of: "credential.use"))
        let cut = try #require(types.firstIndex(of: "gateway.cutoff"))
        #expect(finding < cut && origin.requests.count == 1)
        // A person decides that it goes on.
        try gateway.client.repair()
        // The neighbour, for whom the other side looked in vain meanwhile, is found again within a second or two.
        #expect(eventually { (try? curl(gateway, origin, Self.http + "/headers").status) == "200" })
    }

    @Test("an entry that is opened works wherever it stands in the list, also alone")
    func openedFirst() throws {
        let origin = try Origin()
        chmod(origin.folder.path, 0o755)
        let rule = AllowRuleSource(
            id: "api", hosts: ["api.allowed.test"], ports: [Int(Origin.https)], schemes: ["https"], paths: ["/headers"])
        for others in [[], Origin.plan().allow] {
            var plan = Origin.plan()
            plan.allow = [rule] + others
            plan.originAuthorities = [origin.authority]
            let gateway = try LiveGateway(plan: plan)
            try gateway.client.serving()
            let trusted = try origin.folder.write("gateway.crt", try #require(gateway.ready.authority))
            let answer = try curl(
                gateway, origin, "https://api.allowed.test:\(Origin.https)/headers", ["--cacert", trusted])
            let refused = try gateway.events("network.deny").map { "\($0.json)" }
            #expect(answer.status == "200", "\(answer) \(refused)")
        }
    }

    @Test("what stands in a body is no request, whatever the origin reads of it")
    func hiddenInBody() throws {
        let rule = AllowRuleSource(
            id: "api", hosts: ["api.allowed.test"], ports: [Int(Origin.https), Int(Origin.http)],
            schemes: ["https", "http"], methods: ["DELETE"], paths: ["/v1/**"])
        let (gateway, origin, trusted) = try opening(rule)
        func hidden(_ name: String) -> [String] {
            ["-X", "DELETE", "--data-binary", "GET /secret-\(name) HTTP/1.1\r\nHost: api.allowed.test\r\n\r\n"]
        }
        for scheme in ["http:\(Origin.http)", "https:\(Origin.https)"] {
            let part = scheme.split(separator: ":")
            let url = "\(part[0])://api.allowed.test:\(part[1])/v1/x"
            for more in [[], ["-H", "Transfer-Encoding: chunked"]] {
                let answer = try curl(gateway, origin, url, ["--cacert", trusted] + hidden("through") + more)
                #expect(answer.status == "200", "\(url) \(more): \(answer)")
            }
        }
        // The control: this origin does read a request there.
        try SystemCommandRunner().require(
            Command(
                "curl", ["-sS", "--noproxy", "*", "http://\(Origin.address):\(Origin.http)/v1/x"] + hidden("straight")),
            "cannot reach the origin")
        #expect(eventually { origin.requests.contains { $0.contains("/secret-straight") } })
        #expect(!origin.requests.contains { $0.contains("/secret-through") })
    }

    /// A path as it is asked for, and as it arrives; nil: it does not.
    private static let dotted: [(asked: String, arrives: String?)] = [
        ("/headers/./a", "/headers/a"), ("/./headers/a", "/headers/a"), ("/headers/.", "/headers/"),
        ("/././v1/./x", "/v1/x"), ("/v1/./x?y=/./../.&z=%2e", "/v1/x?y=/./../.&z=%2e"), ("/v1/x?/./", "/v1/x?/./"),
        ("/" + String(repeating: "./", count: 3500) + "v1/x", "/v1/x"),
        ("/v1/./a%2bb", "/v1/a%2Bb"), ("/v1/./a%20b", "/v1/a%20b"),
        ("/./secret", nil), ("/v1/./x/./y", nil), ("/.", nil), ("/v1/./../secret", nil), ("/./../v1/x", nil),
        ("/v1/.//x", nil), ("/v1/%2e/x", nil), ("/v1/./%2E/x", nil), ("/v1/./..%2fx", nil), ("/v1/.;/x", nil),
        ("/v1/./%78", nil),
    ]

    @Test(". segments are taken out of what goes out, in opened tunnels as in the clear, and it is what was decided on")
    func dots() throws {
        let methods = ["GET", "HEAD", "DELETE", "POST"]
        let api = AllowRuleSource(
            id: "api", hosts: ["api.allowed.test"], ports: [Int(Origin.https), Int(Origin.http)],
            schemes: ["https", "http"], methods: methods, paths: ["/headers/**", "/v1/*"])
        let whole = AllowRuleSource(
            id: "whole", hosts: ["paths.test"], ports: [Int(Origin.https)], schemes: ["https"], inspect: true)
        let (gateway, origin, trusted) = try opening(api, whole)
        let base = "https://api.allowed.test:\(Origin.https)"
        let asIs = ["--path-as-is", "--cacert", trusted]
        func arrived() throws -> [String] {
            try origin.requests.compactMap { try JSONParser.parse(Array($0.utf8))["path"]?.stringValue }
        }
        var expected: [String] = []
        for (asked, arrives) in Self.dotted {
            let answer = try curl(gateway, origin, base + asked, asIs)
            #expect(answer.status == (arrives == nil ? "403" : "200"), "\(asked.prefix(40)): \(answer)")
            if let arrives { expected.append(arrives) }
            #expect(try arrived() == expected, "\(asked.prefix(40))")
        }
        // What is recorded is what went out.
        let recorded = try inside(gateway, "network.allow").compactMap { $0["path"]?.stringValue }
        #expect(recorded == expected.map { String($0.prefix { $0 != "?" }) })
        let refused = Self.dotted.filter { $0.arrives == nil }.count
        #expect(eventually { (try? inside(gateway, "network.deny").count) == refused }, "one record a refusal")
        // In the clear it is the same, as far as it arrives.
        for case (let asked, let arrives?) in Self.dotted where !asked.contains("%2e") {
            let answer = try curl(
                gateway, origin, "http://api.allowed.test:\(Origin.http)" + asked, ["--path-as-is"])
            expected.append(arrives)
            #expect(try answer.status == "200" && arrived() == expected, "\(asked.prefix(40)): \(answer)")
        }
        // An entry that limits nothing gets no other path either.
        for (asked, arrives) in [("/a/./b", "/a/b"), ("/./", "/"), ("/./../b", nil), ("/a/%2e/b", nil)] {
            let answer = try curl(gateway, origin, "https://paths.test:\(Origin.https)" + asked, asIs)
            #expect(answer.status == (arrives == nil ? "403" : "200"), "\(asked): \(answer)")
            if arrives == nil { #expect(answer.body.contains("\"rule\":\"normal-path\""), "\(asked): \(answer.body)") }
            expected += [arrives].compactMap(\.self)
        }
        #expect(try arrived() == expected)
    }

    @Test("a request whose path is changed keeps its fields, its connection and its method; one with a body is refused")
    func dotsInHeads() throws {
        let rule = AllowRuleSource(
            id: "whole", hosts: ["paths.test"], ports: [Int(Origin.https)], schemes: ["https"], inspect: true)
        let (gateway, origin, trusted) = try opening(rule)
        let url = "https://paths.test:\(Origin.https)"
        let asIs = ["--path-as-is", "--cacert", trusted]
        func headers(_ path: String, _ more: [String]) throws -> [String] {
            let answer = try curl(gateway, origin, url + path, asIs + more)
            #expect(answer.status == "200", "\(path): \(answer)")
            let fields = try JSONParser.parse(Array(answer.body.utf8))["headers"]?.elements ?? []
            return fields.map { "\($0)" }.filter { !$0.contains("X-Forwarded") && !$0.contains("Cache-Control") }
        }
        for more in [
            ["-H", "X-Test: a,  b", "-H", "Cookie: c=d; e=/./", "-H", "Accept: */*, a/./b"], ["--http1.0"],
            ["-H", "Connection: close"], ["-H", "Connection: X-Hop", "-H", "X-Hop: 1"], ["-H", "Range: bytes=0-1"],
            ["-H", "Authorization: Basic YTpi"], ["-H", "Referer: \(url)/./x"],
        ] {
            let plain = try headers("/headers/a", more)
            #expect(try headers("/headers/./a", more) == plain && !plain.isEmpty, "\(more)")
        }
        // One connection, whose requests are changed and not in turn.
        let paths = ["/headers/./1", "/headers/2", "/headers/./3", "/./headers/4"].map { url + $0 }
        let several = try curl(gateway, origin, paths[0], asIs + ["-w", "%{num_connects}\n"] + paths.dropFirst())
        let connects = several.body.split(separator: "\n").map { $0.suffix(2) } + [several.status.suffix(2)]
        #expect(connects == ["}1", "}0", "}0", "}0"], "\(several)")
        #expect(try curl(gateway, origin, url + "/a/./b", asIs + ["-I"]).status == "200")
        #expect(try curl(gateway, origin, url + "/a/./b", asIs + ["-X", "DELETE"]).status == "200")
        let before = origin.requests.count
        for more in [["-d", "x=y"], ["-d", "x=y", "-H", "Transfer-Encoding: chunked"], ["-X", "PUT", "-d", "x"]] {
            let answer = try curl(gateway, origin, url + "/a/./b", asIs + more)
            #expect(answer.status == "403" && answer.body.contains("normal-path"), "\(more): \(answer)")
        }
        #expect(origin.requests.count == before)
        // The control.
        #expect(try curl(gateway, origin, url + "/a/b", asIs + ["-d", "x=y"]).status == "200")
        // The end of each names its beginning, changed or not.
        let allowed = try inside(gateway, "network.allow").count
        #expect(
            eventually {
                (try? gateway.events("network.end").filter { $0.json["details"]?["status"] != nil }.count) == allowed
            })
    }

    /// What is recorded of requests in opened tunnels.
    private func inside(_ gateway: LiveGateway, _ type: String) throws -> [JSONValue] {
        try gateway.events(type).compactMap { $0.json["details"] }.filter { $0["protocol"]?.stringValue == "https" }
    }

    @Test("without a plan there is no door at all")
    func disabled() throws {
        let origin = try Origin()
        let gateway = try LiveGateway()
        try gateway.client.serving()
        let answer = try curl(gateway, origin, Self.http + "/")
        #expect(answer.status == "000" && answer.errors.contains("Failed to connect"), "\(answer)")
    }

    @Test("clients that know no proxy get the same verdict on ports 80 and 443")
    func transparent() throws {
        let (gateway, origin) = try serving(Origin.plan())
        let direct = { (url: String, name: String) throws -> Answer in
            try self.curl(gateway, origin, url, ["--noproxy", "*", "--resolve", "\(name):10.200.1.1", "-k"])
        }
        let refused = try direct("http://denied.test/", "denied.test:80")
        #expect(refused.status == "403" && refused.body.contains("host_not_allowed"), "\(refused)")
        let closed = try direct("https://denied.test/", "denied.test:443")
        #expect(closed.exit != 0 && closed.status == "000")
        #expect(try gateway.events("network.deny").count == 2)
        // Allowed: nobody serves the origin's port 80, so Squid says that it cannot connect.
        let passed = try direct("http://allowed.test/", "allowed.test:80")
        #expect(passed.status == "503" && passed.body.contains("ERR_CONNECT_FAIL"), "\(passed.status)")
        _ = try direct("https://allowed.test/", "allowed.test:443")
        #expect(try gateway.events("network.allow").map(\.subject) == ["allowed.test:80", "allowed.test:443"])
    }

    @Test("Squid killed: nothing passes, in words; it comes back by itself, and both are told")
    func squidKilled() throws {
        let (gateway, origin) = try serving(Origin.plan())
        let pid = try #require(Self.squid(gateway))
        // While it is stopped, what is on its way waits; killed, it ends.
        kill(pid, SIGKILL)
        #expect(eventually { (try? gateway.events("gateway.cutoff").count) == 1 })
        var statuses: [String] = []
        #expect(
            eventually {
                let status = (try? curl(gateway, origin, Self.http + "/").status) ?? ""
                statuses.append(status)
                return status == "200"
            }, "\(statuses)")
        #expect(statuses.dropLast().allSatisfy { $0 == "503" })
        #expect(try #require(Self.squid(gateway)) != pid)
    }

    @Test("settings that somebody made invalid: Squid ends on them, and what starts instead has its own again")
    func squidMisled() throws {
        let (gateway, origin) = try serving(Origin.plan())
        let pid = try #require(Self.squid(gateway))
        let folder = geteuid() == 0 ? SquidPlace.rootful(runFolder: gateway.runFolder) : gateway.runFolder + "/squid"
        try File.replace(folder + "/1/squid.conf", with: "http_access allow everything\nno such line\n", mode: 0o644)
        kill(pid, SIGHUP)
        // Squid as such may go on with what it had; nothing that was not listed passes either way.
        usleep(500_000)
        #expect(try curl(gateway, origin, "http://denied.test:\(Origin.http)/").status == "403")
        kill(pid, SIGKILL)
        #expect(eventually { (try? curl(gateway, origin, Self.http + "/").status) == "200" })
        #expect(try #require(Self.squid(gateway)) != pid)
        #expect(try curl(gateway, origin, "http://denied.test:\(Origin.http)/").status == "403")
        #expect(origin.requests.allSatisfy { !$0.contains("denied") })
    }

    @Test("the end leaves no process, no file and no shared memory")
    func remains() throws {
        let (gateway, _) = try serving(Origin.plan())
        let pid = try #require(Self.squid(gateway))
        let resolver = try #require(Self.resolver(gateway))
        #expect(SquidPlace.sharedMemory(runFolder: gateway.runFolder) == [], "it needs none while it runs")
        let folder = geteuid() == 0 ? SquidPlace.rootful(runFolder: gateway.runFolder) : gateway.runFolder + "/squid"
        #expect(File.exists(folder + "/1/squid.conf"))
        try gateway.process.stop()
        #expect(!ProcessTable.isAlive(pid) && !File.exists(folder))
        #expect(eventually { !ProcessTable.isAlive(resolver) })
        #expect(SquidPlace.sharedMemory(runFolder: gateway.runFolder) == [])
    }

    @Test("a gateway that is killed takes Squid and the resolver along")
    func gatewayKilled() throws {
        let (gateway, _) = try serving(Origin.plan())
        let pid = try #require(Self.squid(gateway))
        let resolver = try #require(Self.resolver(gateway))
        kill(gateway.ready.pid, SIGKILL)
        #expect(eventually { !ProcessTable.isAlive(pid) && !ProcessTable.isAlive(resolver) })
        // As a Squid leaves it that was killed in the moment of its start.
        let memory = "/dev/shm/\(SquidPlace.serviceName(runFolder: gateway.runFolder))-cf__queues.shm"
        let foreign = "/dev/shm/\(SquidPlace.serviceName(runFolder: gateway.runFolder + "2"))-cf__queues.shm"
        for file in [memory, foreign] { try File.replace(file, with: "x") }
        defer { unlink(foreign) }
        #expect(SquidPlace.sharedMemory(runFolder: gateway.runFolder) == [memory])
        #expect(eventually { (try? GatewayRemains.clear(gateway.runFolder)) == .absent })
        #expect(!File.exists(SquidPlace.rootful(runFolder: gateway.runFolder)))
        #expect(!File.exists(memory) && File.exists(foreign))
    }

    @Test("ten megabytes go up and down unchanged in size, many at once")
    func volume() throws {
        let (gateway, origin) = try serving(Origin.plan())
        let file = origin.folder.path + "/upload"
        try File.replace(file, with: [UInt8](repeating: 7, count: 10 << 20))
        for base in [Self.http, Self.https] {
            let down = try curl(gateway, origin, base + "/big/10485760", ["-o", "/dev/null", "-w", "%{size_download}"])
            #expect(down.status.hasSuffix("10485760"), "\(down)")
            let up = try curl(gateway, origin, base + "/", ["--data-binary", "@" + file])
            #expect(up.body.contains("10485760"), "\(up)")
        }
        let urls = (0..<50).flatMap { _ in ["-o", "/dev/null", Self.https + "/big/100000"] }
        let many = try curl(gateway, origin, Self.https + "/", ["-Z", "--parallel-max", "50"] + urls)
        #expect(many.exit == 0, "\(many.errors)")
        #expect(try gateway.events("network.allow").count > 10, "some share a connection")
    }

    @Test("an upload that comes faster than its origin takes it arrives whole, in the clear and in an opened tunnel")
    func slowOrigin() throws {
        let rule = AllowRuleSource(
            id: "api", hosts: ["api.allowed.test"], ports: [Int(Origin.https)], schemes: ["https"], methods: ["POST"],
            paths: ["/drip/*"])
        let (gateway, origin, trusted) = try opening(rule)
        let file = origin.folder.path + "/upload"
        try File.replace(file, with: [UInt8](repeating: 7, count: 24 << 20))
        for (base, authority) in [(Self.http, origin.authority), ("https://api.allowed.test:\(Origin.https)", trusted)]
        {
            for pace in ["30", "200"] {
                let data = ["-sS", "--cacert", authority, "--data-binary", "@" + file]
                let up = try curl(gateway, origin, base + "/drip/" + pace, data)
                #expect(up.body.contains("25165824"), "\(up)")
            }
        }
    }

    @Test("limits of a rule: bytes sent, requests a minute, connections at a time")
    func limits() throws {
        let rules = [
            AllowRuleSource(
                id: "small", hosts: ["slow.test"], ports: [Int(Origin.http), Int(Origin.https)],
                schemes: ["http", "https"], maxUpload: 1000),
            AllowRuleSource(
                id: "few", hosts: ["api.allowed.test"], ports: [Int(Origin.http)], schemes: ["http"],
                requestsPerMinute: 3),
        ]
        let (gateway, origin) = try serving(Origin.plan(rules))
        let data = ["--data-binary", String(repeating: "x", count: 5000)]
        let announced = try curl(gateway, origin, "http://slow.test:18080/", data)
        #expect(announced.status == "413" && announced.body.contains("upload_too_large"), "\(announced)")
        let chunked = try curl(gateway, origin, "http://slow.test:18080/", data + ["-H", "Transfer-Encoding: chunked"])
        #expect(chunked.status == "413" || chunked.exit != 0, "\(chunked)")
        let tunnelled = try curl(gateway, origin, "https://slow.test:18443/", data)
        #expect(tunnelled.exit != 0, "\(tunnelled)")
        let statuses = try (0..<5).map { _ in try curl(gateway, origin, "http://api.allowed.test:18080/").status }
        #expect(statuses == ["200", "200", "200", "429", "429"])
    }

    private func dig(_ gateway: LiveGateway, _ name: String, _ type: String = "A", _ more: [String] = []) throws
        -> String
    {
        let arguments = ["+time=2", "+tries=1", "+noall", "+comments", "+answer", "@10.200.1.1"] + more + [name, type]
        return try SystemCommandRunner().run(gateway.inBox("dig", arguments)).text
    }

    @Test("a listed name leads to the gateway, every other is unknown, and each question is one event")
    func names() throws {
        let (gateway, _) = try serving(Origin.plan())
        #expect(try dig(gateway, "allowed.test").contains("\tA\t10.200.1.1"))
        #expect(try dig(gateway, "allowed.test", "A", ["+tcp"]).contains("\tA\t10.200.1.1"))
        #expect(try dig(gateway, "c2VjcmV0.unlisted.test", "TXT").contains("status: NXDOMAIN"))
        #expect(
            eventually {
                (try? gateway.events("dns.response").filter { $0.outcome == "denied" }.count) == 1
            })
        let denied = try gateway.events("dns.response").filter { $0.outcome == "denied" }
        #expect(denied.map(\.subject) == ["c2VjcmV0.unlisted.test"])
        #expect(denied.first?.json["details"]?["record"]?.stringValue == "TXT")
    }

    @Test("the resolver killed: its port is closed and names are unknown; it comes back by itself, and both are told")
    func resolverKilled() throws {
        let (gateway, _) = try serving(Origin.plan())
        let resolver = try #require(Self.resolver(gateway))
        kill(resolver, SIGKILL)
        #expect(
            eventually {
                (try? gateway.events("gateway.cutoff").contains {
                    $0.json["details"]?["layer"]?.stringValue == "resolver"
                }) == true
            })
        #expect(
            eventually { (try? dig(gateway, "allowed.test").contains("\tA\t10.200.1.1")) == true })
        #expect(try #require(Self.resolver(gateway)) != resolver)
    }

    @Test("a change while it runs: allowed at once, taken away at once, what is open ends, never beyond the policy")
    func changes() throws {
        var plan = Origin.plan(hosts: ["allowed.test"])
        plan.permitsAdditions = true
        let (gateway, origin) = try serving(plan)
        // Port 80 of the origin is served by nobody: 503 is Squid's, 403 the gateway's.
        #expect(try curl(gateway, origin, "http://other.test/").status == "403")
        #expect(try dig(gateway, "other.test").contains("NXDOMAIN"))
        try gateway.client.change(NetworkChange(.allow, host: "other.test", seconds: nil))
        #expect(try curl(gateway, origin, "http://other.test/").status == "503")
        #expect(try dig(gateway, "other.test").contains("\tA\t10.200.1.1"))
        let slow = try ChildProcess.start(
            gateway.inBox("curl", ["-sS", "-m", "600", "-x", "http://10.200.1.1:3128", Self.http + "/slow/60"]),
            descriptors: [-1, -1, -1])
        #expect(eventually { origin.requests.contains { $0.contains("/slow/60") } })
        try gateway.client.change(NetworkChange(.deny, host: "allowed.test", seconds: 2))
        #expect(eventually { (try? slow.poll()) != nil }, "what was open is closed")
        #expect(try curl(gateway, origin, Self.http + "/").status == "403")
        #expect(
            eventually { (try? curl(gateway, origin, Self.http + "/").status) == "200" },
            "its time is over")
        let words = try gateway.events("policy.change").compactMap { $0.json["details"]?["change"]?.stringValue }
        #expect(words.first == "allow other.test" && words.dropFirst().first == "deny allowed.test for 2 s")
        #expect(throws: AiboxError.self) {
            try gateway.client.change(NetworkChange(.allow, host: "*.com", seconds: nil))
        }
    }

    @Test("without the policy's permission nothing can be added")
    func beyondPolicy() throws {
        let (gateway, origin) = try serving(Origin.plan(hosts: ["allowed.test"]))
        #expect(throws: AiboxError.self) {
            try gateway.client.change(NetworkChange(.allow, host: "other.test", seconds: nil))
        }
        #expect(try curl(gateway, origin, "http://other.test/").status == "403")
    }

    /// The child of the holder that is neither the resting process nor nft.
    static func resolver(_ gateway: LiveGateway) -> Int32? {
        ((try? Folder.names("/proc")) ?? []).compactMap { Int32($0) }.first { pid in
            ProcessTable.parent(of: pid) == gateway.holderPid && pid != gateway.ready.holderPid
                && ProcessTable.isAlive(pid)
        }
    }

    private static func squid(_ gateway: LiveGateway) -> Int32? {
        gateway.log.split(separator: "\n").last { $0.contains("squid serves") }?
            .split(separator: " ").first { $0.hasPrefix("pid=") }
            .flatMap { Int32($0.dropFirst(4)) }
    }
}
