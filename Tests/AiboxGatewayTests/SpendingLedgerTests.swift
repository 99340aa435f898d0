import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Synchronization
import Testing

@testable import AiboxGateway

@Suite("What a user's sandboxes spend in a day")
struct SpendingLedgerTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path + "/ledger" }
    private static let day: Int64 = 20_000
    private static let noon = day * 86_400 + 43_200

    init() throws { folder = try TemporaryFolder(prefix: "aibox-ledger") }

    private func limits(_ tokens: Int? = nil, cost: Int? = nil) -> BrokerPlan.Limits {
        BrokerPlan.Limits(dailyTokens: tokens, dailyCost: cost)
    }

    private func take(_ ledger: SpendingLedger, _ tokens: Int, _ limit: Int, at second: Int64 = noon) throws -> Bool {
        try ledger.take(LLMAmount(tokens: tokens), limits(limit), at: second).isAllowed
    }

    @Test("exactly the limit passes, nothing beyond it; what a request did not cost is given back")
    func exact() throws {
        let ledger = try SpendingLedger(path)
        #expect(try take(ledger, 60, 100))
        #expect(try take(ledger, 40, 100))
        let refused = try ledger.take(LLMAmount(tokens: 1), limits(100), at: Self.noon)
        #expect(refused.rule == "llm.daily_tokens" && refused.day == nil && refused.reason.contains("0 left"))
        try ledger.settle(
            LLMSettlement(day: Self.day, taken: LLMAmount(tokens: 60), cost: LLMAmount(tokens: 10)), at: Self.noon)
        #expect(try !take(ledger, 51, 100))
        #expect(try take(ledger, 50, 100))
        // What cost more than was taken counts in full.
        try ledger.settle(
            LLMSettlement(day: Self.day, taken: LLMAmount(tokens: 50), cost: LLMAmount(tokens: 90)), at: Self.noon)
        #expect(try !take(ledger, 0 + 1, 140))
        #expect(try take(ledger, 1, 141))
    }

    @Test("cost has a limit of its own")
    func cost() throws {
        let ledger = try SpendingLedger(path)
        let amount = LLMAmount(tokens: 10, micros: 400)
        #expect(try ledger.take(amount, limits(cost: 800), at: Self.noon).isAllowed)
        #expect(try ledger.take(amount, limits(cost: 800), at: Self.noon).isAllowed)
        #expect(try ledger.take(amount, limits(cost: 800), at: Self.noon).rule == "llm.daily_cost")
        #expect(try ledger.take(amount, limits(30), at: Self.noon).isAllowed)
        #expect(try !ledger.take(LLMAmount(tokens: .max, micros: .max), limits(1, cost: 1), at: Self.noon).isAllowed)
    }

    @Test("all sandboxes of the user count together, and so do those that have ended and begun again")
    func shared() throws {
        let first = try SpendingLedger(path)
        #expect(try take(first, 50, 100))
        let second = try SpendingLedger(path)
        #expect(try take(second, 50, 100))
        #expect(try !take(first, 1, 100))
        #expect(try !take(try SpendingLedger(path), 1, 100))
    }

    /// The ledgers as a gateway of a sandbox opens them.
    private func ledgers(_ sandbox: String) throws -> SpendingLedgers {
        SpendingLedgers(
            user: try SpendingLedger(path), sandbox: try SpendingLedger("\(folder.path)/of-\(sandbox)", of: .sandbox))
    }

    @Test("a sandbox has limits of its own, exact to the token and the millionth, beside the user's")
    func ofSandbox() throws {
        let (first, second) = (try ledgers("a"), try ledgers("b"))
        let limits = BrokerPlan.Limits(dailyTokens: 150, sandboxDailyTokens: 100, sandboxDailyCost: 1000)
        func take(_ ledgers: SpendingLedgers, _ tokens: Int, _ micros: Int = 0, at second: Int64 = Self.noon) throws
            -> String
        {
            try ledgers.take(LLMAmount(tokens: tokens, micros: micros), limits, at: second).rule
        }
        #expect(try take(first, 60) == "" && take(first, 40) == "")
        let refused = try first.take(LLMAmount(tokens: 1), limits, at: Self.noon)
        #expect(refused.rule == "llm.sandbox_daily_tokens" && refused.day == nil)
        #expect(
            refused.reason == "the day's limit of 100 tokens has 0 left for this sandbox, and this request may take 1")
        // The other one has its own, and the user's holds for both: exactly 50 are left of that.
        #expect(try take(second, 51) == "llm.daily_tokens")
        #expect(try take(second, 50) == "")
        #expect(try take(second, 1) == "llm.daily_tokens")
        // What the user's limit refused took nothing from the sandbox's.
        let cost = LLMAmount(tokens: 0, micros: 1000)
        #expect(try second.take(cost, limits, at: Self.noon).isAllowed)
        #expect(try take(second, 0, 1) == "llm.sandbox_daily_cost")
        // What is given back is given back to both.
        for (ledgers, tokens) in [(first, 60), (second, 50)] {
            try ledgers.settle(
                LLMSettlement(day: Self.day, taken: LLMAmount(tokens: tokens), cost: LLMAmount(tokens: 10)),
                at: Self.noon)
        }
        #expect(try take(first, 51) == "llm.sandbox_daily_tokens")
        #expect(try take(first, 50) == "")
        #expect(try take(second, 40) == "" && take(second, 1) == "llm.daily_tokens")
        // A sandbox that begins again has spent what it had; the next day has not.
        #expect(try take(try ledgers("a"), 1) == "llm.sandbox_daily_tokens")
        let midnight = (Self.day + 1) * 86_400
        #expect(try take(try ledgers("a"), 1, at: midnight - 1) == "llm.sandbox_daily_tokens")
        #expect(try take(try ledgers("a"), 100, at: midnight) == "")
        #expect(try take(try ledgers("a"), 1, at: midnight) == "llm.sandbox_daily_tokens")
    }

    @Test("where a sandbox has a limit and no ledger nothing passes") func withoutLedger() throws {
        let ledgers = SpendingLedgers(user: try SpendingLedger(path), sandbox: nil)
        #expect(try ledgers.take(LLMAmount(tokens: 1), limits(5), at: Self.noon).isAllowed)
        for limits in [BrokerPlan.Limits(sandboxDailyTokens: 5), BrokerPlan.Limits(sandboxDailyCost: 5)] {
            #expect(throws: AiboxError.self) { try ledgers.take(LLMAmount(tokens: 1), limits, at: Self.noon) }
        }
    }

    @Test("a day of UTC ends at midnight to the second; what comes back from yesterday changes nothing today")
    func midnight() throws {
        let ledger = try SpendingLedger(path)
        let midnight = (Self.day + 1) * 86_400
        #expect(try take(ledger, 100, 100))
        #expect(try !take(ledger, 1, 100, at: midnight - 1))
        #expect(try take(ledger, 100, 100, at: midnight))
        try ledger.settle(
            LLMSettlement(day: Self.day, taken: LLMAmount(tokens: 100), cost: LLMAmount()), at: midnight)
        #expect(try !take(ledger, 1, 100, at: midnight))
    }

    @Test("a clock that is set back gives nothing back, and neither does one that is set forth and back")
    func clock() throws {
        let ledger = try SpendingLedger(path)
        #expect(try take(ledger, 100, 100))
        for second in [Self.noon - 86_400, 0, -5, Int64.min] { #expect(try !take(ledger, 1, 100, at: second)) }
        #expect(try take(ledger, 100, 100, at: Self.noon + 86_400))
        #expect(try !take(ledger, 1, 100))
    }

    @Test("many at once take exactly the limit")
    func concurrent() async throws {
        let path = path
        let taken = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let ledger = try SpendingLedger(path)
                    var count = 0
                    for _ in 0..<50 {
                        let ruling = try ledger.take(
                            LLMAmount(tokens: 7), BrokerPlan.Limits(dailyTokens: 1000), at: Self.noon)
                        if ruling.isAllowed { count += 1 }
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(taken == 142)
    }

    @Test(
        "one that was cut off while it was written is read as it was before; one that nobody can read lets nothing pass"
    )
    func damaged() throws {
        let ledger = try SpendingLedger(path)
        #expect(try take(ledger, 60, 100))
        #expect(try take(ledger, 30, 100))
        var bytes = try File.read(path)
        #expect(bytes.count == 256)
        // The newer place is half written.
        for index in 130..<160 { bytes[index] = UInt8(ascii: "7") }
        try File.replace(path, with: bytes)
        #expect(try !take(try SpendingLedger(path), 41, 100))
        #expect(try take(try SpendingLedger(path), 40, 100))
        for wrong in [
            "", " ", "1 20000 0 0 0000000000000000", String(repeating: "x", count: 256),
            String(repeating: " ", count: 300),
        ]
        where !wrong.isEmpty {
            try File.replace(path, with: Array(wrong.utf8))
            #expect(throws: AiboxError.self) { try take(try SpendingLedger(path), 1, 100) }
        }
        // A link leads nowhere.
        unlink(path)
        symlink("/dev/null", path)
        #expect(throws: AiboxError.self) { try SpendingLedger(path) }
    }

    @Test("what a sandbox without a limit spends counts for the others, also as the first of a day")
    func untaken() throws {
        let ledger = try SpendingLedger(path)
        #expect(try take(ledger, 100, 100))
        let next = Self.noon + 86_400
        try ledger.settle(
            LLMSettlement(day: Self.day + 1, taken: LLMAmount(), cost: LLMAmount(tokens: 70)), at: next)
        #expect(try !take(ledger, 31, 100, at: next))
        #expect(try take(ledger, 30, 100, at: next))
        // A day that has not come, whoever says so, changes nothing.
        try ledger.settle(
            LLMSettlement(day: Self.day + 9, taken: LLMAmount(tokens: 100), cost: LLMAmount()), at: next)
        #expect(try !take(ledger, 1, 100, at: next))
    }

    @Test("nobody waits for the disk, and within two seconds what was written is synced, many changes at once")
    func synced() throws {
        let syncs = Mutex<[Int]>([])
        let path = path
        let ledger = try SpendingLedger(path) { file in
            usleep(200_000)
            let tokens = (try? File.text(path))?.split(separator: "\n").compactMap { line in
                line.split(separator: " ").dropFirst(2).first.flatMap { Int($0) }
            }.max()
            syncs.withLock { $0.append(tokens ?? 0) }
        }
        let begun = ContinuousClock.now
        for _ in 0..<50 { #expect(try take(ledger, 1, 1000)) }
        #expect(begun.duration(to: .now) < .seconds(1))
        #expect(eventually { syncs.withLock { $0 } == [50] })
        #expect(begun.duration(to: .now) < .seconds(3))
        // What comes while it syncs has a sync of its own.
        #expect(try take(ledger, 1, 1000))
        #expect(eventually { syncs.withLock { $0 } == [50, 51] })
        // The end waits for no second; where nothing came it does nothing.
        ledger.end()
        #expect(syncs.withLock { $0.count } == 2)
        #expect(try take(ledger, 1, 1000))
        ledger.end()
        #expect(syncs.withLock { $0.last } == 52)
    }

    @Test("somebody who holds the lock for good stops requests, not the gateway")
    func locked() throws {
        let ledger = try SpendingLedger(path)
        let other = Descriptor(open(path, O_RDWR | O_CLOEXEC))
        #expect(flock(other.number, LOCK_EX) == 0)
        #expect(throws: AiboxError.self) { try take(ledger, 1, 100) }
        other.close()
        #expect(try take(ledger, 1, 100))
    }
}
