import AiboxWire
import Testing

@testable import AiboxGateway

@Suite("Questions to a person, and how far an answer reaches")
struct ApprovalTableTests {
    private static func table(now: Int64 = 0) -> ApprovalTable {
        var count = 0
        return ApprovalTable(policy: "p", patience: 600, now: now) {
            count += 1
            return "id\(count)"
        }
    }

    private static func call(_ argv: [String], in directory: String = "/w") -> ApprovalTable.Call {
        .init(ToolQuestion(program: "/usr/bin/git", argv: argv, directory: directory))
    }

    private static let push = call(["git", "push"])

    private static func answer(
        _ id: String, _ isApproved: Bool = true, _ scope: ApprovalAnswer.Scope = .once
    ) -> ApprovalAnswer { .init(id: id, isApproved: isApproved, scope: scope, reason: "") }

    @Test(
        "an answer holds for its scope and for nothing but the same call",
        arguments: [
            ("once is once", ApprovalAnswer.Scope.once, push, Int64(1), false),
            ("for the session", .session, push, 100_000, true),
            ("another word", .session, call(["git", "push", "-f"]), 1, false),
            ("a word less", .session, call(["git"]), 1, false),
            ("words cut otherwise", .session, call(["git push"]), 1, false),
            ("another directory", .session, call(["git", "push"], in: "/x"), 1, false),
            ("within its time", .seconds(60), push, 69, true),
            ("after its time", .seconds(60), push, 70, false),
        ])
    func reach(what: String, scope: ApprovalAnswer.Scope, next: ApprovalTable.Call, later: Int64, holds: Bool) {
        for isApproved in [true, false] {
            var table = Self.table()
            #expect(table.ask(Self.push, rule: "r", layer: "org", by: 1, now: 5) == .waits("id1", isNew: true))
            let given = table.answer(Self.answer("id1", isApproved, scope), by: "ann", now: 10)
            let verdict = ApprovalTable.Verdict(approval: "id1", isApproved: isApproved, approver: "ann", reason: "")
            #expect(given?.0 == verdict && given?.1 == [1], "\(what)")
            let standing = table.ask(next, rule: "r", layer: "org", by: 2, now: later)
            #expect(standing == (holds ? .decided(verdict) : .waits("id2", isNew: true)), "\(what)")
        }
    }

    @Test("an answer is taken once, in time, and by its id alone")
    func late() {
        var table = Self.table()
        _ = table.ask(Self.push, rule: "r", layer: "org", by: 1, now: 0)
        #expect(table.answer(Self.answer("id2"), by: "ann", now: 1) == nil)
        #expect(table.answer(Self.answer("id1"), by: "ann", now: 600) == nil)
        #expect(table.open(now: 600).isEmpty && table.lapse(now: 599).isEmpty)
        let lapsed = table.lapse(now: 600)
        #expect(lapsed.map(\.1) == [[1]] && lapsed.first?.0.isApproved == false && lapsed.first?.0.approver == nil)
        _ = table.ask(Self.push, rule: "r", layer: "org", by: 2, now: 700)
        #expect(table.answer(Self.answer("id2"), by: "ann", now: 701) != nil)
        #expect(table.answer(Self.answer("id2"), by: "ann", now: 702) == nil)
    }

    @Test("the same call asks once: an approval lets one go, a denial and a lapse all")
    func together() {
        var table = Self.table()
        for waiter in 1...3 {
            #expect(
                table.ask(Self.push, rule: "r", layer: "org", by: waiter, now: 0) == .waits("id1", isNew: waiter == 1))
        }
        #expect(table.open(now: 1).map(\.waiting) == [3])
        #expect(table.answer(Self.answer("id1"), by: "ann", now: 1)?.1 == [1])
        #expect(table.open(now: 1).map(\.waiting) == [2])
        #expect(table.answer(Self.answer("id1", false), by: "ann", now: 1)?.1 == [2, 3])
        #expect(table.open(now: 1).isEmpty)
    }

    @Test("who gives up is not waited for, and takes the question with him if he is the last")
    func withdrawal() {
        var table = Self.table()
        _ = table.ask(Self.push, rule: "r", layer: "org", by: 1, now: 0)
        _ = table.ask(Self.push, rule: "r", layer: "org", by: 2, now: 0)
        #expect(table.withdraw(1) == nil && table.open(now: 0).map(\.waiting) == [1])
        #expect(table.withdraw(7) == nil && table.withdraw(2) == "id1" && table.open(now: 0).isEmpty)
        #expect(table.answer(Self.answer("id1"), by: "ann", now: 1) == nil)
    }

    @Test("a flood of questions, open or taken back, reaches nobody")
    func flood() {
        var table = Self.table()
        for number in 0..<100 {
            let standing = table.ask(Self.call(["git", "\(number)"]), rule: "r", layer: "org", by: number, now: 0)
            #expect((standing == .refused) == (number >= ApprovalTable.limit), "\(number)")
        }
        for number in 0..<100 { _ = table.withdraw(number) }
        #expect(table.open(now: 0).isEmpty)
        let asked = (0..<100).count { second in
            let standing = table.ask(Self.push, rule: "r", layer: "org", by: 1, now: Int64(second))
            _ = table.withdraw(1)
            return standing != .refused
        }
        #expect(asked == 9)
        var crowd = Self.table()
        let waiting = (0..<100).count { crowd.ask(Self.push, rule: "r", layer: "org", by: $0, now: 0) != .refused }
        #expect(waiting == ApprovalTable.waiterLimit)
    }
}
