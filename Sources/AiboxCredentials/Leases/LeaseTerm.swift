/// The life of one thing that Vault lends, a lease or a token, and when something is to be done about it.
///
/// Times are seconds since 1970: a machine that slept finds its leases as old as Vault does. `chance` is a random number of
/// 0 ..< 1, so that the keepers of many sandboxes do not ask all at once.
struct LeaseTerm: Sendable, Equatable {
    /// What is due.
    enum Step: Sendable, Equatable {
        case renew
        /// It cannot be prolonged any more: another takes its place.
        case replace
        /// It has ended, and nothing took its place.
        case over
    }

    /// When it ends.
    private(set) var end: Double
    /// What was granted at first, and is asked for again: seconds.
    let wish: Int64
    private(set) var isRenewable: Bool
    /// When something is due.
    private(set) var next: Double
    /// How often that went wrong since it last went right.
    private(set) var failures = 0

    init(seconds: Int64, isRenewable: Bool, now: Double, chance: Double) {
        wish = seconds
        end = now + Double(seconds)
        self.isRenewable = isRenewable
        next = Self.due(seconds, now, chance)
    }

    /// At two thirds, and up to a fifteenth of the whole earlier; of what lives for seconds alone not more often than so.
    private static func due(_ seconds: Int64, _ now: Double, _ chance: Double) -> Double {
        now + max(shortest, Double(seconds) * (2.0 / 3 - chance / 15))
    }

    /// Seconds: each is a login, or an account somewhere behind Vault.
    private static let shortest: Double = 3

    func step(now: Double) -> Step? {
        if now >= end { return .over }
        if now < next { return nil }
        return isRenewable ? .renew : .replace
    }

    /// Vault prolonged it. Less than was asked for means that its longest life is near: the next step replaces it.
    mutating func renewed(seconds: Int64, isRenewable: Bool, now: Double, chance: Double) {
        end = now + Double(seconds)
        self.isRenewable = isRenewable && Double(seconds) >= 0.9 * Double(wish)
        next = Self.due(seconds, now, chance)
        failures = 0
    }

    /// Vault will not prolong it: it is replaced now.
    mutating func cannotBeRenewed(now: Double) {
        isRenewable = false
        next = now
    }

    mutating func setBack(by seconds: Double) {
        end -= seconds
        next -= seconds
    }

    /// Vault did not answer, or gave no other: 1, 2, 4, ... at most 60 seconds from now, a fifth more or less.
    mutating func failed(now: Double, chance: Double) {
        failures += 1
        next = now + Self.pause(after: failures, chance: chance)
    }

    static func pause(after failures: Int, chance: Double) -> Double {
        min(60, Double(1 << min(max(failures - 1, 0), 6))) * (0.8 + 0.4 * chance)
    }
}
