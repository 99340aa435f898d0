import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxPolicy

@Suite("Decisions about connections")
struct NetworkDeciderTests {
    static func rules(own: String? = nil, sandbox: String = "box") throws -> NetworkRules {
        var sources = try PolicyDeciderTests.modules().sources
        if let own {
            sources.append(.init(name: "own.rego", text: Array("package aibox.org\n\n\(own)\n".utf8), isOwn: true))
        }
        let policy = try PolicySet([.init(layer: .org, file: "org", bytes: Array("version: 1\n".utf8))]).effective()
        return try NetworkRules(
            DecisionPlan(policy: policy.decisionDocument, modules: PolicyModules(sources).json), user: "u",
            sandbox: sandbox)
    }

    static let list = [
        AllowRuleSource(id: "api", hosts: ["api.example.com"], ports: [80, 443], schemes: ["http", "https"]),
        AllowRuleSource(id: "wild", hosts: ["*.example.org"], ports: [443], layer: "team"),
        AllowRuleSource(id: "read", hosts: ["read.example.com"], methods: ["GET"], paths: ["/v1/**"]),
        AllowRuleSource(id: "session-allow", hosts: ["added.example.net"], ports: [80, 443], layer: "session"),
    ]

    @Test(
        "an organisation's refusal in Rego stops what the list allows, and says which rule of which file",
        arguments: [
            ("nothing is refused", "", "api.example.com:443", "api"),
            ("a host at one port", "input.request.port == 443", "api.example.com:443", "refused own"),
            ("and not at another", "input.request.port == 443", "http://api.example.com/", "api"),
            ("a method", #"input.request.method == "POST""#, "http://api.example.com/", "api"),
            ("a path", #"startswith(input.request.path, "/admin")"#, "http://api.example.com/admin/x", "refused own"),
            ("one sandbox", #"input.sandbox.name == "box""#, "a.example.org:443", "refused own"),
            ("another sandbox", #"input.sandbox.name == "other""#, "a.example.org:443", "wild"),
            ("a user", #"input.subject.user == "u""#, "a.example.org:443", "refused own"),
            ("what a person added", #"endswith(input.request.host, ".net")"#, "added.example.net:443", "refused own"),
            ("by the list itself", "count(input.policy.network.allow) == 4", "api.example.com:443", "refused own"),
            ("what the list refuses stays the list's", "true", "evil.example:443", "refused default-deny"),
            ("a tunnel that will be opened", "input.request.method", "read.example.com:443", "read"),
            ("a request in it", "input.request.method", "https://read.example.com/v1/a", "refused own"),
        ])
    func refusals(what: String, condition: String, target: String, expected: String) throws {
        let rule = "deny contains {\"rule\": \"own\", \"reason\": \"not at \(what)\"} if {\n\t\(condition)\n}"
        let decider = try Self.rules(own: condition.isEmpty ? "deny := set()" : rule).decider(try AllowList(Self.list))
        let verdict = decider.decide(try EgressRequest(target))
        switch verdict.decision {
        case .allow(let grant):
            #expect(grant.rule == expected, "\(what)")
            #expect(verdict.rego?.refuses == false)
        case .deny(let denial):
            #expect("refused \(denial.rule)" == expected, "\(what): \(denial)")
            if denial.rule == "own" {
                #expect(denial.code == .policyRefused && denial.status == 403 && denial.layer == "org")
                #expect(denial.reason == "not at \(what)" && verdict.rego?.place == "own.rego:3")
                #expect(denial.nextSteps.contains { $0.contains("own.rego:3") })
                #expect(verdict.rego?.answer.input.count == 64 && verdict.rego?.policies.count == 64)
            }
        }
    }

    @Test(
        "what cannot be evaluated refuses every connection",
        arguments: [
            ("an error", "deny contains {\"rule\": \"x\"} if 1 / (input.request.port - 443) == 1"),
            ("no set", "deny := {\"a\": 1} if input.request"),
            (
                "longer than somebody waits",
                "deny contains \"x\" if slow(input.request.port)\n\nslow(port) if count([1 | some x in numbers.range(1, 3000); some y in numbers.range(1, 3000); x * y < 0]) == port"
            ),
        ])
    func failures(what: String, own: String) throws {
        let own = own.hasPrefix("deny := {") ? own + "\n\ndeny := set() if not input.request" : own
        let decider = try Self.rules(own: own).decider(try AllowList(Self.list))
        let begun = ContinuousClock.now
        let verdict = decider.decide(try EgressRequest("api.example.com:443"))
        #expect(!verdict.decision.isAllowed && verdict.rego?.refuses == true, "\(what): \(verdict)")
        #expect(begun.duration(to: .now) < .seconds(20))
    }

    @Test("an answer that is remembered is never one to another policy, list, sandbox or question")
    func remembered() throws {
        let closed = "deny contains {\"rule\": \"own\", \"reason\": \"r\"} if input.request.port == 443"
        let list = try AllowList(Self.list)
        let other = try AllowList([AllowRuleSource(id: "second", hosts: ["api.example.com"], ports: [443])])
        let (open, refusing) = (try Self.rules(), try Self.rules(own: closed))
        let request = try EgressRequest("api.example.com:443")
        let deciders = [open.decider(list), refusing.decider(list), open.decider(other)]
        for _ in 0..<3 {
            #expect(deciders.map { $0.decide(request).decision.isAllowed } == [true, false, true])
            #expect(Set(deciders.compactMap { $0.decide(request).rego?.answer.input }).count == 2)
            #expect(deciders[2].decide(request).rego?.answer.decision.rule == "second")
            #expect(!deciders[1].decide(request).decision.isAllowed)
            #expect(deciders[1].decide(try EgressRequest("http://api.example.com/")).decision.isAllowed)
        }
        let named = try Self.rules(own: "deny contains \"x\" if input.sandbox.name == \"box\"")
        let unnamed = try Self.rules(own: "deny contains \"x\" if input.sandbox.name == \"box\"", sandbox: "b")
        #expect(!named.decider(list).decide(request).decision.isAllowed)
        #expect(unnamed.decider(list).decide(request).decision.isAllowed)
    }

    @Test("the digest of an answer is that of the whole input document")
    func digest() throws {
        let policy = try PolicySet([.init(layer: .org, file: "org", bytes: Array("version: 1\n".utf8))]).effective()
        let decider = PolicyDecider(policy, engine: try Self.rules().engine, user: "u")
        for question in [
            PolicyQuestion.network(try EgressRequest("http://a.example.com/x")), .model("m"), .tool(["git"]),
        ] {
            #expect(try decider.answer(question).input == PolicyInput.digest(decider.input(question)))
        }
    }

    @Test("what is remembered has an end, and the answers stay right")
    func bounded() throws {
        let own = "deny contains {\"rule\": \"odd\", \"reason\": \"r\"} if endswith(input.request.path, \"1\")"
        let decider = try Self.rules(own: own).decider(try AllowList(Self.list))
        for number in 0..<(PolicyDecider.remembered + 50) {
            let request = try EgressRequest("http://api.example.com/\(number)")
            #expect(decider.decide(request).decision.isAllowed == (number % 10 != 1))
        }
        for number in 0..<100 {
            let request = try EgressRequest("http://api.example.com/\(number)")
            #expect(decider.decide(request).decision.isAllowed == (number % 10 != 1))
        }
    }

    @Test("the list and the policies in Rego mean the same by every entry and every request")
    func agreement() throws {
        var random = SeededGenerator(seed: 4711)
        func one<Element>(_ elements: [Element]) -> Element {
            elements[Int.random(in: 0..<elements.count, using: &random)]
        }
        func some<Element>(_ elements: [Element], _ percent: Int) -> [Element] {
            elements.filter { _ in Int.random(in: 0..<100, using: &random) < percent }
        }
        let hosts = [
            "a.example.com", "b.example.com", "*.example.com", "x.a.example.com", "*.a.example.com", "example.com",
        ]
        let paths = [
            "/", "/**", "/v1/**", "/v1/*", "/v1/*/b", "/a.b", "/v*1", "/(x)", "/[a]", "/{a,b}", "/a%20b", "/v1/", "/*",
            "/a+b", "/$", "/a|b", "/~u/*.txt",
        ]
        let asked = [
            "/", "/v1", "/v1/", "/v1/a", "/v1/a/b", "/v1//b", "/a.b", "/axb", "/v1/x/b", "/v1.1", "/(x)", "/[a]", "/a",
            "/{a,b}", "/a%20b", "/vx1", "/v1/../a", "/a..b", "/a+b", "/aab", "/$", "/a|b", "/~u/.txt", "/~u/a.txt",
        ]
        let rules = try Self.rules()
        var (allowed, refused) = (0, 0)
        for _ in 0..<150 {
            let sources = (0..<Int.random(in: 1...4, using: &random)).compactMap { index -> AllowRuleSource? in
                let names = some(hosts, 60)
                if names.isEmpty { return nil }
                let schemes: [String]? = one([nil, ["https"], ["http"], ["http", "https"]])
                let methods = some(["GET", "POST"], 40)
                let patterns = some(paths, 30)
                let source = AllowRuleSource(
                    id: "r\(index)", hosts: names, ports: one([[443], [80, 443], [80, 443, 8080]]), schemes: schemes,
                    methods: methods.isEmpty ? nil : methods, paths: patterns.isEmpty ? nil : patterns,
                    layer: one(["org", "team", "project", "session", "user"]))
                return (try? AllowList([source])) == nil ? nil : source
            }
            guard let list = try? AllowList(sources) else { continue }
            let decider = rules.decider(list)
            for _ in 0..<40 {
                let scheme = one([AllowRule.Scheme.http, .https])
                let content: EgressRequest.Content =
                    one([true, false, false])
                    ? .tunnel
                    : .http(scheme, method: one(["GET", "POST", "PUT", "get"]), path: try RequestPath(one(asked)))
                let host = one([
                    "a.example.com", "b.example.com", "c.example.com", "x.a.example.com", "y.a.example.com",
                    "example.com", "z.net",
                ])
                let request = EgressRequest(host: try HostName(host), port: one([80, 443, 8080]), content: content)
                let own = list.decide(request)
                let answer = decider.asked(request)
                #expect((answer.outcome == .allow) == own.isAllowed, "\(request) \(sources) \(own) \(answer)")
                if own.isAllowed { allowed += 1 } else { refused += 1 }
            }
        }
        #expect(allowed > 300 && refused > 300, "\(allowed) \(refused)")
    }
}
