import AiboxNetwork
import Testing

/// What `aibox network allow` and `deny` make of the organisation's list.
@Suite("Rules of a stay")
struct SessionRulesTests {
    private func rules(additions: Bool) throws -> SessionRules {
        try SessionRules(
            [AllowRuleSource(id: "org", hosts: ["listed.example", "*.internal.example"])],
            permitsAdditions: additions)
    }

    private func verdict(_ rules: SessionRules, _ host: String) throws -> Bool {
        try rules.list().decide(EgressRequest(host: HostName(host), port: 443, content: .tunnel)).isAllowed
    }

    @Test("nothing is added where the organisation permits no additions")
    func beyondPolicy() throws {
        var rules = try rules(additions: false)
        let other = try HostPattern("other.example")
        #expect(throws: SessionRules.Refusal.beyondPolicy(other)) { try rules.allow(other, until: nil) }
        #expect(try !verdict(rules, "other.example"))
        // What is listed anyway can be allowed again after a denial.
        let listed = try HostPattern("listed.example")
        rules.deny(listed, until: nil)
        #expect(try !verdict(rules, "listed.example"))
        try rules.allow(listed, until: nil)
        #expect(try verdict(rules, "listed.example"))
    }

    @Test("the last word counts, whatever was denied before; it leads no further than the policy")
    func lastWord() throws {
        for additions in [false, true] {
            var rules = try SessionRules(
                [AllowRuleSource(id: "org", hosts: ["listed.corp.example", "*.internal.example"])],
                permitsAdditions: additions)
            let (all, listed) = (try HostPattern("*.corp.example"), try HostPattern("listed.corp.example"))
            let one = try HostPattern("a.internal.example")
            rules.deny(all, until: nil)
            rules.deny(one, until: nil)
            #expect(try !verdict(rules, "listed.corp.example") && !verdict(rules, "a.internal.example"))
            // A wider denial is lifted by its own name, though the policy does not list that.
            #expect(throws: SessionRules.Refusal.denied(by: all)) { try rules.allow(listed, until: nil) }
            try rules.allow(all, until: nil)
            #expect(try verdict(rules, "listed.corp.example") && !verdict(rules, "a.internal.example"))
            #expect(try verdict(rules, "other.corp.example") == additions)
            // And a narrower one by a wider pattern.
            try rules.allow(try HostPattern("*.internal.example"), until: nil)
            #expect(try verdict(rules, "a.internal.example") && verdict(rules, "b.internal.example"))
            rules.deny(all, until: nil)
            #expect(try !verdict(rules, "other.corp.example") && !verdict(rules, "listed.corp.example"))
        }
        var rules = try rules(additions: false)
        let other = try HostPattern("other.example")
        rules.deny(other, until: nil)
        try rules.allow(other, until: nil)
        #expect(try !verdict(rules, "other.example"), "it is as it was before the denial")
        #expect(throws: SessionRules.Refusal.beyondPolicy(other)) { try rules.allow(other, until: nil) }
    }

    @Test("an addition holds until its time is over; a denial is stronger than every rule")
    func times() throws {
        var rules = try rules(additions: true)
        let now = ContinuousClock.now
        let other = try HostPattern("other.example")
        try rules.allow(other, until: now + .seconds(10))
        #expect(try verdict(rules, "other.example") && rules.nextEnd == now + .seconds(10))
        rules.deny(try HostPattern("*.internal.example"), until: now + .seconds(5))
        #expect(try !verdict(rules, "a.internal.example"))
        #expect(throws: SessionRules.Refusal.denied(by: try HostPattern("*.internal.example"))) {
            try rules.allow(try HostPattern("a.internal.example"), until: nil)
        }
        rules.endDenials(now + .seconds(5))
        #expect(try verdict(rules, "a.internal.example"))
        rules.endAdditions(now + .seconds(9))
        #expect(try verdict(rules, "other.example"))
        rules.endAdditions(now + .seconds(10))
        #expect(try !verdict(rules, "other.example"))
        #expect(rules.nextEnd == nil)
    }
}
