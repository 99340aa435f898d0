import AiboxConfig
import AiboxNetwork
import AiboxSystem
import AiboxWire
import Testing

@testable import AiboxPolicy

@Suite("What a sandbox loses when exceptions end")
struct ExceptionEndingTests {
    private static let org = """
        version: 1
        network: {user_hosts: USERS, allow: [{id: own, hosts: [own.example.com]}]}
        exceptions:
          - {id: vendor, owner: ann, expires: 2026-11-23, hosts: [vendor.example.com]}
          - {id: trial, owner: bob, expires: 2026-11-23, hosts: [trial.example.com]}
          - {id: late, owner: eve, expires: 2026-12-31, hosts: [late.example.com]}
          - {id: over, owner: eve, expires: 2026-11-21, hosts: [over.example.com]}

        """

    private static func endings(
        users: String = "none", project: String? = nil, domains: [String] = [], day: String = "2026-11-22",
        org: String = org
    ) throws -> (plan: EgressPlan, endings: [ExceptionEnding]) {
        var sources = [
            PolicySet.Source(layer: .org, file: "org", bytes: Array(org.replacing("USERS", with: users).utf8))
        ]
        if let project { sources.append(.init(layer: .project, file: "project", bytes: Array(project.utf8))) }
        var settings = Configuration().network
        settings.allowedDomains = domains
        let set = PolicySet(sources, day: day)
        let policy = try set.effective()
        let plan = try #require(try NetworkPolicy(policy).plan(settings))
        return (plan, try set.endings(of: policy, plan, settings))
    }

    @Test("each day that ends takes its exceptions' entries, and no others, at midnight UTC")
    func days() throws {
        let endings = try Self.endings().endings
        #expect(endings.map(\.entries) == [["vendor", "trial"], ["vendor", "trial", "late"]])
        #expect(endings.map(\.words) == ["vendor of ann, trial of bob", "late of eve"])
        #expect(
            endings.map { Timestamp(seconds: $0.at).rfc3339.prefix(19) } == [
                "2026-11-24T00:00:00", "2027-01-01T00:00:00",
            ])
        #expect(endings.allSatisfy { $0.closing == nil })
        #expect(try Self.endings(day: "2027-01-01").endings.isEmpty)
    }

    @Test("where a project lists such a host, everything ends with the exception, as the next start would be refused")
    func listed() throws {
        let project =
            "version: 1\nnetwork: {allow: [{id: mine, hosts: [vendor.example.com]}, {id: own, hosts: [own.example.com]}]}\n"
        let endings = try Self.endings(project: project).endings
        #expect(endings.first?.closing?.contains("would loosen") == true, "\(endings)")
        // One that lists none of them keeps all it has.
        let other = try Self.endings(project: "version: 1\nnetwork: {allow: [{id: own, hosts: [own.example.com]}]}\n")
            .endings
        #expect(other.allSatisfy { $0.closing == nil && $0.entries.isEmpty } && other.count == 2, "\(other)")
    }

    @Test("a person's own hosts stay where the policy permits them; a setting that rested on an exception closes all")
    func settings() throws {
        let kept = try Self.endings(users: "any", domains: ["mine.example.org"])
        #expect(kept.endings.first?.entries == ["vendor", "trial"] && kept.plan.allow.last?.layer == "user")
        let closed = try Self.endings(domains: ["vendor.example.com"]).endings
        #expect(closed.first?.closing?.contains("does not permit vendor.example.com") == true, "\(closed)")
    }

    @Test("what is left is never more than before: of every list, each entry is one of those")
    func tighter() throws {
        for users in ["any", "none"] {
            for domains in [[], ["own.example.com"]] {
                let (plan, endings) = try Self.endings(users: users, domains: domains)
                var rules = try SessionRules(plan.allow, permitsAdditions: plan.permitsAdditions)
                var before = try rules.list()
                for ending in endings {
                    try rules.end(ending)
                    let after = try rules.list()
                    #expect(
                        after.rules.allSatisfy { before.rules.contains($0) } && after.rules.count <= before.rules.count)
                    before = after
                }
                #expect(before.rules.map(\.id) == ["own"])
            }
        }
    }

    @Test("a closing takes what a person added, and lets nobody add again")
    func closing() throws {
        let (plan, _) = try Self.endings(users: "any")
        var rules = try SessionRules(plan.allow, permitsAdditions: plan.permitsAdditions)
        try rules.allow(try HostPattern("added.example.org"), until: nil)
        try rules.end(ExceptionEnding(at: 0, words: "x", closing: "why"))
        #expect(try rules.list().rules.isEmpty)
        #expect(throws: SessionRules.Refusal.self) { try rules.allow(try HostPattern("added.example.org"), until: nil) }
    }

    @Test(
        "an organisation with many exceptions starts a sandbox in time, which ends no later than the last it looked at")
    func many() throws {
        let days = (1...28).map { day in
            "  - {id: e\(day), owner: o, expires: 2027-02-\(day < 10 ? "0" : "")\(day), hosts: [h\(day).example.com]}\n"
        }
        let endings = try Self.endings(org: "version: 1\nexceptions:\n" + days.joined()).endings
        #expect(endings.count == PolicySet.endingsLimit + 1)
        #expect(endings.dropLast().allSatisfy { $0.closing == nil } && endings.last?.closing != nil)
    }

    @Test("policies in Rego are asked about a policy without what has ended")
    func document() throws {
        let policy: JSONValue = [
            "network": ["allow": [["id": "own"], ["id": "vendor"]], "x": 1], "tools": ["rules": []],
        ]
        let ended = ExceptionEnding(at: 0, words: "x", entries: ["vendor"]).applied(to: policy)
        #expect(ended == ["network": ["allow": [["id": "own"]], "x": 1], "tools": ["rules": []]])
        let closed = ExceptionEnding(at: 0, words: "x", closing: "y").applied(to: policy)
        #expect(closed["network"]?["allow"]?.elements?.isEmpty == true)
    }

    @Test("the plan tells the gateway of them, and a gateway of a plan without them hears of none")
    func wire() throws {
        var plan = try Self.endings().plan
        #expect(try EgressPlan(json: plan.json) == plan)
        plan.endings = [
            ExceptionEnding(at: 5, words: "a", entries: ["b"]), ExceptionEnding(at: 6, words: "c", closing: "d"),
        ]
        #expect(try EgressPlan(json: plan.json) == plan)
    }
}
