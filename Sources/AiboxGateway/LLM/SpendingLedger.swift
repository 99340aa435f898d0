import AiboxCrypto
import AiboxSystem
import AiboxWire
import Glibc
import Synchronization

/// What a user's sandboxes have spent on language models today, or one of them: a small file of the user's, which their
/// gateways share.
///
/// A reservation is in the file before a request goes out, and stays there if nobody takes it back: what is lost counts
/// as spent. One thread uses it. Nobody waits for the disk: another thread syncs it, a second after the first change that
/// is not synced yet, so that a power cut takes back what came in about that second.
final class SpendingLedger: Sendable {
    /// Of one day of UTC.
    struct Day: Equatable {
        /// Since 1970.
        var day: Int64
        var spent = LLMAmount()

        /// The day that holds now: never an earlier one, so that a clock that is set back gives nothing back.
        func at(_ second: Int64) -> Day {
            let today = second >= 0 ? second / 86_400 : 0
            return today > day ? Day(day: today) : self
        }
    }

    /// Whose sum it is.
    enum Owner {
        case user, sandbox

        fileprivate var name: String { self == .user ? "this user" : "this sandbox" }
        fileprivate var prefix: String { self == .user ? "llm.daily_" : "llm.sandbox_daily_" }

        fileprivate func limits(_ all: BrokerPlan.Limits) -> (tokens: Int?, cost: Int?) {
            self == .user ? (all.dailyTokens, all.dailyCost) : (all.sandboxDailyTokens, all.sandboxDailyCost)
        }
    }

    private let owner: Owner
    private let file: Descriptor
    private let sync: @Sendable (Descriptor) -> Void
    private let isSyncing = Atomic(false)
    private static let syncDelay: UInt32 = 1_000_000
    private static let what = "cannot keep what language models cost"
    /// Two places, written in turn: one that was written halfway leaves the other.
    private static let slot = 128
    private static let patience = Duration.seconds(2)

    /// Opens the file, or makes it.
    init(
        _ path: String, of owner: Owner = .user,
        sync: @escaping @Sendable (Descriptor) -> Void = { fdatasync($0.number) }
    ) throws(AiboxError) {
        self.owner = owner
        self.sync = sync
        file = Descriptor(
            try retrying(Self.what) { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600) })
        try File.synchronise(folder: Path.parent(path))
    }

    /// Takes what a request may cost.
    ///
    /// - Parameter second: since 1970.
    /// - Returns: the ruling, with the day that it was taken from.
    func take(_ amount: LLMAmount, _ limits: BrokerPlan.Limits, at second: Int64) throws(AiboxError) -> LLMRuling {
        let own = owner.limits(limits)
        return try change { day in
            day = day.at(second)
            let sum = day.spent.adding(amount)
            if let limit = own.tokens, sum.tokens > limit {
                let left = "\(max(0, limit - day.spent.tokens))"
                return refusal("tokens", "\(limit) tokens", left, "\(amount.tokens)")
            }
            if let limit = own.cost, sum.micros > limit {
                let left = LLMAmount.text(micros: max(0, limit - day.spent.micros))
                return refusal(
                    "cost", "a cost of \(LLMAmount.text(micros: limit))", left,
                    LLMAmount.text(micros: amount.micros))
            }
            day.spent = sum
            var ruling = LLMRuling.allowed
            ruling.day = day.day
            return ruling
        }
    }

    private func refusal(_ what: String, _ limit: String, _ left: String, _ wish: String) -> LLMRuling {
        LLMRuling(
            isAllowed: false, rule: owner.prefix + what, layer: "org",
            reason: "the day's limit of \(limit) has \(left) left for \(owner.name), and this request may take \(wish)")
    }

    /// Puts what a request cost in the place of what was taken for it. A day that is over stays as it is.
    ///
    /// - Parameter second: since 1970.
    func settle(_ settlement: LLMSettlement, at second: Int64) throws(AiboxError) {
        try change { day in
            // Where nothing was taken it may be the first of its day.
            day = day.at(second)
            if day.day == settlement.day {
                day.spent = day.spent.removing(settlement.taken).adding(settlement.cost)
            }
        }
    }

    // MARK: The file

    private func change<Answer>(_ body: (inout Day) -> Answer) throws(AiboxError) -> Answer {
        guard try FileLock.lock(file, within: Self.patience, Self.what) else {
            throw AiboxError(.failed, Self.what, why: "another process has held the ledger for \(Self.patience)")
        }
        defer { FileLock.unlock(file) }
        let (number, before) = try read()
        var day = before
        let answer = body(&day)
        if day != before || number == 0 { try write(day, number: number + 1) }
        return answer
    }

    /// The newer of the two places that can be read.
    private func read() throws(AiboxError) -> (number: Int64, day: Day) {
        var bytes = [UInt8](repeating: 0, count: Self.slot * 2 + 1)
        let room = bytes.count
        let count = try retrying(Self.what) { pread(file.number, &bytes, room, 0) }
        if count == 0 { return (0, Day(day: 0)) }
        let found = [0, Self.slot].compactMap { start -> (number: Int64, day: Day)? in
            start + Self.slot <= count ? Self.parse(bytes[start..<start + Self.slot]) : nil
        }
        guard count <= Self.slot * 2, let newest = found.max(by: { $0.number < $1.number }) else {
            throw AiboxError(
                .integrity, Self.what, why: "the ledger cannot be read",
                remedy: "somebody has changed it; remove it to begin the day anew")
        }
        return newest
    }

    private static func parse(_ bytes: ArraySlice<UInt8>) -> (number: Int64, day: Day)? {
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard words.count == 5, let number = Int64(words[0]), let day = Int64(words[1]), let tokens = Int(words[2]),
            let micros = Int(words[3]), number > 0, day >= 0, tokens >= 0, micros >= 0
        else { return nil }
        let line = line(Day(day: day, spent: LLMAmount(tokens: tokens, micros: micros)), number)
        return line.elementsEqual(bytes)
            ? (number, Day(day: day, spent: LLMAmount(tokens: tokens, micros: micros))) : nil
    }

    private static func line(_ day: Day, _ number: Int64) -> [UInt8] {
        let text = "\(number) \(day.day) \(day.spent.tokens) \(day.spent.micros)"
        let check = ((try? SHA256.digest(text).hex) ?? "").prefix(16)
        let line = Array("\(text) \(check)".utf8)
        return line + [UInt8](repeating: 0x20, count: max(0, slot - 1 - line.count)) + [0x0A]
    }

    private func write(_ day: Day, number: Int64) throws(AiboxError) {
        let line = Self.line(day, number)
        // The second place exists only behind the first.
        let start = number % 2 == 1 ? 0 : Self.slot
        let count = try retrying(Self.what) { pwrite(file.number, line, line.count, off_t(start)) }
        if count != line.count { throw AiboxError(.failed, Self.what, why: "the disk took only a part") }
        syncSoon()
    }

    /// Syncs what is not synced yet: nothing comes any more.
    func end() { if isSyncing.load(ordering: .acquiring) { sync(file) } }

    private func syncSoon() {
        guard !isSyncing.exchange(true, ordering: .acquiringAndReleasing) else { return }
        do throws(AiboxError) {
            try DedicatedThread.start("aibox-ledger") { [self] in
                usleep(Self.syncDelay)
                // What comes from here on is for the next one.
                isSyncing.store(false, ordering: .releasing)
                sync(file)
            }
        } catch {
            isSyncing.store(false, ordering: .releasing)
            sync(file)
        }
    }
}
