import AiboxConfig
import AiboxNetwork
import AiboxSystem
import AiboxWire
import Testing

@testable import AiboxPolicy

@Suite("What was learned becomes the least addition")
struct LearnedPolicyTests {
    private static let organisation = """
        version: 1
        learn: {mode: permitted}
        network:
          allow:
            - {id: web, hosts: ["*.example.com", example.com], ports: [80, 443, 8443]}
            - {id: api, hosts: [api.example.org], methods: [GET, POST, PUT], paths: ["/v1/**", "/v2/*"]}
            - {id: slow, hosts: ["*.slow.example"], rate_limit: {requests_per_min: 10}, max_upload: 1m}
            - {id: open, hosts: [open.example.org], inspect: true}
        tools:
          rules:
            - {id: git, match: [git], allow: true, risk: safe}
            - {id: push, match: [git, push], allow: true, risk: review-required}
            - {id: no-nc, match: [nc], allow: false}

        """

    private static func set(team: String? = nil, project: String? = nil, organisation: String = organisation)
        -> PolicySet
    {
        var sources = [PolicySet.Source(layer: .org, file: "org.yaml", bytes: Array(organisation.utf8))]
        if let team { sources.append(.init(layer: .team, file: "team.yaml", bytes: Array(team.utf8))) }
        if let project { sources.append(.init(layer: .project, file: "project.yaml", bytes: Array(project.utf8))) }
        return PolicySet(sources, day: "2026-11-22")
    }

    private static func decider(_ own: String? = nil) throws -> (EffectivePolicy) throws(AiboxError) -> NetworkDecider {
        var sources = try PolicyDeciderTests.modules().sources
        if let own {
            sources.append(.init(name: "own.rego", text: Array("package aibox.org\n\n\(own)\n".utf8), isOwn: true))
        }
        let modules = PolicyModules(sources).json
        return { policy throws(AiboxError) in
            let list: AllowList
            do throws(AllowListProblems) { list = try AllowList(NetworkPolicy(policy).allow) } catch {
                throw error.asError
            }
            return try NetworkRules(
                DecisionPlan(policy: policy.decisionDocument, modules: modules), user: "u", sandbox: "s"
            ).decider(list)
        }
    }

    private static func wants(_ requests: [String], calls: [[String]] = []) throws -> LearnedWants {
        var wants = LearnedWants()
        for text in requests {
            let parts = text.split(separator: " ")
            wants.add(
                try EgressRequest(String(parts[parts.count - 1]), method: parts.count > 1 ? String(parts[0]) : "GET"))
        }
        for argv in calls { wants.add(LearnedWants.Call(argv: argv, called: nil)) }
        return wants
    }

    /// A document whose last lines are its list.
    private static func listing(_ entries: [String]) -> String {
        "version: 1\nnetwork:\n  allow:" + (entries.isEmpty ? " []\n" : "\n")
            + entries.map { "    - \($0)\n" }.joined()
    }

    private static let narrow = listing(["{id: one, hosts: [one.example.com]}"])

    /// The set with the printed text appended to the documents it is for, as a person would.
    private static func adding(_ additions: [LearnedPolicy.Addition], to set: PolicySet, leavingOut: String? = nil)
        throws -> PolicySet
    {
        var set = set
        for addition in additions {
            let place = try #require(set.sources.firstIndex { $0.layer == addition.layer })
            var text = String(decoding: set.sources[place].bytes, as: UTF8.self).replacing(" []\n", with: "\n")
            var entries = addition
            entries.entries.removeAll { $0.source.id == leavingOut }
            if entries.entries.isEmpty { continue }
            text += entries.text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(3)
                .joined(separator: "\n")
            set.sources[place].bytes = Array(text.utf8)
        }
        return set
    }

    private static let cases: [(what: String, team: String?, project: String?, wants: [String], entries: Int)] = [
        ("a host", nil, narrow, ["a.example.com:443"], 1),
        ("several hosts alike are one entry", nil, narrow, ["a.example.com:443", "b.example.com:443"], 1),
        ("another port is another entry", nil, narrow, ["a.example.com:443", "b.example.com:8443"], 2),
        ("a scheme", nil, narrow, ["http://example.com/"], 1),
        ("methods and paths of a limited entry", nil, narrow, ["POST https://api.example.org/v1/a/b"], 1),
        (
            "only those that were used", nil, narrow,
            ["GET https://api.example.org/v1/a", "PUT https://api.example.org/v2/x", "api.example.org:443"], 1
        ),
        ("limits come along", nil, narrow, ["a.slow.example:443", "b.slow.example:443"], 1),
        ("opened tunnels stay opened", nil, narrow, ["open.example.org:443"], 1),
        ("a team that is narrow", narrow, nil, ["a.example.com:443"], 1),
        (
            "team and project, each in its file", listing(["{id: t, hosts: [one.example.com]}"]),
            narrow, ["a.example.com:443"], 2
        ),
        (
            "a name that a wildcard gave something", nil,
            listing(["{id: wild, hosts: [\"*.example.com\"]}"]),
            ["a.example.com:8443", "a.example.com:443", "b.example.com:443"], 2
        ),
        ("nothing at all was open", nil, listing([]), ["a.example.com:443"], 1),
    ]

