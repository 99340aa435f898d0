import AiboxTestSupport
import Testing

@testable import AiboxCredentials

@Suite("When leases are renewed and replaced")
struct LeaseScheduleTests {
    @Test(
        "at two thirds of its length, up to a fifteenth earlier", arguments: [6, 60, 3600, 315_360_000] as [Int64])
    func twoThirds(seconds: Int64) {
        var random = SeededGenerator(seed: UInt64(seconds))
        for _ in 0..<200 {
            let chance = Double.random(in: 0..<1, using: &random)
            let term = LeaseTerm(seconds: seconds, isRenewable: true, now: 1000, chance: chance)
            let share = (term.next - 1000) / Double(seconds)
            #expect(share > 0.59 && share <= 2.0 / 3)
            #expect(term.step(now: term.next - 0.001) == nil && term.step(now: term.next) == .renew)
            #expect(term.step(now: term.end) == .over)
        }
    }

    @Test("what lives for a second or two is left alone for three", arguments: [1, 2, 3] as [Int64])
    func noStorm(seconds: Int64) {
        let term = LeaseTerm(seconds: seconds, isRenewable: true, now: 1000, chance: 0.5)
        #expect(term.next == 1003 && term.end == 1000 + Double(seconds) && term.step(now: term.end) == .over)
    }

    @Test("what cannot be renewed, or is given less than was asked, is replaced")
    func longestLife() {
        let fixed = LeaseTerm(seconds: 60, isRenewable: false, now: 0, chance: 0)
        #expect(fixed.step(now: 50) == .replace)
        var term = LeaseTerm(seconds: 60, isRenewable: true, now: 0, chance: 0)
        term.renewed(seconds: 60, isRenewable: true, now: 40, chance: 0)
        #expect(term.step(now: 80) == .renew && term.end == 100)
        term.renewed(seconds: 20, isRenewable: true, now: 80, chance: 0)
        #expect(term.step(now: 90) == nil && term.step(now: 94) == .replace && term.step(now: 100) == .over)
        var refused = LeaseTerm(seconds: 60, isRenewable: true, now: 0, chance: 0)
        refused.cannotBeRenewed(now: 41)
        #expect(refused.step(now: 41) == .replace)
    }

    @Test("after failures it waits longer each time, never more than 72 seconds, and never forever")
    func backsOff() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<50 {
            var term = LeaseTerm(seconds: 1 << 40, isRenewable: true, now: 0, chance: 0)
            var now = term.next
            for failures in 1...40 {
                term.failed(now: now, chance: .random(in: 0..<1, using: &random))
                let pause = term.next - now
                let usual = min(60, Double(1 << min(failures - 1, 6)))
                #expect(pause >= usual * 0.8 && pause <= usual * 1.2)
                now = term.next
            }
            #expect(term.step(now: now) == .renew)
            term.renewed(seconds: 1 << 40, isRenewable: true, now: now, chance: 0)
            #expect(term.failures == 0)
        }
    }

    private static func schedule() -> LeaseSchedule {
        var schedule = LeaseSchedule()
        schedule.token = LeaseTerm(seconds: 900, isRenewable: true, now: 0, chance: 0)
        schedule.items = [
            .init(
                name: "a", until: 5000,
                kind: .dynamic("a/1", LeaseTerm(seconds: 60, isRenewable: true, now: 0, chance: 0)), look: 2000),
            .init(name: "b", until: 70, kind: .fixed, look: 300),
        ]
        return schedule
    }

    @Test("the policy's end comes before everything, and what was replaced is revoked after a grace")
    func order() {
        var schedule = Self.schedule()
        #expect(schedule.next == 40 && schedule.due(now: 39) == nil && schedule.due(now: 40) == .renew("a"))
        #expect(schedule.due(now: 70) == .end("b"))
        schedule["b"] = nil
        schedule.put("a/2", LeaseTerm(seconds: 600, isRenewable: true, now: 45, chance: 0), for: "a", now: 45)
        #expect(schedule.retired.map(\.id) == ["a/1"] && schedule.due(now: 50) == nil)
        // Not after its own end: a lease that ended need not be revoked.
        #expect(schedule.due(now: 59) == .revoke("a/1"))
        schedule.retired = []
        schedule.put("a/3", LeaseTerm(seconds: 600, isRenewable: true, now: 100, chance: 0), for: "a", now: 100)
        #expect(schedule.due(now: 399) == nil && schedule.due(now: 400) == .revoke("a/2"))
        #expect(schedule.due(now: 600) == .renewToken)
        schedule.renewAll(now: 610)
        schedule.token = nil
        #expect(schedule.due(now: 610) == .replace("a"))
    }

    @Test("a token that ended is replaced, with pauses; nothing is due without end")
    func token() {
        var schedule = Self.schedule()
        schedule["b"] = nil
        for step in 0..<2000 {
            guard let next = schedule.next, let work = schedule.due(now: next) else { continue }
            switch work {
            case .renewToken, .replaceToken: schedule.token?.failed(now: next, chance: 0.5)
            case .renew(let name), .replace(let name), .over(let name): schedule.failed(name, now: next, chance: 0.5)
            case .look(let name): schedule.failedToLook(name, now: next, chance: 0.5)
            case .end(let name): schedule[name] = nil
            case .revoke: break
            }
            if step < 40, let after = schedule.next { #expect(after > next || schedule.due(now: after) != work) }
        }
        #expect(schedule.items.isEmpty, "the policy ended it")
    }
}
