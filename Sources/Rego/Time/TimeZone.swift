/// Offsets from UTC over time, from a compiled zone file (RFC 8536).
final class TimeZone: Sendable {
    struct Period: Sendable, Equatable {
        /// Seconds east of UTC.
        let offset: Int
        let abbreviation: String
        let isDaylight: Bool
    }

    static let utc = TimeZone(
        periods: [Period(offset: 0, abbreviation: "UTC", isDaylight: false)], transitions: [], indexes: [], rule: nil)

    private let periods: [Period]
    /// Seconds since 1970 at which `indexes` begin to hold.
    private let transitions: [Int]
    private let indexes: [Int]
    /// For times behind the last transition.
    private let rule: ZoneRule?

    init(periods: [Period], transitions: [Int], indexes: [Int], rule: ZoneRule?) {
        self.periods = periods
        self.transitions = transitions
        self.indexes = indexes
        self.rule = rule
    }

    /// What holds at a time in seconds since 1970.
    func period(at seconds: Int) -> Period {
        guard let first = transitions.first, seconds >= first else { return earliest }
        if let last = transitions.last, seconds >= last, let rule { return rule.period(at: seconds) }
        var low = 0
        var high = transitions.count
        while low + 1 < high {
            let middle = (low + high) / 2
            if transitions[middle] <= seconds { low = middle } else { high = middle }
        }
        return periods[indexes[low]]
    }

    /// Before the first transition: the first period, or the first standard one when that comes later.
    private var earliest: Period {
        if transitions.isEmpty, let rule { return rule.period(at: 0) }
        if !indexes.contains(0) { return periods[0] }
        if let first = indexes.first, periods[first].isDaylight {
            for index in stride(from: first - 1, through: 0, by: -1) where !periods[index].isDaylight {
                return periods[index]
            }
        }
        return periods.first { !$0.isDaylight } ?? periods[0]
    }
}