    @Test("the addition is valid by itself and in its file, lets through all that was wanted, and has nothing to spare")
    func roundTrip() throws {
        for (what, team, project, texts, count) in Self.cases {
            let set = Self.set(team: team, project: project)
            let wants = try Self.wants(texts)
            let learned = try LearnedPolicy(set, wants, decider: try Self.decider())
            #expect(learned.additions.flatMap(\.entries).count == count, "\(what)")
            #expect(learned.beyond.isEmpty && learned.left.isEmpty && learned.removals.isEmpty, "\(what): \(learned)")
            for addition in learned.additions {
                let alone = PolicySet(
                    set.organisation.sources
                        + [.init(layer: addition.layer, file: addition.file, bytes: Array(addition.text.utf8))],
                    day: set.day)
                #expect(alone.problems.isEmpty, "\(what): \(alone.problems) \(addition.text)")
            }
            let changed = try Self.adding(learned.additions, to: set)
            #expect(changed.problems.isEmpty, "\(what): \(changed.problems)")
            let decider = try Self.decider()(try changed.effective())
            for (request, _) in wants.requests {
                #expect(decider.decide(request).decision.isAllowed, "\(what): \(request.words)")
            }
            for entry in learned.additions.flatMap(\.entries) {
                let without = try Self.adding(learned.additions, to: set, leavingOut: entry.source.id)
                let less = try Self.decider()(try without.effective())
                #expect(
                    wants.requests.contains { !less.decide($0.request).decision.isAllowed },
                    "\(what): \(entry.source.id) is not needed")
            }
            // With it nothing more is to do.
            let again = try LearnedPolicy(changed, wants, decider: try Self.decider())
            #expect(again.additions.isEmpty && again.passing == wants.requests.count, "\(what)")
        }
    }

    @Test(
        "what the organisation refuses is never printed as an entry, by its list or its Rego, and says whose word it needs"
    )
    func beyond() throws {
        let own = #"deny contains {"rule": "no-b", "reason": "not b"} if input.request.host == "b.example.com""#
        let learned = try LearnedPolicy(
            Self.set(project: Self.narrow),
            try Self.wants([
                "a.example.com:443", "b.example.com:443", "evil.example:443", "x.a.example.com:443", "a.example.com:22",
                "DELETE https://api.example.org/v1/x", "GET https://api.example.org/v3/x",
            ]), decider: try Self.decider(own))
        #expect(learned.additions.flatMap(\.entries).flatMap(\.source.hosts) == ["a.example.com"])
        #expect(learned.additions.flatMap(\.entries).flatMap(\.source.ports) == [443])
        #expect(
            learned.beyond.map(\.what) == [
                "CONNECT a.example.com:22", "CONNECT b.example.com:443", "CONNECT evil.example:443",
                "CONNECT x.a.example.com:443", "DELETE https://api.example.org:443/v1/x",
                "GET https://api.example.org:443/v3/x",
            ])
        #expect(learned.beyond.first { $0.rule == "no-b" }?.owner?.contains("own.rego") == true)
        #expect(learned.beyond.first { $0.what.contains("evil") }?.owner == "who owns org.yaml:4 (org) may add it")
    }

    @Test("for any lists and requests: valid, enough, nothing beyond the organisation's own list")
    func property() throws {
        var random = SystemRandomNumberGenerator()
        let decider: (EffectivePolicy) throws(AiboxError) -> NetworkDecider = try Self.decider()
        func some<Value>(_ values: [Value]) -> [Value] { values.filter { _ in Bool.random(using: &random) } }
        let hosts = [
            "a.example.com", "b.example.com", "example.com", "api.example.org", "open.example.org", "c.slow.example",
        ]
        var (added, kept) = (0, 0)
        for _ in 0..<12 {
            let own = some(hosts).map { host -> String in
                let limit = host.hasSuffix(".slow.example") ? ", rate_limit: {requests_per_min: 5}, max_upload: 1k" : ""
                let methods = host == "api.example.org" ? ", methods: [GET], paths: [/v1/a]" : ""
                let inspect = host == "open.example.org" ? ", inspect: true" : ""
                return "{id: \(host), hosts: [\(host)]\(limit)\(methods)\(inspect)}"
            }
            let wild = Bool.random(using: &random) ? ["{id: wild, hosts: [\"*.example.com\"]}"] : []
            let set = Self.set(project: Self.listing(own + wild))
            try #require(set.problems.isEmpty, "\(set.problems)")
            let texts = some([
                "a.example.com:443", "a.example.com:8443", "b.example.com:8443", "http://example.com/x",
                "POST https://api.example.org/v1/b", "GET https://api.example.org/v2/z", "open.example.org:443",
                "c.slow.example:443", "d.slow.example:443", "evil.test:443", "a.example.com:9",
            ])
            let wants = try Self.wants(texts)
            let learned = try LearnedPolicy(set, wants, decider: decider)
            let most = try decider(try set.organisation.effective())
            for addition in learned.additions {
                let alone = PolicySet(
                    set.organisation.sources
                        + [.init(layer: addition.layer, file: "x", bytes: Array(addition.text.utf8))], day: set.day)
                #expect(alone.problems.isEmpty, "\(alone.problems)\n\(addition.text)")
                added += addition.entries.count
                kept += addition.entries.count { $0.seen == 0 }
            }
            let permitted = wants.requests.filter { most.decide($0.request).decision.isAllowed }
            #expect(learned.beyond.count == wants.requests.count - permitted.count)
            // What is said to be left is the only thing that is: limits may leave no room for another entry.
            if learned.left.isEmpty {
                let after = try decider(try Self.adding(learned.additions, to: set).effective())
                for want in wants.requests {
                    #expect(
                        after.decide(want.request).decision.isAllowed
                            == most.decide(want.request).decision.isAllowed, "\(want.request.words)")
                }
            }
        }
        #expect(added > 5, "\(added) \(kept)")
    }

    @Test(
        "of rules about tools those are named that have to go, and no more",
        arguments: [
            ("a denial", "{id: p, match: [git, fetch], allow: false}", ["git", "fetch", "x"], ["p"], 0),
            ("another command is not held", "{id: p, match: [git, fetch], allow: false}", ["git", "log"], [], 0),
            (
                "a review", "{id: p, match: [git, fetch], allow: true, risk: review-required}", ["git", "fetch"], ["p"],
                0
            ),
            (
                "the organisation's review stays", "{id: p, match: [git, push], allow: false}", ["git", "push"], ["p"],
                0
            ),
            (
                "what the organisation reviews itself", "{id: p, match: [git, fetch], allow: false}", ["git", "push"],
                [], 1
            ),
            ("what the organisation denies", "{id: p, match: [nc, x], allow: false}", ["nc", "y"], [], 1),
            (
                "a program that the organisation does not name", "{id: p, match: [make], allow: false}", ["make"],
                ["p"], 0
            ),
            (
                "a program of which no rule lets the rest run", "{id: p, match: [make, install], allow: false}",
                ["make", "all"], ["p"], 0
            ),
            (
                "a program of which a rule lets a command alone run",
                "{id: p, match: [make, test], allow: true, risk: safe}", ["make", "all"], ["p"], 0
            ),
            (
                "the command that it lets run", "{id: p, match: [make, test], allow: true, risk: safe}",
                ["make", "test"], [], 0
            ),
        ])
    func tools(what: String, rule: String, argv: [String], expected: [String], beyond: Int) throws {
        let set = Self.set(project: "version: 1\ntools: {rules: [\(rule)]}\n")
        let learned = try LearnedPolicy(set, try Self.wants([], calls: [argv]), decider: try Self.decider())
        #expect(learned.removals.map(\.rule) == expected, "\(what)")
        #expect(learned.beyond.count == beyond, "\(what): \(learned.beyond)")
        #expect(learned.beyond.allSatisfy { $0.isReviewed == (what == "what the organisation reviews itself") })
        #expect(learned.removals.allSatisfy { $0.origin.layer == .project && $0.origin.line == 2 })
    }

    @Test(
        "learning lets run what the organisation names by no name, and nothing else of what it names",
        arguments: [
            ("{match: [/usr/bin/git, status], allow: true, risk: safe}", "{match: [git, fetch], allow: false}", []),
            ("{match: [\"g*\", status], allow: true, risk: safe}", "{match: [git, fetch], allow: false}", []),
            ("{match: [git, status], allow: true, risk: safe}", "{match: [/usr/bin/git, fetch], allow: false}", []),
            ("{match: [\"*\"], allow: true, risk: safe}", "{match: [git, fetch], allow: false}", ["git"]),
            ("{match: [make], allow: false}", "{match: [git, fetch], allow: false}", ["git"]),
        ])
    func unnamed(organisation: String, project: String, expected: [String]) throws {
        func document(_ rule: String) -> String { "tools: {rules: [\(rule)]}\n" }
        let set = Self.set(
            project: "version: 1\n" + document(project),
            organisation: "version: 1\nlearn: {mode: permitted}\n" + document(organisation))
        let plan = try #require(try LearnPlan(set, try set.effective(), network: nil))
        let ids = (plan.policy["tools"]?["rules"]?.elements ?? []).compactMap { $0["id"]?.stringValue }
        #expect(ids.filter { $0.hasPrefix("learn.unnamed:") } == expected.map { "learn.unnamed:" + $0 })
    }

    @Test("only the organisation can permit learning, and everybody can take it back")
    func permission() throws {
        let silent = "version: 1\n"
        func permits(_ organisation: String, _ project: String?) -> Bool? {
            try? Self.set(project: project, organisation: organisation).effective().permitsLearning
        }
        #expect(permits(silent, nil) == false)
        #expect(permits("version: 1\nlearn: {mode: permitted}\n", nil) == true)
        #expect(permits("version: 1\nlearn: {mode: permitted}\n", "version: 1\nlearn: {mode: forbidden}\n") == false)
        #expect(permits(silent, "version: 1\nlearn: {mode: permitted}\n") == nil)
        #expect(permits("version: 1\nlearn: {mode: forbidden}\n", "version: 1\nlearn: {mode: permitted}\n") == nil)
    }

    @Test("while it learns, a request passes exactly where the organisation alone permits it, by list and by Rego")
    func learning() throws {
        var random = SystemRandomNumberGenerator()
        let own = """
            deny contains {"rule": "b", "reason": "not b"} if input.request.host == "b.example.com"

            deny contains {"rule": "mixed", "reason": "not with this"} if {
            	input.request.port == 8443
            	count(input.policy.filesystem.protected) > 0
            }
            """
        var sources = try PolicyDeciderTests.modules().sources
        sources.append(.init(name: "own.rego", text: Array("package aibox.org\n\n\(own)\n".utf8), isOwn: true))
        let set = Self.set(
            project:
                "version: 1\nfilesystem: {protected: [/workspace/x]}\nnetwork: {allow: [{id: one, hosts: [one.example.com]}, {id: api, hosts: [api.example.org], methods: [GET], paths: [/v1/a]}]}\n"
        )
        let policy = try set.effective()
        let held = try #require(try NetworkPolicy(policy).plan(Configuration().network))
        let plan = try #require(try LearnPlan(set, policy, network: held))
        let rules = try NetworkRules(
            DecisionPlan(policy: policy.decisionDocument, modules: PolicyModules(sources).json), user: "u", sandbox: "s"
        )
        var allow: [AllowRuleSource] = []
        for entry in plan.allow { allow.append(try AllowRuleSource(json: entry)) }
        let session = try SessionRules(held.allow, permitsAdditions: false)
        let denied = {
            var session = session
            session.deny(try HostPattern("denied.example.com"), until: nil)
            return session
        }
        let changed = try denied()
        let normal = rules.decider(try changed.list())
        let learning = try #require(rules.learning(try changed.list(over: allow), organisation: plan.policy))
        let organisation = try rules.decider(AllowList(NetworkPolicy(try set.organisation.effective()).allow))
        let hosts = [
            "one.example.com", "a.example.com", "b.example.com", "denied.example.com", "example.com", "evil.test",
            "api.example.org", "open.example.org", "x.slow.example", "x.a.example.com",
        ]
        var (passed, refused) = (0, 0)
        for _ in 0..<600 {
            let host = try HostName(hosts.randomElement(using: &random) ?? "")
            let port = [80, 443, 8443, 22].randomElement(using: &random) ?? 443
            let content: EgressRequest.Content =
                Bool.random(using: &random)
                ? .tunnel
                : .http(
                    [.http, .https].randomElement(using: &random) ?? .http,
                    method: ["GET", "POST", "DELETE"].randomElement(using: &random) ?? "GET",
                    path: try RequestPath(["/", "/v1/a", "/v1/b", "/v3"].randomElement(using: &random) ?? "/"))
            let request = EgressRequest(host: host, port: UInt16(port), content: content)
            let first = normal.decide(request)
            let verdict = first.decision.isAllowed ? first : learning.judge(request, first)
            guard verdict.decision.isAllowed else {
                refused += 1
                continue
            }
            passed += 1
            #expect(organisation.decide(request).decision.isAllowed, "\(request.words) is above the organisation's")
            #expect(host.text != "b.example.com" && host.text != "denied.example.com", "\(request.words)")
            if !first.decision.isAllowed {
                #expect(
                    verdict.learned != nil && port != 8443 && !host.text.hasSuffix(".slow.example"), "\(request.words)")
            }
        }
        #expect(passed > 50 && refused > 50, "\(passed) \(refused)")
        // What the project's own list opens stays opened, and with the organisation's limits.
        let tunnel = try EgressRequest("api.example.org:443")
        guard case .allow(let grant) = normal.decide(tunnel).decision else { throw Unexpected() }
        #expect(grant.needsInspection && learning.list.inspects)
    }

    private struct Unexpected: Error {}
}
